/**
 * The shipped models with the cases that their explanations are measured on: test crops with boxes, planted pictures and
 * sentences with exact truth, toxic sentences with gold spans. A case's input is a set of feeds of batch one.
 */
import { readFileSync } from "node:fs";
import sharp from "sharp";
import {
  normaliser,
  pictureCases,
  pictureSubject,
  sentenceCases,
  textSubject,
} from "../packages/evaluation/dist/index.js";
import { createTokenizer } from "../packages/text/dist/index.js";

const models = new URL("../models/", import.meta.url);
const read = (path) => readFileSync(new URL(path, models));
const json = (path) => JSON.parse(read(path));
const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));

const picture = (planes) => ({ pixel_values: { type: "float32", data: planes, dims: [1, 3, 96, 96] } });
const ids = (list) => ({ type: "int64", data: BigInt64Array.from(list, BigInt), dims: [1, list.length] });
const sentence = (list) => ({ input_ids: ids(list), attention_mask: ids(list.map(() => 1)) });

async function bloodCells() {
  const split = json("blood-cells/test-split/crops.json");
  const { image_mean, image_std } = json("blood-cells/preprocessor_config.json");
  const { tile, columns, side, labels } = split;
  const sheet = await sharp(read(`blood-cells/test-split/${split.sheet}`))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const normalise = normaliser(image_mean, image_std);
  const subjectOf = (i) => {
    const pixels = new Float32Array(3 * tile * tile);
    const [left, top] = [(i % columns) * tile, Math.floor(i / columns) * tile];
    for (let y = 0; y < tile; y++)
      for (let x = 0; x < tile; x++)
        for (let c = 0; c < 3; c++)
          pixels[(c * tile + y) * tile + x] = sheet.data[((top + y) * sheet.info.width + left + x) * 3 + c] / 255;
    const toInput = (planes) => picture(normalise(planes));
    return pictureSubject({ pixels, channels: 3, height: tile, width: tile, grid: [tile / 8, tile / 8], toInput });
  };
  const box = ({ box: [x0, y0, x1, y1] }) => {
    const scale = tile / side;
    return { x: x0 * scale, y: y0 * scale, width: (x1 - x0) * scale, height: (y1 - y0) * scale };
  };
  return split.crops.flatMap((crop, i) => {
    const present = [...labels.keys()].filter((target) => crop.labels[labels[target]] === "present");
    if (present.length === 0) return [];
    const subject = subjectOf(i);
    return present.map((target) => {
      const boxes = crop.boxes.filter((b) => b.label === labels[target]).map(box);
      return {
        id: `${crop.photo}-${crop.crop}-${target}`,
        group: crop.photo,
        subject,
        target,
        label: present,
        truth: { boxes },
      };
    });
  });
}

function toxicSentences() {
  const tokenizer = createTokenizer(
    json("toxic-sentences/tokenizer.json"),
    json("toxic-sentences/tokenizer_config.json"),
  );
  const lines = read("toxic-sentences/test-split/sentences.jsonl")
    .toString()
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l));
  return lines
    .filter(({ label }) => label === 1)
    .map(({ id, text, spans }) => {
      const { tokens } = tokenizer.tokenize(text);
      const subject = textSubject({
        ids: tokenizer.arrange(tokens).tokens.map((token) => token.id),
        units: tokens.map((_, i) => i + 1),
        toInput: sentence,
      });
      const mask = Uint8Array.from(tokens, ({ start, end }) => Number(spans.some(([a, z]) => start < z && end > a)));
      return { id, subject, target: 1, label: 1, truth: { mask } };
    });
}

/** Per model: how many numbers of the map are special tokens in front, how logits become probabilities, and the cases. */
export const benches = {
  "blood-cells": { activation: "sigmoid", cases: bloodCells },
  "planted-shapes": {
    activation: "sigmoid",
    cases: () => times(150, (i) => pictureCases(`stability-${i}`, {}, picture)).flat(),
  },
  "planted-shortcut": {
    activation: "sigmoid",
    cases: () => times(250, (i) => pictureCases(`stability-${i}`, { cue: "without-class" }, picture)).flat(),
  },
  "planted-sentences": {
    activation: "softmax",
    cases: () => times(300, (i) => sentenceCases(`stability-${i}`, {}, sentence)).flat(),
  },
  "toxic-sentences": { activation: "softmax", cases: toxicSentences },
};

export const modelFile = (name) => read(`${name}/onnx/model.onnx`);
