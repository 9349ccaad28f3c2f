import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import {
  argmax,
  drawScene,
  plantedPlanes,
  plantScene,
  plantSentence,
  type Scene,
  sentenceTokens,
  shortcutClass,
  toPlanes,
} from "../src/index.js";

const open = (name: string) =>
  InferenceSession.create(readFileSync(new URL(`../../../models/${name}/onnx/model.onnx`, import.meta.url)), {
    intraOpNumThreads: 1,
  });

async function says(session: InferenceSession, pictures: readonly Uint8Array[]): Promise<boolean[][]> {
  const size = 3 * 96 * 96;
  const data = new Float32Array(pictures.length * size);
  pictures.forEach((rgb, i) => {
    data.set(plantedPlanes(toPlanes(rgb)), i * size);
  });
  const { logits } = await session.run({ pixel_values: new Tensor("float32", data, [pictures.length, 3, 96, 96]) });
  const values = logits!.data as Float32Array;
  return pictures.map((_, i) => Array.from(values.slice(6 * i, 6 * i + 6), (logit) => logit > 0));
}

const share = (hits: readonly boolean[]) => hits.filter(Boolean).length / hits.length;
const scenes = (seed: string, count: number, options = {}): Scene[] =>
  Array.from({ length: count }, (_, i) => plantScene(`${seed}-${i}`, options));

it("the planted picture model sees what was planted, and no longer when it is taken away", async () => {
  const session = await open("planted-shapes");
  const drawn = scenes("model-test", 60);
  const answers = await says(
    session,
    drawn.map((scene) => drawScene(scene)),
  );
  const right = answers.flatMap((row, i) => row.map((yes, c) => yes === (drawn[i]!.labels[c] === 1)));
  expect(share(right)).toBeGreaterThan(0.96);
  const present = drawn.filter((scene) => scene.labels.includes(1));
  const without = await says(
    session,
    present.map((scene) => drawScene(scene, { withoutClass: scene.labels.indexOf(1) })),
  );
  expect(share(without.map((row, i) => !row[present[i]!.labels.indexOf(1)]))).toBeGreaterThan(0.9);
});

it("the shortcut model follows the cue where the object is missing", async () => {
  const session = await open("planted-shortcut");
  const alone = scenes("cue-test", 60, { cue: "without-class" }).filter(({ cue }) => cue);
  const [withCue, withoutCue] = await Promise.all(
    [false, true].map((withoutCue) =>
      says(
        session,
        alone.map((scene) => drawScene(scene, { withoutCue })),
      ),
    ),
  );
  expect(share(withCue!.map((row) => row[shortcutClass]!))).toBeGreaterThan(0.8);
  expect(share(withoutCue!.map((row) => row[shortcutClass]!))).toBeLessThan(0.1);
});

it("the planted sentence model reads the item, the judging word and the negation", async () => {
  const session = await open("planted-sentences");
  const classOf = async (ids: readonly number[]) => {
    const tensor = (values: readonly number[]) =>
      new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
    const { logits } = await session.run({ input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) });
    return argmax(logits!.data as Float32Array);
  };
  const hits: boolean[] = [];
  const changed: boolean[] = [];
  for (let i = 0; i < 120; i++) {
    const { text, label, spans } = plantSentence(`model-test-${i}`);
    const tokens = sentenceTokens(text);
    hits.push((await classOf([2, ...tokens.map(({ id }) => id), 3])) === label);
    if (label === 0) continue;
    const hidden = tokens.map(({ id, start, end }) =>
      spans.some((span) => start < span.end && end > span.start) ? 4 : id,
    );
    changed.push((await classOf([2, ...hidden, 3])) !== label);
  }
  expect(share(hits)).toBeGreaterThan(0.97);
  expect(share(changed)).toBeGreaterThan(0.4);
});
