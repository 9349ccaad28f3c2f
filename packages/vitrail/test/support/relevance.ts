/** The relevance pass over small float64 graphs written by hand, run in the runtime. */
import { ModelWriter } from "../../../../test/support/model.js";
import { type Arrays, array, open } from "../../../../test/support/runtime.js";
import { importModel } from "../../src/canonicalize/import.js";
import { settleSoftmax } from "../../src/canonicalize/softmax.js";
import { unitInput } from "../../src/canonicalize/unit.js";
import { writePatch } from "../../src/emit/patch.js";
import { gradientStep, pullBack } from "../../src/gradient/reverse.js";
import { dataInputs, type Value } from "../../src/ir/graph.js";
import { ancestors } from "../../src/ir/traverse.js";
import { readModel } from "../../src/onnx/model.js";
import { type Composite, chefer2021 } from "../../src/relevance/composites.js";
import { divisionOf } from "../../src/relevance/divide.js";
import { relevanceStep } from "../../src/relevance/propagate.js";
import { layoutsOf } from "../../src/relevance/sample.js";
import { type Notes, stability } from "../../src/relevance/stability.js";
import { elementCount, tensorOf } from "../../src/tensor/tensor.js";

export interface Drawn {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

/** A graph under construction: named float64 inputs, constants, and what was fed. */
export class Sketch extends ModelWriter {
  readonly feeds: Record<string, Arrays[string]> = {};
  constructor(opset = 17) {
    super({ opset });
    // Without any float constant of its own the graph would count as a float32 one.
    this.constant(tensorOf("float64", 1), "double");
  }
  /** A data input; the first axis is the sample. */
  data(name: string, dims: readonly number[], values: readonly number[]): string {
    this.feeds[name] = array("float64", values, dims);
    return this.input(name, "float64", dims);
  }
  fixed = (values: readonly number[], dims: readonly number[] = [values.length]): string =>
    this.weights(values, dims, "float64");
  real = (x: number): string => this.scalar(x, "float64");
}

export interface PassRequest {
  /** The value where the pass starts, and what starts there. */
  readonly from: string;
  readonly start: readonly number[];
  /** Names of values that relevance (or a gradient) is wanted of. */
  readonly wanted: readonly string[];
  readonly composite?: Composite;
  readonly stabilizer?: number;
  readonly ridge?: number;
  readonly wholeBatch?: boolean;
  readonly pass?: "relevance" | "gradient";
}

/** The pass, emitted but not run. */
function emitted(sketch: Subject, request: Omit<PassRequest, "start">) {
  const { from, wanted, composite = chefer2021, stabilizer = 0, ridge = 0, pass = "relevance" } = request;
  const { wholeBatch = false } = request;
  sketch.output?.(from);
  const model = sketch.bytes();
  const graph = importModel(readModel(model));
  const b = graph.builder;
  settleSoftmax(b);
  const output = graph.outputs.get(from)!;
  const named = new Map<string, Value>([...graph.inputs]);
  for (const node of b.nodes) for (const v of node.outputs) if (v.name !== undefined) named.set(v.name, v);
  const nodes = ancestors([output], dataInputs);
  const order = new Map(nodes.map((n, i) => [n, i]));
  const units = { operators: b.operators, position: (n: (typeof nodes)[number]) => order.get(n) ?? -1 };
  const layouts = layoutsOf(
    output,
    () => false,
    (n) => unitInput(units, n),
  );
  const seed = b.value(b.real, output.shape);
  const values = wanted.map((name) => named.get(name)!);
  const division = divisionOf({ stabilizer, ridge });
  const notes: Notes = { divisions: [], additions: [] };
  const step =
    pass === "gradient"
      ? gradientStep(b)
      : relevanceStep(b, { composite, layouts, units, division, notes, wholeBatch });
  const found = pullBack(b, { name: pass, output, seed, wanted: new Set(values), step });
  return {
    model,
    graph,
    notes,
    division,
    seed,
    found: values.map((v) => found.get(v)!),
    dims: output.shape as readonly number[],
  };
}

/** True where the relevance that arrives is, without any arithmetic, the relevance that started. */
export function passesUnchanged(sketch: Sketch, from: string, wanted: string): boolean {
  const { seed, found } = emitted(sketch, { from, wanted: [wanted] });
  return found[0] === seed;
}

/** The stability reading of a pass: [weak, magnification] per sample. */
export async function readings(sketch: Sketch, request: PassRequest): Promise<number[][]> {
  const { model, graph, notes, division, seed, dims } = emitted(sketch, request);
  const b = graph.builder;
  const value = stability(b, notes, [], division);
  b.pass = "output";
  const patch = writePatch({
    b,
    taken: graph.names,
    inputs: [{ name: "R", value: seed }],
    outputs: [{ name: "stability", value: b.node("Identity", [value], {}, 1)[0]! }],
    metadata: {},
    irVersion: 8n,
  });
  const session = await open(Uint8Array.of(...model, ...patch.bytes));
  const results = await session.run({ ...sketch.feeds, R: array("float64", request.start, dims) });
  await session.release();
  const { values } = results.stability!;
  return Array.from({ length: values.length / 2 }, (_, i) => values.slice(2 * i, 2 * i + 2));
}

/** A graph with what it is fed; `output` names what is explained, where the file does not. */
export type Subject = Pick<Sketch, "bytes" | "feeds"> & Partial<Pick<Sketch, "output">>;

/** Relevance of the wanted values. */
export async function pulled(sketch: Subject, request: PassRequest): Promise<Record<string, number[]>> {
  const { from, start, wanted } = request;
  const { model, graph, seed, found, dims } = emitted(sketch, request);
  const b = graph.builder;
  b.pass = "output";
  const own = (v: Value) => b.node("Identity", [v], {}, 1)[0]!;
  const patch = writePatch({
    b,
    taken: graph.names,
    inputs: [{ name: "R", value: seed }],
    outputs: wanted.map((name, i) => ({ name: `R_${name}`, value: own(found[i]!) })),
    metadata: {},
    irVersion: 8n,
  });
  const session = await open(Uint8Array.of(...model, ...patch.bytes));
  if (elementCount(dims) !== start.length) throw new Error(`${from} has ${elementCount(dims)} elements`);
  const results = await session.run({ ...sketch.feeds, R: array(b.real, start, dims) });
  await session.release();
  return Object.fromEntries(wanted.map((name) => [name, [...results[`R_${name}`]!.values]]));
}
