/** Vitrail's explainer as the evaluation library sees it: a model from inputs to logits, and a method from an input to a map. */
import { type Activation, bilinear, type Explainer as Judged, type Model } from "@vitrail/evaluation";
import type { Classes, Explainer, Explanation, Feeds, Findings } from "vitrail/node";
import { rowOf } from "../explain/logits.js";
import { asScores, type OutputView, outputView } from "../explain/output.js";
import { groupByShape, stack } from "../explain/sample.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";

/** One row of feeds, and for texts which of its tokens are units. */
export interface Input {
  readonly feeds: Feeds;
  readonly units?: readonly number[];
  /** For pictures: rows and columns of patches and of pixels. */
  readonly grid?: readonly [number, number];
  readonly size?: readonly [number, number];
}

/** How the explained output is read; it must say one thing of a whole input. */
export function judgedOutput(findings: Findings, files: ModelFiles): OutputView {
  const dims = findings.outputs.find(({ name }) => name === findings.metadata.output)?.dims ?? [];
  if (dims.length > 2) {
    const why = `the explained output "${findings.metadata.output}" is [${dims.join(", ")}]`;
    throw problem("E091", { at: "evaluate", why, try: "--output NAME of an output that is [batch, classes]" });
  }
  return outputView(findings, files);
}

/** Classes for reading what data name. */
export const classesIn = ({ labels, count }: OutputView): Classes => ({ labels, count: count ?? labels?.length });

/** One score per sample, or several labels at once, are judged label by label; else the classes exclude each other. */
export const activationOf = ({ reading, count }: OutputView): Activation =>
  reading.kind === "independent" || count === 1 ? "sigmoid" : "softmax";

/** The number of rows that a run must have, and may have. */
function batchOf({ findings, metadata }: Explainer): { fixed: number | undefined; together: boolean } {
  const batch = findings.inputs.find(({ name }) => name === metadata.explains)?.dims[0];
  const together = findings.inputs.every(({ dims }) => dims[0] === batch);
  return { fixed: typeof batch === "number" ? batch : undefined, together };
}

export function modelOver(explainer: Explainer, view: OutputView): Model<Input> {
  const { fixed, together } = batchOf(explainer);
  const output = explainer.metadata.output;
  return {
    activation: activationOf(view),
    async predict(batch) {
      const answers: Float32Array[] = [];
      const rows = batch.map(({ feeds }, index) => ({ feeds, index }));
      for (const group of groupByShape(rows, ({ feeds }) => feeds, fixed ?? (together ? batch.length : 1))) {
        const feeds = stack(
          group.map((row) => row.feeds),
          Math.max(group.length, fixed ?? 0),
        );
        const logits = asScores(view, (await explainer.predict(feeds))[output]!);
        for (const [row, { index }] of group.entries()) answers[index] = rowOf(logits, row);
      }
      return answers;
    },
  };
}

/** What beside its maps is asked of a method: bytes that one map takes, and an explainer compiled to say its sums per block. */
export interface Beside {
  readonly memory?: ((feeds: Feeds) => Promise<number>) | undefined;
  readonly reading?: (() => Promise<Explainer>) | undefined;
}

/** `open` is asked for every map, so that explainers may be closed in between. */
export function methodOver(
  id: string,
  open: () => Promise<Explainer>,
  { memory, reading }: Beside = {},
): Judged<Input> {
  const feedsFor = (explainer: Explainer, { feeds }: Input) => stack([feeds], batchOf(explainer).fixed ?? 1);
  return {
    id,
    explain: async (input, target) => {
      const explainer = await open();
      return mapOf(await explainer.explain(feedsFor(explainer, input), { target }), input);
    },
    ...(memory && { bytes: async (input) => memory(feedsFor(await open(), input)) }),
    ...(reading && {
      sums: async (input, target) => {
        const explainer = await reading();
        return (await explainer.explain(feedsFor(explainer, input), { target })).stability()!.blocks;
      },
    }),
  };
}

/** Patches, pixels or tokens; a grid that is neither the subject's nor its pixels' is enlarged to pixels. */
function mapOf(explanation: Explanation, { units, grid, size }: Input): Float32Array {
  if (units) {
    const tokens = explanation.toTokens();
    return Float32Array.from(units, (position) => tokens[position]!);
  }
  const own = explanation.toGrid();
  if (!own || !grid || !size) {
    const why = `${explanation.metadata.method} gives [${explanation.relevance.dims.join(", ")}], which is no grid of patches`;
    throw problem("E091", { at: "evaluate", why, try: "another method" });
  }
  const fits = ([rows, columns]: readonly [number, number]) => own.rows === rows && own.columns === columns;
  return fits(grid) || fits(size) ? own.values : bilinear(own.values, [own.rows, own.columns], size);
}
