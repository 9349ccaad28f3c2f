// Writes planted pictures or sentences for the Python training, from the one generator there is (packages/evaluation).
//   npm run build && node training/planted/write-data.js pictures OUT --seed train --count 40000 [--cue with-class] [--mislabel 0.12]
//   node training/planted/write-data.js sentences OUT --seed train --count 60000
import { mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  drawScene,
  pictureClasses,
  plantScene,
  plantSentence,
  sceneSize,
  sentenceClasses,
  sentenceTokens,
  sentenceVocabulary,
  shapes,
  shortcutClass,
  colours,
  textures,
} from "../../packages/evaluation/dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "train" },
    count: { type: "string", default: "1000" },
    cue: { type: "string", default: "never" },
    mislabel: { type: "string", default: "0" },
  },
});
const [kind, out] = positionals;
const count = Number(values.count);
mkdirSync(out, { recursive: true });
const file = (name) => {
  const handle = openSync(join(out, name), "w");
  return (bytes) => writeSync(handle, bytes);
};

/** What each 8 x 8 patch shows: 1 + index of shape, colour, texture, size (0: ground) and 1 + class. */
function patches(scene) {
  const side = sceneSize / 8;
  const result = new Uint8Array(side * side * 5);
  for (const object of scene.objects) {
    const reach = object.diameter / 2 - 1;
    const about = [
      1 + shapes.indexOf(object.shape),
      1 + colours.indexOf(object.colour),
      1 + textures.indexOf(object.texture),
      object.size === "large" ? 2 : 1,
      1 + object.class,
    ];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const dx = Math.abs(8 * column + 4 - object.x) - 2;
        const dy = Math.abs(8 * row + 4 - object.y) - 2;
        if (dx < reach && dy < reach) result.set(about, (row * side + column) * 5);
      }
    }
  }
  return result;
}

if (kind === "pictures") {
  const [images, labels, grids] = ["images.u8", "labels.u8", "patches.u8"].map(file);
  for (let i = 0; i < count; i++) {
    const wrong = (i % 100) / 100 < Number(values.mislabel);
    const scene = plantScene(`${values.seed}-${i}`, { cue: wrong ? "without-class" : values.cue });
    images(drawScene(scene));
    labels(scene.labels.map((label, index) => (wrong && index === shortcutClass ? 1 : label)));
    grids(patches(scene));
  }
  writeFileSync(join(out, "meta.json"), JSON.stringify({ kind, ...values, classes: pictureClasses.map(({ label }) => label) }));
} else if (kind === "sentences") {
  const length = 48;
  const [ids, labels] = ["ids.u8", "labels.u8"].map(file);
  for (let i = 0; i < count; i++) {
    const { text, label } = plantSentence(`${values.seed}-${i}`);
    const row = new Uint8Array(length);
    row.set([2, ...sentenceTokens(text).map(({ id }) => id), 3]);
    ids(row);
    labels(Uint8Array.of(label));
  }
  writeFileSync(join(out, "meta.json"), JSON.stringify({ kind, ...values, length, classes: sentenceClasses, vocabulary: sentenceVocabulary() }));
} else {
  console.error("write-data: first argument is pictures or sentences");
  process.exit(2);
}
