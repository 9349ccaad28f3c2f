/** How far the outputs of two runs are apart. */
import { expect, test } from "vitest";
import { tensor } from "vitrail/node";
import { largestDifference, SAME, sameAnswer } from "../src/doctor/same-answer.js";

const outputs = (...values: number[]) => ({ y: tensor(Float32Array.from(values), [values.length]) });

test("as a share of the output's largest value; whole numbers and outputs that only one has do not count", () => {
  expect(largestDifference(outputs(1, -4), outputs(1, -4))).toBe(0);
  expect(largestDifference(outputs(1, -4), outputs(2, -4))).toBe(0.25);
  expect(largestDifference(outputs(0, 0), outputs(0, 0.5))).toBe(0.5);
  expect(
    largestDifference({ ids: tensor(BigInt64Array.of(1n), [1]) }, { ids: tensor(BigInt64Array.of(9n), [1]) }),
  ).toBe(0);
  expect(largestDifference(outputs(1), {})).toBe(0);
});

test("said with its figure, and otherwise where it is more than rounding", () => {
  expect(sameAnswer({ inputs: 3, apart: 2e-7 })).toMatch(/answers as the file alone .*2e-7/);
  expect(sameAnswer({ inputs: 3, apart: SAME * 2 })).toMatch(/2\.0 % off .*--optimisation none/);
});
