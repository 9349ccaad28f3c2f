/** What the axes of the explained output mean: classes, tokens, or one number per sample. */
import { expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { array } from "../../../test/support/runtime.js";
import { vit } from "../../../test/support/vit.js";
import { families, fileOf, goldensOf, inputsOf } from "./collection/collection.js";
import { distance, explained, feedsOf, targets } from "./support/program.js";

const style = { depth: 2, gain: 1, seed: 3 };

/** The same model with the score of one class as a further output, one number per sample. */
function withScore(model: Uint8Array, index: number): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const at = m.weights([index], [], "int64", "score_index");
  m.output(m.op("Gather", ["logits", at], { axis: 1 }, ["score"]), "float32", ["batch"]);
  return Buffer.concat([model, m.bytes()]);
}

test("one number per sample is explained as the class it is, whatever the batch", async () => {
  const feeds = feedsOf(style, 3);
  for (const method of ["transformer-attribution", "generic-attention", "attention-rollout", "gradient-x-input"]) {
    const expected = await explained(vit(style), { method }, { ...feeds, ...targets(2, 2, 2) });
    const scored = await explained(
      withScore(vit(style), 2),
      { method, output: "score" },
      { ...feeds, ...targets(0, 0, 0) },
    );
    for (const [i, row] of scored.entries()) expect(distance(row, expected[i]!), method).toBeLessThan(1e-5);
  }
});

test("scores per token are read at the token that is explained, as weights and as an index", async () => {
  const family = families.find(({ family }) => family === "bert_qa")!;
  const feeds = inputsOf(family, goldensOf(family));
  const [model] = family.spellings.map(({ file }) => fileOf(file));
  const tokens = feeds.input_ids!.dims[1]!;
  const [a, b] = [5, 2];
  const hot = [a, b].flatMap((t) => Array.from({ length: tokens }, (_, i) => Number(i === t)));
  const rows = await explained(model!, {}, { ...feeds, ...targets(a, b) });
  const weighted = { ...feeds, target: array("float32", hot, [2, tokens]) };
  expect(await explained(model!, { target: "weights" }, weighted)).toEqual(rows);
  const other = await explained(model!, {}, { ...feeds, ...targets(a + 1, b) });
  expect(distance(other[0]!, rows[0]!)).toBeGreaterThan(0.1);
  expect(other[1]).toEqual(rows[1]);
});
