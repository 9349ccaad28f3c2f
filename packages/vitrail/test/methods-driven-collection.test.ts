/** The gradient program in every family: what it copies says the same, and one step of the path is gradient x input. */
import { describe, expect, test } from "vitest";
import { array, open } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { POINT, SCORES, SHIFT } from "../src/methods/gradient-program.js";
import { prepare } from "../src/prepare.js";
import { families, fileOf, goldensOf, inputsOf, isScaleFree, targetOf } from "./collection/collection.js";
import { drivenExplainer, toFeeds } from "./support/driven.js";
import { distance } from "./support/program.js";

for (const family of families)
  describe(family.family, () => {
    const goldens = goldensOf(family);
    const { explains } = family.maps[0]!;
    const target = family.targets[0]! as number[][];
    const choice = { explains, output: family.output };
    // Scales that are found at run time are those of a batch: there, no sample is its own batch.
    const spellings = family.spellings
      .filter((s, i) => i < 2 || s.spelling.includes("fused") || s.compare === "half")
      .filter((s) => s.batch !== 1 && s.compare !== "correlation");

    test.each(spellings.map((s) => [s.spelling, s] as const))("%s", async (_, spelling) => {
      const bytes = fileOf(spelling.file);
      const program = compile(bytes, { method: "gradient-x-input", ...choice });
      const types = new Map(program.report.inputs.map((i) => [i.name, i.type]));
      const inputs = Object.fromEntries(
        Object.entries(inputsOf(family, goldens)).map(([n, a]) => [n, array(types.get(n) ?? a.type, a.values, a.dims)]),
      );
      const session = await open(program.bytes, true);
      const outputs = await session.run({ ...inputs, target: targetOf(target) });
      await session.release();

      const half = spelling.compare === "half";
      const { original, toRun, driving } = prepare(bytes, { method: "smooth-grad", ...choice });
      const { embeddings, target: weights } = driving!.program!;
      if (embeddings) {
        const logits = outputs[family.output]!;
        const dims = [...inputs[explains]!.dims, embeddings.width];
        const zeros = (d: readonly number[]) => Array.from({ length: d.reduce((a, c) => a * c) }, () => 0);
        const second = await open(toRun!(original), true);
        const shifted = await second.run({
          ...inputs,
          [weights]: array("float32", zeros(logits.dims), logits.dims),
          [SHIFT]: array("float32", zeros(dims), dims),
        });
        await second.release();
        expect(distance(shifted[SCORES]!.values, logits.values)).toBeLessThan(half ? 2e-2 : 1e-4);
        expect(shifted[POINT]!.dims).toEqual(dims);
      }

      const options = { method: "integrated-gradients", steps: 1, rule: "right", ...choice };
      const { explainer } = await drivenExplainer(bytes, options);
      const explanation = await explainer.explain(toFeeds(inputs), { target });
      await explainer.close();
      const found = target.flatMap((_, i) => [...explanation.toTokens(i)]);
      expect(found.every(Number.isFinite)).toBe(true);
      if (!isScaleFree(family)) expect(distance(found, outputs.relevance!.values)).toBeLessThan(half ? 2e-2 : 2e-3);
    });
  });
