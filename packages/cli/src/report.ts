import { formatDiagnostic, type Report, type SiteReport, type ValueReport } from "vitrail";
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
    ...field("labels", labelLine(files.labels)),
    ...(metadata ? field("method", metadata.method) : []),
    ...(metadata ? field("explains", `${metadata.output} by ${metadata.explains}`) : []),
    ...(metadata?.tokens?.grid || metadata?.tokens?.stride ? field("tokens", tokenLine(metadata.tokens)) : []),
    ...(metadata?.readout ? field("read-out", metadata.readout) : []),
    ...field("attention", ...siteLines(report.sites)),
    ...(metadata ? field("patch", `${size(patchBytes)}, ${nodes.added} nodes`) : []),
    ...diagnostics.map((diagnostic) => `\n${formatDiagnostic(diagnostic)}`),
  ];
}

const valueLine = ({ name, type, dims }: ValueReport): string => `${name}: ${type} [${dims.join(", ")}]`;

function labelLine(labels: readonly string[] | undefined): string {
  if (!labels) return "none";
  const shown = labels.slice(0, 6).join(" · ");
  return `${labels.length}: ${shown}${labels.length > 6 ? " …" : ""}`;
}

function tokenLine({ prefix, grid, stride }: NonNullable<NonNullable<Report["metadata"]>["tokens"]>): string {
  const special = `${prefix} special`;
  if (grid) return `${special} + ${grid[0]} × ${grid[1]} patches`;
  return stride ? `${special} + one per ${stride[0]} × ${stride[1]} pixels` : special;
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
