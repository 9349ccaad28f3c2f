/**
 * The collection at other sizes than its goldens have: numbers of samples, lengths of texts; no relevance on padding; and
 * spellings of the same weights beside each other. By generic attention, whose float32 is good to a few 1e-7.
 */
import { describe, expect, test } from "vitest";
import { type Arrays, array, type NumberArray, open } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { elementCount } from "../src/tensor/tensor.js";
import {
  besides,
  type Family,
  families,
  fileOf,
  goldensOf,
  inputsOf,
  type Spelling,
  targetOf,
} from "./collection/collection.js";
import { distance } from "./support/program.js";

const BOUND = 1e-5;
/** The forward pass in float16: other numbers of samples are other orders of summation. */
const HALF_BOUND = 1e-2;

for (const family of families)
  describe(family.family, () => {
    const goldens = goldensOf(family);
    const maps = new Map<string, readonly number[]>();
    for (const spelling of family.spellings.filter(isDynamic))
      test(`${spelling.spelling} at other sizes`, async () => {
        const { explains } = family.maps[0]!;
        const options = { method: "generic-attention", explains, output: family.output };
        const { bytes, report } = compile(fileOf(spelling.file), options);
        const types = new Map(report.inputs.map((i) => [i.name, i.type]));
        const typed = (feeds: Arrays): Arrays =>
          Object.fromEntries(
            Object.entries(feeds).map(([name, a]) => [name, array(types.get(name) ?? a.type, a.values, a.dims)]),
          );
        const session = await open(bytes, true, besides(spelling));
        const run = async (feeds: Arrays) => (await session.run(typed(feeds), ["relevance"])).relevance!;
        const target = targetOf(family.targets[0]!);
        const together: Arrays = { ...inputsOf(family, goldens), target };
        const reference = await run(together);
        const bound = spelling.compare === "half" ? HALF_BOUND : BOUND;
        if (spelling.compare === "exact") maps.set(spelling.spelling, reference.values);

        // The rows of the explained output are samples of the explained input: in image-text models, of the picture.
        const batched = sampleInputs(family);
        for (const which of [[0], [1], [1, 0, 1]]) {
          const { values } = await run(samplesOf(together, which, batched));
          const expected = samples(reference, which).values;
          expect.soft(distance(values, expected), `samples ${which.join(", ")}`).toBeLessThan(bound);
        }
        const mask = together.attention_mask;
        if (mask && batched.has("attention_mask")) {
          const onPadding = reference.values.filter((_, i) => mask.values[i] === 0);
          expect.soft(onPadding, "relevance on padding").toEqual(onPadding.map(() => 0));
          // The second sample without its padding.
          const length = samples(mask, [1]).values.indexOf(0);
          const { target: own, ...feeds } = samplesOf(together, [1], batched);
          const short = Object.fromEntries(Object.entries(feeds).map(([name, a]) => [name, cut(a, length)]));
          const { dims, values } = await run({ ...short, target: own! });
          expect.soft(dims, "a shorter text").toEqual([1, length]);
          expect
            .soft(distance(values, cut(samples(reference, [1]), length).values), "a shorter text")
            .toBeLessThan(bound);
        }
        await session.release();
      });

    test("spellings of the same weights agree", () => {
      const [first, ...others] = maps;
      for (const [name, values] of others)
        expect.soft(distance(values, first![1]), `${name} and ${first![0]}`).toBeLessThan(2 * BOUND);
    });
  });

/** Integers of dynamic quantisation have one scale for the whole batch: a sample's map depends on its neighbours there. */
function isDynamic({ compare, notes, batch }: Spelling & { readonly notes?: readonly string[] }): boolean {
  return compare !== "correlation" && batch === undefined && !notes?.includes("fixed shapes");
}

/** Inputs that have as many samples as the explained output, and the target. */
function sampleInputs(family: Family): Set<string> {
  const own = family.inputs.find((i) => i.name === family.maps[0]!.explains)!;
  const alike = family.inputs.filter((i) => i.axes[0] === own.axes[0]);
  return new Set([...alike.map((i) => i.name), "target"]);
}
const samplesOf = (feeds: Arrays, which: readonly number[], names: ReadonlySet<string>): Arrays =>
  Object.fromEntries(Object.entries(feeds).map(([name, a]) => [name, names.has(name) ? samples(a, which) : a]));

/** The given samples, in the given order. */
function samples({ type, dims, values }: NumberArray, which: readonly number[]): NumberArray {
  const size = elementCount(dims.slice(1));
  const picked = which.flatMap((i) => values.slice(i * size, (i + 1) * size));
  return array(type, picked, [which.length, ...dims.slice(1)]);
}

/** The first positions of the only sample. */
const cut = ({ type, values }: NumberArray, length: number): NumberArray =>
  array(type, values.slice(0, length), [1, length]);
