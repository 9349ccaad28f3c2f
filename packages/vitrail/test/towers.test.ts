/** Two towers explained by one compiled file: every output is what a file compiled for that tower alone gives. */
import { expect, test } from "vitest";
import { open } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { readMetadata } from "../src/metadata.js";
import { families, fileOf, goldensOf, inputsOf, targetOf } from "./collection/collection.js";

for (const name of ["clip", "siglip"])
  test(`${name}: both relevances come from one file`, async () => {
    const family = families.find(({ family }) => family === name)!;
    const inputs = ["pixel_values", "input_ids"];
    const model = fileOf(family.spellings[0]!.file);
    const both = compile(model, { explains: inputs });
    const [target] = family.targets;
    const feeds = { ...inputsOf(family, goldensOf(family)), target: targetOf(target!) };

    const metadata = readMetadata(both.bytes)!;
    expect(metadata.explains).toBe("pixel_values");
    expect(metadata.further!.map(({ explains, relevance }) => [explains, relevance.name])).toEqual([
      ["input_ids", "relevance_input_ids"],
    ]);
    const session = await open(both.bytes);
    const outputs = await session.run(feeds, ["relevance", "relevance_input_ids"]);
    await session.release();
    for (const [index, explains] of inputs.entries()) {
      const alone = compile(model, { explains });
      expect([metadata, ...metadata.further!][index]).toMatchObject({
        readout: alone.report.metadata!.readout,
        tokens: alone.report.metadata!.tokens,
        sites: alone.report.metadata!.sites,
      });
      const single = await open(alone.bytes);
      const { relevance } = await single.run(feeds, ["relevance"]);
      await single.release();
      const own = Object.values(outputs)[index]!;
      expect(own.dims).toEqual(relevance!.dims);
      expect(own.values).toEqual(relevance!.values);
      expect(Math.max(...own.values)).toBeGreaterThan(0);
    }
  });

test("an input that is not there is refused, also as the second", () => {
  const model = fileOf(families.find(({ family }) => family === "clip")!.spellings[0]!.file);
  expect(() => compile(model, { explains: ["pixel_values", "pixels"] })).toThrow(/E013[\s\S]*pixels/);
});
