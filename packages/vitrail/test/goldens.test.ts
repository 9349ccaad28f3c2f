/** Every method in every spelling, compiled and run as users run it (float32), against the authors' float64 maps. */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { type Arrays, array, open, type Session } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { blockProgram } from "./golden/blocks.js";
import {
  type Case,
  cases,
  filesRead,
  filesThere,
  inputsOf,
  modelOf,
  relativeError,
  tensorOf,
} from "./golden/golden.js";
import { bound, elsewhere, type GoldenMap, isIllConditioned, maps } from "./golden/maps.js";

/** What float32 leaves undecided of a single block's R_A: sums near zero are divided by (a change of 1e-7 moves it this far). */
const RELEVANCE_NOISE = 2e-2;

for (const c of cases)
  for (const { name, inputs } of c.spellings)
    describe(`${c.case} ${name}`, () => {
      const model = modelOf(c, name);
      for (const golden of maps[c.kind])
        test(`${golden.map} = ${JSON.stringify(golden.options)}`, async () => {
          const session = await open(compile(model, golden.options).bytes, true);
          for (const [sample, targets] of Object.entries(c.targets))
            for (const target of targets) {
              const feeds = inputsOf(c, sample, inputs);
              const row = await relevanceOf(session, feeds, target);
              const error = relativeError(...compared(c, golden, row, sample, target));
              const moved = isIllConditioned(c, golden, sample) ? await movement(session, feeds, target, row) : 0;
              expect(moved, "the map is far better decided than the test assumes").toBeLessThan(2e-2);
              expect(error, `${sample}, class ${target}`).toBeLessThanOrEqual(Math.max(bound(c, golden), moved));
            }
          await session.release();
        });
      if (c.case !== "vit_b")
        test("attention, gradient and relevance of every block", async () => {
          const [target] = c.targets.sample0!;
          const { sites, bytes } = blockProgram(model);
          const session = await open(bytes, true);
          const feeds = { ...inputsOf(c, "sample0", inputs), target: array("int64", [target!], [1]) };
          const parts = (await session.run(feeds, ["relevance"])).relevance!.values;
          await session.release();
          expect(sites).toBe(c.config.depth ?? c.config.layers);
          let at = 0;
          for (let block = 0; block < sites; block++)
            for (const what of ["attention", "gradient", "relevance"] as const) {
              const folder = what === "attention" ? "sample0" : `sample0/target${target}`;
              const expected = tensorOf(`${c.case}/${folder}/block${block}.${what}.f64`).values;
              const actual = parts.slice(at, at + expected.length);
              at += expected.length;
              const allowed = what === "relevance" ? RELEVANCE_NOISE : 1e-5;
              expect(relativeError(actual, expected), `block ${block}, ${what}`).toBeLessThan(allowed);
            }
          expect(at).toBe(parts.length);
        });
    });

test("every file of the goldens is read, here or with the methods' own", () => {
  for (const c of cases) for (const sample of Object.keys(c.targets)) tensorOf(`${c.case}/${sample}/logits.f64`);
  const unread = filesThere().filter((path) => !filesRead.has(path) && !elsewhere.some((w) => w.test(path)));
  expect(unread).toEqual(["README.md"]);
});

const relevanceOf = async (session: Session, feeds: Arrays, target: number): Promise<readonly number[]> =>
  (await session.run({ ...feeds, target: array("int64", [target], [1]) }, ["relevance"])).relevance!.values;

/** What is compared: ViT maps have no class token; of BERT maps its own entry counts only where it is kept. */
function compared(c: Case, golden: GoldenMap, row: readonly number[], sample: string, target: number) {
  const path = golden.everyClass ? `${c.case}/${sample}` : `${c.case}/${sample}/target${target}`;
  const expected = tensorOf(`${path}/map.${golden.map}.f64`).values;
  if (golden.classToken) return [row, expected] as const;
  return [row.slice(1), c.kind === "vit" ? expected : expected.slice(1)] as const;
}

/** How far the map moves where every pixel is changed by 1e-7 of itself: the farthest of eight draws. */
async function movement(session: Session, feeds: Arrays, target: number, row: readonly number[]): Promise<number> {
  let farthest = 0;
  for (let seed = 0; seed < 8; seed++) {
    const { uniform } = random(seed);
    const pixels = feeds.pixel_values!;
    const values = pixels.values.map((v) => v * (uniform() < 0.5 ? 1 + 1e-7 : 1 - 1e-7));
    const moved = await relevanceOf(session, { ...feeds, pixel_values: { ...pixels, values } }, target);
    farthest = Math.max(farthest, relativeError(moved.slice(1), row.slice(1)));
  }
  return farthest;
}
