/** What is fed is looked at before the model runs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ValueReport } from "../src/report.js";
import { checkFeeds } from "../src/runtime/feed.js";
import { tensor } from "../src/runtime/tensor.js";
import { toFloat16 } from "../src/tensor/half.js";

const input = (name: string, type: ValueReport["type"]): ValueReport => ({ name, type, dims: ["batch", 3] });
const makers = {
  float32: (values: readonly number[]) => tensor(Float32Array.from(values), [values.length / 3, 3]),
  float64: (values: readonly number[]) => tensor(Float64Array.from(values), [values.length / 3, 3]),
  float16: (values: readonly number[]) =>
    tensor(Uint16Array.from(values, toFloat16), [values.length / 3, 3], "float16"),
};
const types = Object.keys(makers) as (keyof typeof makers)[];
const finite = fc.integer({ min: -1000, max: 1000 });
const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

test("every sample with a value that is no number is named, and no other", () =>
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.array(fc.array(fc.oneof({ weight: 6, arbitrary: finite }, odd), { minLength: 3, maxLength: 3 }), {
        minLength: 1,
        maxLength: 4,
      }),
      (type, rows) => {
        const feeds = { x: makers[type](rows.flat()) };
        const found = checkFeeds([input("x", type)], feeds, "x");
        const bad = rows.flatMap((row, sample) => (row.every(Number.isFinite) ? [] : [sample]));
        expect(found.map(({ code }) => code)).toEqual(bad.map(() => "E072"));
        if (rows.length > 1) expect(found.map(({ why }) => Number(/of sample (\d+)/.exec(why!)![1]))).toEqual(bad);
      },
    ),
  ));

test("infinity is allowed in what is not explained, as masks hold it; NaN is not", () => {
  for (const type of types) {
    const check = (value: number) =>
      checkFeeds(
        [input("x", type), input("mask", type)],
        { x: makers[type]([1, 2, 3]), mask: makers[type]([0, value, 0]) },
        "x",
      );
    expect(check(Number.NEGATIVE_INFINITY), type).toEqual([]);
    expect(check(Number.NaN), type).toMatchObject([{ code: "E072", at: 'input "mask"', why: "1 of 3 values are NaN" }]);
  }
});
