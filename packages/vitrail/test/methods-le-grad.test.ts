/** LeGrad against its definition, in plain loops over the gradients of the last sites: blocks with a class token, and a pooling head. */
import { describe, expect, test } from "vitest";
import { open } from "../../../test/support/runtime.js";
import { append, compile } from "../src/compile.js";
import type { BuiltMethod } from "../src/methods/method.js";
import { resolveOptions } from "../src/options.js";
import { families, fileOf, goldensOf, inputsOf, targetOf } from "./collection/collection.js";
import { distance } from "./support/program.js";

/** The gradients of the attention of the last sites, one after the other, sample by sample. */
const gradients = (last: number, batch: number): BuiltMethod => ({
  id: "gradients-of-attention",
  title: "",
  citation: "",
  needs: ["attention", "gradient"],
  classSpecific: true,
  kind: "tokens",
  signed: true,
  options: [],
  build: ({ b, analysis, view }) => {
    const parts = analysis.sites
      .slice(-last)
      .map((site) => b.emit("Reshape", [view(site).gradient, b.ints([batch, -1])]));
    return { relevance: b.concat(parts, 1), sites: analysis.sites };
  },
});

describe.each([
  { name: "siglip", layers: 1, pooling: true },
  { name: "siglip", layers: 2, pooling: true },
  { name: "vit", layers: 1, pooling: false },
  { name: "vit", layers: 2, pooling: false },
  { name: "dinov2", layers: 2, pooling: false },
])("$name, the last $layers", ({ name, layers, pooling }) => {
  const family = families.find((f) => f.family === name)!;
  const goldens = goldensOf(family);
  const { explains } = family.maps[0]!;
  const choice = { explains, output: family.output };

  test.each(family.spellings.slice(0, 2).map((s) => [s.spelling, s.file] as const))("%s", async (_, file) => {
    const bytes = fileOf(file);
    const inputs = inputsOf(family, goldens);
    const feeds = { ...inputs, target: targetOf(family.targets[0]!) };
    const programs = [
      compile(bytes, { method: "le-grad", layers, ...choice }),
      append(bytes, gradients(layers, inputs[explains]!.dims[0]!), resolveOptions(choice)),
    ];
    const [map, flat] = await Promise.all(
      programs.map(async (program) => {
        const session = await open(program.bytes);
        const { relevance } = await session.run(feeds, ["relevance"]);
        await session.release();
        return relevance!;
      }),
    );
    const { sites } = programs[0]!.report;
    const [batch, tokens] = map!.dims as [number, number];
    const per = flat!.values.length / batch;
    const expected = Array.from({ length: batch * tokens }, () => 0);
    for (let sample = 0; sample < batch; sample++) {
      let at = sample * per;
      const left = () => (sample + 1) * per - at;
      for (const { shape } of sites.slice(-layers)) {
        const queries = shape.at(-2) as number;
        // Heads stand on an axis of their own, or with the samples on the first, as in "4*images".
        const heads = Number.parseInt(String(shape.at(-3)), 10);
        // Only the query that is read was kept in the last block; the others have no gradient.
        const kept = left() === heads * tokens ? 1 : queries;
        for (let i = 0; i < heads * kept * tokens; i++, at++)
          expected[sample * tokens + (i % tokens)]! += Math.max(flat!.values[at]!, 0) / (heads * queries);
      }
      expect(at).toBe((sample + 1) * per);
    }
    expect(sites.at(-1)!.shape.at(-2)).toBe(pooling ? 1 : tokens);
    expect(distance(map!.values, expected)).toBeLessThan(1e-5);
  });
});
