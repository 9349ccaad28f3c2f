/** The model collection: every family, every spelling, against float64 goldens of a separate interpreter. */
import { describe, expect, test } from "vitest";
import { type Arrays, array, type NumberArray, open } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { patchGrid } from "../src/flow/patches.js";
import {
  besides,
  type Family,
  families,
  fileOf,
  goldensOf,
  inputsOf,
  isScaleFree,
  type Spelling,
  targetOf,
} from "./collection/collection.js";
import { distance, sampleOf } from "./support/program.js";

const METHODS = ["transformer-attribution", "generic-attention", "attention-rollout", "gradient-x-input"] as const;
type MethodId = (typeof METHODS)[number];

/** How far float32 may be from the golden. `float32Noise` is what noise of 6e-8 on the weights does in float64. */
function bound({ float32Noise }: Family, { compare, spelling }: Spelling, method: MethodId): number {
  const attribution = method === "transformer-attribution";
  if (compare === "half") return attribution ? 0.1 : 2e-3;
  // Activations are rounded to 8 bits here: a value on the edge of a step falls to either side.
  if (spelling.endsWith("+qdq")) return 0.2;
  return attribution ? Math.max(2e-4, 20 * float32Noise.map) : 1e-5;
}

for (const family of families)
  describe(family.family, () => {
    const goldens = goldensOf(family);
    test.each(family.spellings.map((s) => [s.spelling, s.file] as const))("%s: which token stands where", (_, file) => {
      for (const { explains, prefix, grid } of family.maps) {
        const { tokens } = compile(fileOf(file), { method: "raw-attention", explains, output: family.output }).report
          .metadata!;
        expect(tokens!.prefix).toBe(prefix);
        const [, , height, width] = family.inputs.find(({ name }) => name === explains)!.shape;
        const found = height && width ? patchGrid(tokens!, { height, width }) : tokens!.grid;
        expect(found ?? null).toEqual(grid ?? null);
      }
    });
    // Attribution needs every operator and rule; the cheaper methods need no more than two spellings of a family.
    for (const [i, spelling] of family.spellings.entries())
      for (const method of i < 2 ? METHODS : METHODS.slice(0, 1)) {
        if (method === "gradient-x-input" && isScaleFree(family)) continue;
        test(`${spelling.spelling}: ${method}`, async () => {
          for (const { explains, suffix } of family.maps) {
            const cases = family.targets.map((_, c) => goldens.get(nameOf(spelling, method, suffix, c)));
            if (cases.every((golden) => !golden)) continue;
            const options = { method, explains, output: family.output };
            const rows = await relevanceOf(family, spelling, options, goldens);
            for (const [c, golden] of cases.entries())
              if (golden)
                expect(distance(rows[c]!, golden.values), `case ${c}, ${explains}`).toBeLessThanOrEqual(
                  bound(family, spelling, method),
                );
          }
        });
      }
  });

/** Rollout has no target; its golden is the walk from the read-out of case 0. */
function nameOf({ own }: Spelling, method: MethodId, suffix: string, c: number): string {
  const prefix = own === undefined ? "" : `${own}.`;
  if (method === "attention-rollout") return c === 0 ? `${prefix}${method}${suffix}` : "";
  return `${prefix}case${c}.${method}${suffix}`;
}

/** The maps of all cases. */
async function relevanceOf(
  family: Family,
  spelling: Spelling,
  options: { method: MethodId; explains: string; output: string },
  goldens: ReadonlyMap<string, NumberArray>,
): Promise<number[][]> {
  const { bytes, report } = compile(fileOf(spelling.file), options);
  const types = new Map(report.inputs.map((i) => [i.name, i.type]));
  const feeds: Arrays = Object.fromEntries(
    Object.entries(inputsOf(family, goldens)).map(([name, { values, dims, type }]) => [
      name,
      array(types.get(name) ?? type, values, dims),
    ]),
  );
  const session = await open(bytes, true, besides(spelling));
  const cases: number[][] = [];
  for (const target of family.targets) {
    const all = { ...feeds, target: targetOf(target) };
    const samples = spelling.batch === 1 ? target.map((_, i) => sampleOf(all, i)) : [all];
    const rows: number[] = [];
    for (const sample of samples) rows.push(...(await session.run(sample, ["relevance"])).relevance!.values);
    cases.push(rows);
  }
  await session.release();
  return cases;
}
