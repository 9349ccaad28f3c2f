/** Bytes in, patch out: the pipeline on one screen. */
import { type Analysis, analyse, explainedOutput } from "./analysis.js";
import { recogniseActivations } from "./canonicalize/activation.js";
import { importModel } from "./canonicalize/import.js";
import type { ModelGraph } from "./canonicalize/model-graph.js";
import { narrow } from "./canonicalize/narrow.js";
import { settleSoftmax } from "./canonicalize/softmax.js";
import { joined } from "./emit/joined.js";
import { optimize } from "./emit/optimize/optimize.js";
import { writePatch } from "./emit/patch.js";
import { sha256 } from "./emit/sha256.js";
import { fail } from "./errors.js";
import { explain } from "./explain.js";
import { tokenLayout } from "./flow/tokens.js";
import { guarded } from "./guard.js";
import type { Value } from "./ir/graph.js";
import { verifyMap } from "./ir/verify.js";
import { lift } from "./lift/lift.js";
import { type Metadata, originalBytes, outputOf, type Tower, targetAxes } from "./metadata.js";
import { type BuiltMethod, isBuilt } from "./methods/method.js";
import { builtMethods } from "./methods/registry.js";
import type { ModelProto } from "./onnx/generated/onnx_pb.js";
import { readModel } from "./onnx/model.js";
import { refuseTooLarge } from "./onnx/size.js";
import { type CompileOptions, chosenIn, type ResolvedOptions, resolveOptions } from "./options.js";
import { type Report, reportOf } from "./report.js";
import { seedOf, severalOf, targetInput } from "./seed.js";
import { version } from "./version.js";

/** A compiled model: the original bytes, followed by the patch. */
export interface Program {
  /** Put together when first asked for: who writes a large file needs no copy of it. */
  readonly bytes: Uint8Array;
  readonly patch: Uint8Array;
  readonly report: Report;
}

/**
 * Appends an explanation to an ONNX model.
 * @param model the bytes of an .onnx file (a compiled one is cut back to its original first)
 * @throws VitrailError with every diagnostic that was found
 */
export function compile(model: Uint8Array, options: CompileOptions = {}): Program {
  const resolved = resolveOptions(options);
  const { method } = resolved;
  if (isBuilt(method)) return guarded(() => append(model, method, resolved));
  fail("E017", `"${method.id}"`, {
    why: "it runs the model many times",
    try: `createExplainer or "vitrail explain", which do; or one of ${builtMethods.map((m) => m.id).join(", ")}`,
  });
}

/** The program of a method that is a graph. */
export function append(model: Uint8Array, method: BuiltMethod, request: ResolvedOptions): Program {
  const original = originalBytes(model);
  const proto = readModel(original);
  const graph = importModel(proto, request.operators);
  return guarded(() => appendTo({ original, proto, graph }, method, request), graph.builder);
}

interface Read {
  readonly original: Uint8Array;
  readonly proto: ModelProto;
  readonly graph: ModelGraph;
}

function appendTo({ original, proto, graph }: Read, method: BuiltMethod, request: ResolvedOptions): Program {
  const { values, target: mode, several, choice, readout, readoutText, stability } = request;
  const b = graph.builder;
  settleSoftmax(b);
  if (!method.copiesForward) recogniseActivations(b);
  b.verify("canonicalize", [...graph.outputs.values()]);
  const output = explainedOutput(graph, choice);
  const read = method.everyToken?.(values) || readout ? undefined : narrow(b, output.start);
  b.verify("narrow", [...graph.outputs.values(), output.start]);
  const analyses = choice.explains.map((explains) => analyse(graph, output, { explains, readout }));
  const [analysis] = analyses as [Analysis, ...Analysis[]];
  const one = targetInput(b, mode, output.given);
  const seed = seedOf(b, mode, output.given, one);
  const target = one && several ? severalOf(b, one) : one;
  const targetName = free("target", graph.names);
  const results = analyses.map((each, index) => {
    const { source } = each;
    if (method.kind === "input") refuseBytes(source);
    const explained = explain(each, method, values, seed, { stability });
    const { inputs = [], outputs = [] } = explained;
    b.verify(method.id, [explained.relevance], [...(one ? [one] : []), ...inputs.map((i) => i.value)]);
    // A program that is fed more than the model is part of a method: what it gives is for whoever drives it.
    if (inputs.length === 0) verifyMap(method.id, explained.relevance, explained.kind ?? method.kind, source.value);
    const result = (what: string, found: Value) => {
      const all = one && target && several ? lift(b, found, one, target) : found;
      b.pass = "output";
      const name = free(index === 0 ? what : `${what}_${source.input}`, graph.names);
      return { name, value: b.emit("Cast", [all], { to: 1 }) };
    };
    const relevance = result("relevance", explained.relevance);
    const reading = explained.stability && result("stability", explained.stability);
    const tower: Tower = {
      explains: source.input,
      readout: explained.tokens ? readoutText || explained.readout || read || "every token by itself" : "",
      relevance: { name: relevance.name, kind: explained.kind ?? method.kind },
      tokens: explained.tokens ? tokensOf(explained.tokens) : null,
      sites: explained.sites.map((s) => s.softmax.source),
      ...(explained.norm !== undefined && { norm: explained.norm }),
      ...(reading && { stability: { name: reading.name } }),
    };
    return { tower, inputs, outputs: [relevance, ...(reading ? [reading] : []), ...outputs] };
  });
  const [first, ...further] = results.map(({ tower }) => tower) as [Tower, ...Tower[]];
  const metadata: Metadata = {
    version,
    method: method.id,
    options: values,
    ...outputOf(output),
    target: { name: target ? targetName : null, mode, several, axes: targetAxes(analysis) },
    ...first,
    ...(further.length > 0 && { further }),
    source: { sha256: sha256(original), bytes: original.length },
  };
  const outputs = results.flatMap((r) => r.outputs);
  const roots = outputs.map((o) => o.value);
  const fed = [...(target ? [target] : []), ...results.flatMap((r) => r.inputs.map((i) => i.value))];
  const verified = (pass: string) => b.verify(pass, roots, fed);
  if (several) verified("lift");
  optimize(b, roots, { compact: request.compact, several });
  verified("optimize");
  const patch = writePatch({
    b,
    taken: graph.names,
    inputs: [...(target ? [{ name: targetName, value: target }] : []), ...results.flatMap((r) => r.inputs)],
    outputs,
    metadata: { vitrail: JSON.stringify(metadata) },
    irVersion: proto.irVersion,
  });
  refuseTooLarge(original.length + patch.bytes.length, "the compiled model");
  let bytes: Uint8Array | undefined;
  return {
    get bytes() {
      bytes ??= joined(original, patch.bytes);
      return bytes;
    },
    patch: patch.bytes,
    report: reportOf({ graph, analysis, metadata, patch, chosen: chosenIn(request) }),
  };
}

function tokensOf(tokens: NonNullable<ReturnType<typeof explain>["tokens"]>): Metadata["tokens"] {
  const { prefix, patches } = tokenLayout(tokens);
  return { prefix, ...patches };
}

/** A name that nothing in the model has. */
function free(name: string, taken: ReadonlySet<string>): string {
  let candidate = name;
  for (let i = 1; taken.has(candidate); i++) candidate = `vitrail_${name}${i === 1 ? "" : i}`;
  return candidate;
}

/** A gradient says what a small change of a value does; whole numbers have none, and no point between two of them can be fed. */
function refuseBytes({ input, value: { pixels } }: Analysis["source"]): void {
  if (!pixels) return;
  fail("E075", "", {
    at: `input "${input}"`,
    why: `it holds whole numbers (${pixels.type}), and the method explains the input's own values by their gradients`,
    try: "a method that explains patches (transformer-attribution, generic-attention, occlusion); or export the model with a float32 input",
  });
}
