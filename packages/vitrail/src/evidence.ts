/**
 * What was found out about a model, each finding with how: `found` where the graph leaves no choice, `derived` where a rule chose or
 * filled in, `given` where the caller said it, `missing` where there is nothing. And which flag corrects it.
 */
import type { Analysis } from "./analysis.js";
import type { ModelGraph } from "./canonicalize/model-graph.js";
import type { Metadata } from "./metadata.js";
import { isFloat } from "./tensor/element-type.js";

export interface Finding {
  readonly finding: "output" | "start" | "input" | "attention" | "tokens" | "read-out";
  readonly state: "found" | "derived" | "given" | "missing";
  /** What was found, in words. */
  readonly value: string;
  readonly evidence: string;
  /** How to correct it on the command line; the options of `compile` have the same names. */
  readonly flag?: string;
}

/** What the caller chose. */
export interface Chosen {
  readonly output?: string | undefined;
  readonly from?: string | undefined;
  readonly explains?: string | undefined;
  readonly readout?: string | undefined;
}

export function evidenceOf(
  graph: ModelGraph,
  analysis: Analysis | undefined,
  metadata: Metadata | undefined,
  chosen: Chosen = {},
): Finding[] {
  if (!analysis) return [];
  return [
    outputOf(graph, analysis, chosen),
    ...startOf(analysis),
    inputOf(analysis, chosen, metadata),
    attentionOf(analysis, metadata),
    ...(metadata?.relevance.kind === "tokens" ? [tokensOf(analysis, metadata)] : []),
    ...(metadata?.readout ? [readoutOf(metadata, chosen)] : []),
  ];
}

function outputOf({ outputs }: ModelGraph, { outputName: value }: Analysis, chosen: Chosen): Finding {
  const finding = "output" as const;
  const usable = [...outputs].flatMap(([name, { type, data }]) => (isFloat(type) && data ? [name] : []));
  const others = usable.filter((name) => name !== value);
  const flag = others.length > 0 ? `--output ${others.join(" | ")}` : undefined;
  const how = { finding, value, ...(flag && { flag }) };
  if (chosen.output) return { ...how, state: "given", evidence: "named by the caller" };
  if (others.length === 0) {
    const evidence = "the only output that depends on the input in a differentiable way";
    return { ...how, state: "found", evidence };
  }
  const evidence = `one of ${usable.length} (${usable.join(", ")}): of those that attention leads to, the first with the fewest axes`;
  return { ...how, state: "derived", evidence };
}

/** Said where the file ends in a softmax or sigmoid. */
function startOf({ explained: { name, from, activation } }: Analysis): Finding[] {
  if (!activation) return [];
  const finding = "start" as const;
  const end = `a final ${activation.function}, "${activation.node}"`;
  if (from === "probability") {
    const evidence = `asked for by the caller: "${name}" is made by ${end}`;
    return [{ finding, state: "given", value: "the probability itself", evidence, flag: "--from logit" }];
  }
  const evidence = `"${name}" is made by ${end}, which leaves nothing to pull back where it is sure`;
  return [{ finding, state: "derived", value: "the scores before it", evidence, flag: "--from probability" }];
}

function inputOf({ source, sources }: Analysis, chosen: Chosen, metadata: Metadata | undefined): Finding {
  const finding = "input" as const;
  const offered = [...new Set(sources.map(({ input }) => input))];
  const others = offered.filter((name) => name !== source.input);
  const flag = others.length > 0 ? `--explains ${others.join(" | ")}` : undefined;
  const how = { finding, value: source.input, ...(flag && { flag }) };
  const table = source.value.lookup?.table.shape;
  const norm =
    metadata?.norm === undefined ? "" : `, and go into the norm "${metadata.norm}" alone, whose output is explained`;
  const means =
    source.kind === "input"
      ? "numbers that the output is differentiable in"
      : `ids that are looked up in a table${table ? ` of ${table.join(" × ")}` : ""}${norm}`;
  if (chosen.explains) return { ...how, state: "given", evidence: `named by the caller: ${means}` };
  if (others.length === 0)
    return { ...how, state: "found", evidence: `the only one that leads to the output: ${means}` };
  const rule = "pictures come first, then ids with the largest table";
  return { ...how, state: "derived", evidence: `one of ${offered.join(", ")}, since ${rule}: ${means}` };
}

function attentionOf({ sites }: Analysis, metadata: Metadata | undefined): Finding {
  const finding = "attention" as const;
  const [first] = sites;
  if (!first) {
    const evidence = "no softmax on the way to the output weighs data";
    return { finding, state: "missing", value: "none", evidence };
  }
  const used = metadata?.sites.length ?? 0;
  const value = `${sites.length} ${sites.length === 1 ? "site" : "sites"}${used > 0 && used < sites.length ? `, ${used} of them used` : ""}`;
  const names = [...new Set([first.softmax.source, sites.at(-1)!.softmax.source])].map((name) => `"${name}"`);
  const evidence = `softmaxes whose result weighs data, from ${names.join(" to ")}`;
  return { finding, state: "found", value, evidence };
}

function tokensOf({ source }: Analysis, { tokens }: Metadata): Finding {
  const finding = "tokens" as const;
  const { prefix = 0, grid, stride } = tokens ?? {};
  const front = prefix > 0 ? `; ${prefix} ${prefix === 1 ? "token is" : "tokens are"} joined in front` : "";
  if (grid) {
    const value = `${prefix} special + ${grid[0]} × ${grid[1]} patches`;
    return {
      finding,
      state: "found",
      value,
      evidence: `the tokens are cut from a picture of ${grid[0]} × ${grid[1]} cells${front}`,
    };
  }
  if (stride) {
    const value = `${prefix} special + one per ${stride[0]} × ${stride[1]} pixels`;
    const evidence = `the size of the picture is open; tokens lie ${stride.join(" × ")} pixels apart${front}`;
    return { finding, state: "derived", value, evidence };
  }
  if (source.kind === "embedding") {
    const evidence = `every id of "${source.input}" is looked up for itself${front}`;
    return { finding, state: "found", value: "one per id", evidence };
  }
  const evidence = "no rows and columns were met behind the tokens: maps are lists";
  return { finding, state: "missing", value: "places unknown", evidence };
}

const readoutFlag = "--readout index:K | mean | mean:FROM:TO";

function readoutOf({ readout: value }: Metadata, chosen: Chosen): Finding {
  const finding = "read-out" as const;
  const how = { finding, value, flag: readoutFlag };
  if (chosen.readout) return { ...how, state: "given", evidence: "named by the caller" };
  if (value === "every token by itself") {
    const evidence = "nothing between the last block and the output picks tokens: the map starts at the target's own";
    return { ...how, state: "derived", evidence };
  }
  return { ...how, state: "found", evidence: "what the head takes of the last block, followed back from the output" };
}
