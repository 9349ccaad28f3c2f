/** Token flows over small float64 graphs written by hand: the walk with E = mean over heads of A, and the As themselves. */
import { array, open } from "../../../../test/support/runtime.js";
import { analyse, explainedOutput } from "../../src/analysis.js";
import { importModel } from "../../src/canonicalize/import.js";
import { writePatch } from "../../src/emit/patch.js";
import { explain } from "../../src/explain.js";
import { rowMethod } from "../../src/methods/method.js";
import { readModel } from "../../src/onnx/model.js";
import { seedOf, targetInput } from "../../src/seed.js";
import { type Matrix, rows } from "./loops.js";
import type { Sketch } from "./relevance.js";

/** Attention rollout without normalised rows: what a site contributes is its attention, or the square of it (rows of any sum). */
const walk = (squared: boolean) =>
  rowMethod({
    id: "plain-walk",
    title: "",
    citation: "",
    needs: ["attention"],
    classSpecific: false,
    layer: ({ weights }, b) => (squared ? b.square(weights) : weights),
  });

export interface Walked {
  /** [sample][token] */
  readonly relevance: Matrix;
  /** By name of the site: [sample and whatever leads][query][key], mean over heads. */
  readonly E: Readonly<Record<string, Matrix[]>>;
  readonly readout: string | undefined;
}

export interface SiteShape {
  readonly name: string;
  /** Samples and windows, heads, queries, keys: the order of A's axes, heads after what leads. */
  readonly lead: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
}

/** Runs the walk from `output` [batch, ..., classes] and reads the attention of every site. */
export async function walked(
  m: Sketch,
  output: string,
  sites: readonly SiteShape[],
  target: { readonly values: readonly number[]; readonly dims: readonly number[] },
  options: {
    readonly startLayer?: number;
    readonly normalizeRows?: boolean;
    readonly explains?: string;
    readonly squared?: boolean;
  } = {},
): Promise<Walked> {
  m.output(output);
  for (const { name } of sites) m.output(name);
  const model = m.bytes();
  const graph = importModel(readModel(model));
  const b = graph.builder;
  const { explains, squared = false, ...given } = options;
  const analysis = analyse(graph, explainedOutput(graph, { output }), { explains });
  const input = targetInput(b, "index", analysis.output)!;
  const values = { startLayer: 0, normalizeRows: false, ...given };
  const result = explain(analysis, walk(squared), values, seedOf(b, "index", analysis.output, input));
  const patch = writePatch({
    b,
    taken: graph.names,
    inputs: [{ name: "target", value: input }],
    outputs: [{ name: "relevance", value: result.relevance }],
    metadata: {},
    irVersion: 8n,
  });
  const session = await open(Uint8Array.of(...model, ...patch.bytes));
  const run = await session.run({ ...m.feeds, target: array("int64", target.values, target.dims) });
  await session.release();
  const { values: row, dims } = run.relevance!;
  const contributed = (A: readonly number[]) => (squared ? A.map((a) => a * a) : A);
  const E = sites.map((s) => [s.name, meanOverHeads(contributed(run[s.name]!.values), s)] as const);
  return { relevance: rows(row, dims[1]!), E: Object.fromEntries(E), readout: result.readout };
}

function meanOverHeads(values: readonly number[], { lead, heads, queries, keys }: SiteShape): Matrix[] {
  const at = (l: number, h: number, q: number, k: number) => values[((l * heads + h) * queries + q) * keys + k]!;
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  return range(lead).map((l) =>
    range(queries).map((q) => range(keys).map((k) => range(heads).reduce((sum, h) => sum + at(l, h, q, k), 0) / heads)),
  );
}

/** What is read and what attention added so far, of one sample. */
export interface State {
  readonly v: readonly number[];
  readonly a: readonly number[];
}
export const reading = (v: readonly number[]): State => ({ v, a: v.map(() => 0) });

/** a ← a + (v + a) E */
export const step = ({ v, a }: State, E: Matrix): State => ({
  v,
  a: a.map((own, k) => own + E.reduce((sum, row, q) => sum + (v[q]! + a[q]!) * row[k]!, 0)),
});
