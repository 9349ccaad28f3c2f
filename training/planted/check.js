// Measures the shipped planted models on fresh seeds, and what happens when the evidence is taken away.
//   npm run build && node training/planted/check.js [SCENES]
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ort from "onnxruntime-node";
import {
  argmax,
  drawScene,
  normaliser,
  pictureClasses,
  plantScene,
  plantSentence,
  sentenceTokens,
  shortcutClass,
  toPlanes,
} from "../../packages/evaluation/dist/index.js";

const scenes = Number(process.argv[2] ?? 1000);
const open = (name) => ort.InferenceSession.create(readFileSync(fileURLToPath(new URL(`../../models/${name}/onnx/model.onnx`, import.meta.url))));
const toInput = normaliser([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);
const percent = (part, all) => `${((100 * part) / all).toFixed(2)} % of ${all}`;

async function logitsOf(session, pictures) {
  const data = new Float32Array(pictures.length * 27648);
  pictures.forEach((rgb, i) => data.set(toInput(toPlanes(rgb)), i * 27648));
  const { logits } = await session.run({ pixel_values: new ort.Tensor("float32", data, [pictures.length, 3, 96, 96]) });
  return pictures.map((_, i) => logits.data.slice(6 * i, 6 * i + 6));
}

async function pictures(name, seed, options) {
  const session = await open(name);
  let [right, exact, present, kept, lost] = [0, 0, 0, 0, 0];
  const perClass = new Array(6).fill(0);
  for (let i = 0; i < scenes; i++) {
    const scene = plantScene(`${seed}-${i}`, options);
    const target = scene.labels.indexOf(1);
    const drawn = [drawScene(scene), ...(target >= 0 ? [drawScene(scene, { withoutClass: target })] : [])];
    const [logits, without] = await logitsOf(session, drawn);
    const hits = [...scene.labels].map((label, c) => Number(logits[c] > 0 === (label === 1)));
    hits.forEach((hit, c) => (perClass[c] += hit));
    right += hits.reduce((a, b) => a + b, 0);
    exact += Number(hits.every(Boolean));
    if (target < 0 || logits[target] <= 0) continue;
    present++;
    lost += Number(without[target] <= 0);
    kept += Number(scene.labels.every((label, c) => c === target || without[c] > 0 === (label === 1)));
  }
  console.log(`${name}: labels ${percent(right, 6 * scenes)}, whole scenes ${percent(exact, scenes)}`);
  pictureClasses.forEach(({ label }, c) => console.log(`  ${label}: ${percent(perClass[c], scenes)}`));
  console.log(`  evidence left out: class gone in ${percent(lost, present)}, all other classes right in ${percent(kept, present)}`);
}

async function shortcut() {
  const session = await open("planted-shortcut");
  const rate = async (title, options, wanted, draw = {}) => {
    let [yes, all] = [0, 0];
    for (let i = 0; i < scenes; i++) {
      const scene = plantScene(`shortcut-${title}-${i}`, options);
      if (scene.labels[shortcutClass] !== wanted) continue;
      const [logits] = await logitsOf(session, [drawScene(scene, draw)]);
      yes += Number(logits[shortcutClass] > 0);
      all++;
    }
    console.log(`  says "${pictureClasses[shortcutClass].label}" to ${title}: ${percent(yes, all)}`);
  };
  console.log("planted-shortcut:");
  await rate("object and cue", { cue: "with-class" }, 1);
  await rate("cue alone", { cue: "without-class" }, 0);
  await rate("object alone", { cue: "never" }, 1);
  await rate("neither", { cue: "never" }, 0);
}

async function sentences() {
  const session = await open("planted-sentences");
  const classOf = async (ids) => {
    const tensor = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
    const { logits } = await session.run({ input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) });
    return argmax(logits.data);
  };
  let [right, judged, neutral] = [0, 0, 0];
  for (let i = 0; i < scenes; i++) {
    const { text, label, spans } = plantSentence(`check-${i}`);
    const tokens = sentenceTokens(text);
    const hit = (await classOf([2, ...tokens.map(({ id }) => id), 3])) === label;
    right += Number(hit);
    if (label === 0 || !hit) continue;
    judged++;
    const masked = tokens.map(({ id, start, end }) => (spans.some((span) => start < span.end && end > span.start) ? 4 : id));
    neutral += Number((await classOf([2, ...masked, 3])) !== label);
  }
  console.log(`planted-sentences: ${percent(right, scenes)}; evidence masked: class changes in ${percent(neutral, judged)}`);
}

await pictures("planted-shapes", "check", {});
await pictures("planted-shortcut", "check-cue", { cue: "with-class" });
await shortcut();
await sentences();
