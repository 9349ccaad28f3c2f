/** A read-out that the caller names replaces the one that was found. */
import { expect, test } from "vitest";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { distance, explained, feedsOf, targets } from "./support/program.js";

const style = { depth: 2, gain: 1, seed: 3 };
const feeds = { ...feedsOf(style, 2), ...targets(1, 4) };
const method = "generic-attention";
const maps = (readout?: string) => explained(vit(style), { method, ...(readout && { readout }) }, feeds);

test("the token that the head reads anyway changes nothing", async () => {
  const [found, named] = [await maps(), await maps("index:0")];
  for (const [i, row] of named.entries()) expect(distance(row, found[i]!)).toBeLessThan(1e-6);
  expect(compile(vit(style), { method, readout: "index:0" }).report.metadata!.readout).toBe("index:0");
});

test("a mean over tokens is the mean of their maps", async () => {
  const tokens = (await maps())[0]!.length;
  const each = await Promise.all(Array.from({ length: tokens }, (_, i) => maps(`index:${i - tokens}`)));
  const mean = await maps("mean");
  for (const [sample, row] of mean.entries()) {
    const expected = row.map((_, at) => each.reduce((sum, m) => sum + m[sample]![at]!, 0) / tokens);
    expect(distance(row, expected)).toBeLessThan(1e-5);
  }
});

test.each(["first", "index", "index:x", "mean:1:2:3"])("%s is not understood", (readout) => {
  expect(() => compile(vit(style), { readout })).toThrow(/E014/);
});
