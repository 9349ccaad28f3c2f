/** Grad-CAM on attention, LRP, partial LRP and LeGrad in every spelling, against the authors' float64 numbers. */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { type Arrays, array, open, type Session } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { type Case, cases, inputsOf, modelOf, relativeError, tensorOf } from "./golden/golden.js";
import { bound, type GoldenMap } from "./golden/maps.js";

const ablation = { method: "transformer-attribution", gradient: false } as const;
const single = { method: "transformer-attribution", singleBlock: true, startLayer: 1 } as const;

/** The ablations of the paper's table 3, for ViT alone. In float64 all spellings are within 8e-4 of them. */
const ablations: readonly GoldenMap[] = [
  { options: { ...ablation, startLayer: 0 }, map: "relevance_rollout.start0" },
  { options: { ...ablation, startLayer: 1 }, map: "relevance_rollout.start1" },
  { options: { ...single, gradient: false }, map: "lrp.second_layer" },
  { options: single, map: "lrp.second_layer_gradweighted" },
];
const maps: readonly GoldenMap[] = [
  { options: { method: "attention-grad-cam" }, map: "attention_gradcam_raw" },
  { options: { method: "partial-lrp" }, map: "orig_lrp.last_layer" },
  { options: { method: "lrp" }, map: "orig_lrp.full" },
  { options: { method: "lrp", conserving: true }, map: "lrp.full" },
];

for (const c of cases)
  for (const { name, inputs } of c.spellings)
    describe(`${c.case} ${name}`, () => {
      const model = modelOf(c, name);
      for (const golden of c.kind === "vit" ? [...maps, ...ablations] : maps)
        test(`${golden.map} = ${JSON.stringify(golden.options)}`, async () => {
          const session = await open(compile(model, golden.options).bytes, true);
          for (const [sample, targets] of Object.entries(c.targets))
            for (const target of targets) {
              const feeds = inputsOf(c, sample, inputs);
              const expected = tensorOf(`${c.case}/${sample}/target${target}/map.${golden.map}.f64`).values;
              const read = async (fed: Arrays) =>
                comparable(c, await relevanceOf(session, fed, target), expected.length);
              // The authors' BERT code averages the gradient over all queries too, of which only the class token's has any.
              const scale = c.kind === "bert" && golden.map === "attention_gradcam_raw" ? expected.length : 1;
              const own = expected.slice(c.kind === "bert" ? 1 : 0).map((v) => v * scale);
              const row = await read(feeds);
              if (own.every((v) => v === 0)) expect(row.every((v) => v === 0)).toBe(true);
              else {
                const error = relativeError(row, own);
                const allowed = error <= bound(c, golden) ? bound(c, golden) : await movement(feeds, row, read);
                expect(error, `${sample}, class ${target}`).toBeLessThanOrEqual(allowed);
              }
            }
          await session.release();
        });
      if (c.case === "vit_a")
        test("le-grad is the sum over two blocks of the mean of relu(gradient)", async () => {
          const [target] = c.targets.sample0!;
          const session = await open(compile(model, { method: "le-grad" }).bytes, true);
          const row = await relevanceOf(session, inputsOf(c, "sample0", inputs), target!);
          await session.release();
          const depth = c.config.depth!;
          const layers = [depth - 2, depth - 1].map((k) =>
            tensorOf(`${c.case}/sample0/target${target}/block${k}.gradient.f64`),
          );
          const tokens = row.length;
          const expected = row.map((_, key) =>
            layers.reduce((total, { values, dims }) => {
              const column = values.filter((_, i) => i % tokens === key);
              return total + column.reduce((sum, g) => sum + Math.max(g, 0), 0) / (dims[1]! * tokens);
            }, 0),
          );
          expect(relativeError(row, expected)).toBeLessThan(1e-5);
        });
    });

const relevanceOf = async (session: Session, feeds: Arrays, target: number): Promise<readonly number[]> =>
  (await session.run({ ...feeds, target: array("int64", [target], [1]) }, ["relevance"])).relevance!.values;

/** Pixels are summed over channels; the class token's own entry, which the authors leave out or set to 0, is left out. */
function comparable({ kind }: Case, row: readonly number[], count: number): readonly number[] {
  if (kind === "vit" && row.length === 3 * count)
    return row.slice(0, count).map((v, i) => v + row[i + count]! + row[i + 2 * count]!);
  return row.slice(1);
}

/** How far the map moves where every pixel is changed by 1e-7 of itself: float32 decides it no better. At most 0.05. */
async function movement(feeds: Arrays, row: readonly number[], read: (feeds: Arrays) => Promise<readonly number[]>) {
  const pixels = feeds.pixel_values;
  if (!pixels) return 0;
  let farthest = 0;
  for (let seed = 0; seed < 8; seed++) {
    const { uniform } = random(seed);
    const values = pixels.values.map((v) => v * (uniform() < 0.5 ? 1 + 1e-7 : 1 - 1e-7));
    farthest = Math.max(farthest, relativeError(await read({ ...feeds, pixel_values: { ...pixels, values } }), row));
  }
  return Math.min(farthest, 0.05);
}
