import { expect, test } from "vitest";
import { tensor } from "vitrail/node";
import { groupByShape, row, stack } from "../src/explain/sample.js";

const picture = (value: number, size = 2) => ({ x: tensor(new Float32Array(size).fill(value), [1, size]) });

test("only equal shapes share a run, up to the limit", () => {
  const items = [picture(1), picture(2, 3), picture(3), picture(4), picture(5)];
  const groups = groupByShape(items, (item) => item, 2);
  expect(groups.map((group) => group.map(({ x }) => x.data[0]))).toEqual([[1, 3], [2], [4, 5]]);
});

test("a batch is its samples one after another; a fixed batch is filled up", () => {
  const batch = stack([picture(1), picture(2)], 3);
  expect(batch.x!.dims).toEqual([3, 2]);
  expect([...batch.x!.data]).toEqual([1, 1, 2, 2, 2, 2]);
  expect([...row(batch, 1).x!.data]).toEqual([2, 2]);
  expect(row(batch, 1).x!.dims).toEqual([1, 2]);
});

test("integers keep their type", () => {
  const ids = { ids: tensor(BigInt64Array.of(1n, 2n), [1, 2]) };
  expect(stack([ids, ids]).ids!.data).toEqual(BigInt64Array.of(1n, 2n, 1n, 2n));
});
