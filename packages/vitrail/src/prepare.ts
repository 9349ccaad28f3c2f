/** Bytes in, something to run out: a compiled model for methods that are a graph; for driven ones what they run many times. */
import { type Analysis, analyse, explainedOutput } from "./analysis.js";
import { importModel } from "./canonicalize/import.js";
import type { ModelGraph } from "./canonicalize/model-graph.js";
import { settleSoftmax } from "./canonicalize/softmax.js";
import { append } from "./compile.js";
import { joined } from "./emit/joined.js";
import { writePatch } from "./emit/patch.js";
import { programOf } from "./emit/program.js";
import { sha256 } from "./emit/sha256.js";
import { type Diagnostic, fail, VitrailError } from "./errors.js";
import { explain } from "./explain.js";
import type { Patches } from "./flow/patches.js";
import { tokenLayout } from "./flow/tokens.js";
import { guarded } from "./guard.js";
import type { Value } from "./ir/graph.js";
import { type Metadata, originalBytes, outputOf, targetAxes } from "./metadata.js";
import { SCORES } from "./methods/gradient-program.js";
import { type BuiltMethod, type DrivenMethod, isBuilt } from "./methods/method.js";
import { rawAttention } from "./methods/raw-attention.js";
import { readModel } from "./onnx/model.js";
import { type CompileOptions, chosenIn, type ResolvedOptions, resolveOptions } from "./options.js";
import { outlineOf } from "./outline.js";
import { type Report, reportOf } from "./report.js";
import { seedOf, targetInput } from "./seed.js";
import { version } from "./version.js";

/** How the program of a driven method is fed and read. */
export interface DrivenProgram {
  /** Names in the program: its target (weights of the explained output), and its result in place of a relevance. */
  readonly target: string;
  readonly result: string;
  /** Numbers per embedding and their type, where the program shifts embeddings. */
  readonly embeddings: { readonly width: number; readonly type: string } | null;
}

/** What a driven method needs to know beyond the metadata. */
export interface Driving {
  readonly program: DrivenProgram | null;
  /** What is run has an output SCORES: the explanation starts at numbers that the file itself does not give. */
  readonly scores: boolean;
  /** The explained input holds ids, of which embeddings are looked up. */
  readonly ids: boolean;
  /** Inputs that say which tokens are padding: integers beside the ids that no embedding is looked up with. */
  readonly masks: readonly string[];
}

export interface Prepared {
  readonly original: Uint8Array;
  /** What is run, made from the original or from one whose weights stand elsewhere; without it, the original itself is run. */
  readonly toRun?: ((original: Uint8Array) => Uint8Array) | undefined;
  readonly report: Report;
  readonly metadata: Metadata;
  readonly driving?: Driving;
}

/** @throws VitrailError with every diagnostic that was found */
export function prepare(model: Uint8Array, options: CompileOptions = {}): Prepared {
  const resolved = resolveOptions(options);
  const { method } = resolved;
  return guarded(() =>
    isBuilt(method) ? prepareBuilt(model, method, resolved) : prepareDriven(model, method, resolved),
  );
}

function prepareBuilt(model: Uint8Array, method: BuiltMethod, resolved: ResolvedOptions): Prepared {
  const original = originalBytes(model);
  const { patch, report } = append(original, method, resolved);
  return { original, toRun: (own) => joined(own, patch), report, metadata: report.metadata! };
}

/** What needs forward passes alone runs on every file that the runtime runs, also where the compiler cannot read the graph. */
function prepareDriven(model: Uint8Array, method: DrivenMethod, resolved: ResolvedOptions): Prepared {
  if (method.program) return prepareRead(model, method, resolved);
  try {
    return prepareRead(model, method, resolved);
  } catch (error) {
    // A malformed file runs nowhere. E042: an output that has lost its samples cannot be read row by row by any method.
    const stands = (d: Diagnostic) => d.kind === "usage" || d.kind === "input" || d.code === "E042";
    if (!(error instanceof VitrailError) || error.diagnostics.some(stands)) throw error;
    return prepareUnread(model, method, resolved, error);
  }
}

function prepareUnread(
  model: Uint8Array,
  { id, kind }: DrivenMethod,
  resolved: ResolvedOptions,
  { diagnostics: [first] }: VitrailError,
): Prepared {
  const original = originalBytes(model);
  const { choice, target, values, several } = resolved;
  const { graph, output, explains, ids, masks } = outlineOf(readModel(original), {
    output: choice.output,
    explains: choice.explains[0],
  });
  const metadata: Metadata = {
    version,
    method: id,
    options: values,
    explains,
    output,
    from: "logit",
    activation: null,
    readout: "",
    target: { name: null, mode: target, several },
    relevance: { name: "relevance", kind },
    tokens: null,
    sites: [],
    source: { sha256: sha256(original), bytes: original.length },
  };
  const evidence = [
    {
      finding: "attention",
      state: "missing",
      value: "the graph is not read: the method needs its inputs and outputs alone",
      evidence: `${first!.code} ${first!.title}${first!.at ? `, ${first!.at}` : ""}`,
    },
  ] as const;
  const report = { ...reportOf({ graph, metadata, chosen: chosenIn(resolved) }), evidence };
  return { original, report, metadata, driving: { program: null, scores: false, ids, masks } };
}

function prepareRead(model: Uint8Array, method: DrivenMethod, resolved: ResolvedOptions): Prepared {
  const original = originalBytes(model);
  const { choice, target, values } = resolved;
  const [explains, ...others] = choice.explains;
  if (others.length > 0)
    fail("E016", '"explains"', {
      why: `"${method.id}" explains one input at a time`,
      try: "an explainer for each of them",
    });
  const proto = readModel(original);
  const graph = importModel(proto, resolved.operators);
  settleSoftmax(graph.builder);
  const output = explainedOutput(graph, choice);
  const analysis = analyse(graph, output, { explains, forwardOnly: method.program === undefined });
  const { source, sources } = analysis;
  // The target is chosen at the sample; at the points around it the same weights of the outputs are asked about.
  const asked: ResolvedOptions = { ...resolved, values: {}, target: "weights", several: false };
  const program = method.program && append(original, method.program[source.kind], asked);
  const own = program?.report.metadata;
  const scores = output.start !== output.given;
  const patch = program?.patch ?? (scores ? scoresPatch(graph, output.start, proto.irVersion) : undefined);
  const patches = method.kind === "tokens" ? patchesOf(graph, analysis) : undefined;
  const metadata: Metadata = {
    version,
    method: method.id,
    options: values,
    explains: source.input,
    ...outputOf(output),
    readout: "",
    target: { name: null, mode: target, several: resolved.several, axes: targetAxes(analysis) },
    relevance: { name: "relevance", kind: method.kind },
    ...(program && source.norm !== undefined && { norm: source.norm }),
    tokens: patches ? { prefix: 0, ...patches } : null,
    sites: [],
    source: { sha256: sha256(original), bytes: original.length },
  };
  const looked = new Set(sources.map((s) => s.input));
  const masks = [...graph.inputs].flatMap(([name, v]) => (v.type.startsWith("int") && !looked.has(name) ? [name] : []));
  return {
    original,
    toRun: patch && ((own) => programOf(own, patch)),
    report: reportOf({ graph, analysis, metadata, chosen: chosenIn(resolved) }),
    metadata,
    driving: {
      program: own
        ? { target: own.target.name!, result: own.relevance.name, embeddings: embeddingsOf(analysis) }
        : null,
      scores,
      ids: source.kind === "embedding",
      masks,
    },
  };
}

/** The scores before a final softmax or sigmoid as an output, for methods that need forward passes alone. */
function scoresPatch({ builder: b, names }: ModelGraph, start: Value, irVersion: bigint): Uint8Array {
  b.pass = "output";
  const outputs = [{ name: SCORES, value: b.emit("Cast", [start], { to: 1 }) }];
  return writePatch({ b, taken: names, inputs: [], outputs, metadata: {}, irVersion }).bytes;
}

function embeddingsOf({ source, model }: Analysis): DrivenProgram["embeddings"] {
  const width = source.kind === "embedding" ? source.point.shape?.at(-1) : undefined;
  return typeof width === "number" ? { width, type: model.builder.real } : null;
}

/** The patches that a model cuts its pictures into, where it attends to them; nothing is emitted. */
function patchesOf(graph: ModelGraph, analysis: Analysis): Patches | undefined {
  if (analysis.source.kind === "embedding" || analysis.sites.length === 0) return undefined;
  const b = graph.builder;
  try {
    const seed = seedOf(b, "index", analysis.output, targetInput(b, "index", analysis.output));
    const { tokens } = explain(analysis, rawAttention, {}, seed);
    return tokens && tokenLayout(tokens).patches;
  } catch (error) {
    if (error instanceof VitrailError) return undefined;
    throw error;
  }
}
