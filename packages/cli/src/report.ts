import { type Finding, formatDiagnostic, type Report, type SiteReport, type ValueReport } from "vitrail";
import { outputView } from "./explain/output.js";
import type { ModelFiles } from "./model/folder.js";
import { size } from "./output/size.js";
import type { Colors } from "./terminal.js";

/** What was found in a model, for a person. */
export function reportLines(report: Omit<Report, "print">, files: ModelFiles, colors: Colors): string[] {
  const { metadata, diagnostics, nodes, patchBytes } = report;
  const field = (name: string, ...values: readonly string[]) =>
    values.map((value, index) => `  ${colors.dim((index === 0 ? name : "").padEnd(10))} ${value}`);
  const verdict = metadata ? colors.green("can be explained") : colors.red("cannot be explained");
  return [
    `${colors.bold(files.name)}  ${verdict}`,
    ...field("file", `${files.file}, opset ${report.opset}, ${nodes.original} nodes`),
    ...field("inputs", ...report.inputs.map(valueLine)),
    ...field("outputs", ...report.outputs.map(valueLine)),
    ...(metadata ? field("method", metadata.method) : []),
    ...findingsOf(report, files).flatMap((finding) => field(finding.finding, ...findingLines(finding, report, colors))),
    ...(metadata ? field("patch", `${size(patchBytes)}, ${nodes.added} nodes`) : []),
    ...diagnostics.map((diagnostic) => `\n${formatDiagnostic(diagnostic)}`),
  ];
}

/** Of a file whose 8-bit products some processors add wrongly. */
export const saturationLine = ([first, ...others]: readonly string[], colors: Colors): string =>
  `  ${colors.dim("int8".padEnd(10))} signed 8-bit weights beyond ±64 ("${first}"${others.length > 0 ? ` and ${others.length} more` : ""}): ` +
  "on x86-64 without VNNI their sums saturate, and the model decides otherwise there; --int8 exact has the same sums everywhere";

const valueLine = ({ name, type, dims }: ValueReport): string => `${name}: ${type} [${dims.join(", ")}]`;

function labelLine(labels: readonly string[]): string {
  const shown = labels.slice(0, 6).join(" · ");
  return `${labels.length}: ${shown}${labels.length > 6 ? " …" : ""}`;
}

/** A finding of the compiler, or about what lies beside the model. */
export type AnyFinding = Omit<Finding, "finding"> & { readonly finding: string };

/** What was found in the graph, and what beside it. */
export function findingsOf(report: Omit<Report, "print">, files: ModelFiles): AnyFinding[] {
  const { evidence, inputs } = report;
  const explained = inputs.find(({ name }) => name === evidence.find(({ finding }) => finding === "input")?.value);
  return [
    ...evidence,
    labelsOf(report, files),
    ...(explained?.dims.length === 4 ? [pixelsOf(files, explained.dims)] : []),
    ...(explained?.type.startsWith("int") ? [wordsOf(files)] : []),
  ];
}

const labelsFlag = "--labels FILE";

function labelsOf({ metadata, outputs }: Omit<Report, "print">, files: ModelFiles): AnyFinding {
  const [finding, flag] = ["labels", labelsFlag];
  const view = metadata && outputView({ metadata, outputs }, files);
  const labels = view ? view.labels : files.labels;
  const [note] = view?.notes ?? [];
  if (note) return { finding, state: "missing", value: "none", evidence: note, flag };
  if (labels)
    return {
      finding,
      state: "found",
      value: labelLine(labels),
      evidence: "named beside the model, or with the flag",
      flag,
    };
  return {
    finding,
    state: "missing",
    value: "none",
    evidence: "no config.json or labels.txt beside the model: classes are numbers",
    flag,
  };
}

function pixelsOf({ preprocessor }: ModelFiles, dims: readonly (number | string)[]): AnyFinding {
  const [finding, file] = ["pixels", "preprocessor_config.json"];
  if (preprocessor !== undefined) return { finding, state: "found", value: file, evidence: "lies beside the model" };
  const evidence = `no ${file} lies beside the model`;
  const fixed = dims.filter((dim) => typeof dim === "number").length >= 3;
  if (!fixed)
    return { finding, state: "missing", value: "size unknown", evidence: `${evidence}, and its input has any size` };
  return { finding, state: "derived", value: "resized to the input, mean and deviation 0.5", evidence };
}

function wordsOf({ tokenizer }: ModelFiles): AnyFinding {
  const [finding, file] = ["words", "tokenizer.json"];
  if (tokenizer !== undefined) return { finding, state: "found", value: file, evidence: "lies beside the model" };
  return {
    finding,
    state: "missing",
    value: "none",
    evidence: `no ${file} lies beside the model: ids come with --tensors alone`,
  };
}

function findingLines(finding: AnyFinding, { sites }: Pick<Report, "sites">, colors: Colors): string[] {
  const { state, value, evidence, flag } = finding;
  const paint = { found: colors.green, given: colors.green, derived: colors.yellow, missing: colors.red }[state];
  const values = finding.finding === "attention" && sites.length > 0 ? siteLines(sites) : [value];
  const hint = flag ? colors.dim(`; to correct it: ${flag}`) : "";
  return [...values, `${paint(state)}${colors.dim(`, ${evidence}`)}${hint}`];
}

/** Sites of one shape are one line. */
function siteLines(sites: readonly SiteReport[]): string[] {
  const shapes = new Map<string, number>();
  for (const { shape } of sites) {
    const text = `[${shape.join(", ")}]`;
    shapes.set(text, (shapes.get(text) ?? 0) + 1);
  }
  const lines = [...shapes].map(([shape, count]) => `${count} × ${shape}`);
  return lines.length > 0 ? lines : ["none found"];
}
