/** LeGrad against its definition, in plain loops over the gradients of the last sites: blocks with a class token, and a pooling head. */
import { describe, expect, test } from "vitest";
import { open } from "../../../test/support/runtime.js";
import { append, compile } from "../src/compile.js";
import type { BuiltMethod } from "../src/methods/method.js";
import { resolveOptions } from "../src/options.js";
import { families, fileOf, goldensOf, inputsOf, targetOf } from "./collection/collection.js";
import { distance } from "./support/program.js";

/** The gradients of the attention of the last sites, one after the other, sample by sample. */
const gradients = (last: number): BuiltMethod => ({
  id: "gradients-of-attention",
  title: "",
  citation: "",
  needs: ["attention", "gradient"],
  classSpecific: true,
  kind: "tokens",
  signed: true,
  options: [],
  build: ({ b, analysis, view }) => {
    const parts = analysis.sites.slice(-last).map((site) => b.emit("Reshape", [view(site).gradient, b.ints([0, -1])]));
    return { relevance: b.concat(parts, 1), sites: analysis.sites };
  },
});

describe.each([
  ["siglip", 1, 1],
  ["vit", 1, 0],
  ["vit", 2, 0],
  ["dinov2", 2, 0],
])("%s, the last %i", (name, layers, pooling) => {
  const family = families.find((f) => f.family === name)!;
  const goldens = goldensOf(family);
  const { explains } = family.maps[0]!;
  const choice = { explains, output: family.output };

  test.each(family.spellings.slice(0, 2).map((s) => [s.spelling, s.file] as const))("%s", async (_, file) => {
    const bytes = fileOf(file);
    const programs = [
      compile(bytes, { method: "le-grad", layers, ...choice }),
      append(bytes, gradients(layers), resolveOptions(choice)),
    ];
    const feeds = { ...inputsOf(family, goldens), target: targetOf(family.targets[0]!) };
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
        const [heads, queries] = shape.slice(-3) as [number, number];
        // Only the query that is read was kept in the last block; the others have no gradient.
        const kept = left() === heads * tokens ? 1 : queries;
        for (let i = 0; i < heads * kept * tokens; i++, at++)
          expected[sample * tokens + (i % tokens)]! += Math.max(flat!.values[at]!, 0) / (heads * queries);
      }
      expect(at).toBe((sample + 1) * per);
    }
    expect(sites.at(-1)!.shape.at(-2)).toBe(pooling === 1 ? 1 : tokens);
    expect(distance(map!.values, expected)).toBeLessThan(1e-5);
  });
});
