/** The planted benchmark as data sets with names: pictures and sentences as samples, made from nothing but a seed. */
import type { PictureSample, Region } from "../data/picture-sample.js";
import type { TextSample } from "../data/text-rows.js";
import type { Seed } from "../random.js";
import { cueMask, drawScene, evidenceMask, objectMask } from "./draw.js";
import { type Cue, plantScene, type SceneOptions, sceneSize, shortcutClass } from "./scene.js";
import { plantSentence, sentenceClasses } from "./sentence.js";
import { pictureClasses } from "./shape.js";

interface PlantedSetOf<Kind, Sample> {
  readonly kind: Kind;
  readonly title: string;
  /** The sample with this number, or none where the number holds nothing that could be explained. */
  sample(seed: Seed, index: number): Sample | undefined;
}

export type PlantedSet = PlantedSetOf<"picture", PictureSample> | PlantedSetOf<"text", TextSample>;

/** By name; the command line's `--data` takes these names. */
export const plantedSets: Readonly<Record<string, PlantedSet>> = {
  "planted-shapes": {
    kind: "picture",
    title: "planted pictures: the evidence of each class that holds",
    sample: (seed, index) => plantedPicture(seed, index),
  },
  "planted-shortcut": {
    kind: "picture",
    title: "planted pictures without a striped circle, but with the stain that the shortcut model takes for one",
    sample: (seed, index) => plantedPicture(seed, index, { cue: "without-class" }),
  },
  "planted-sentences": {
    kind: "text",
    title: "planted praise and complaints: the words that decide",
    sample: plantedText,
  },
};

/** `count` samples of a set, from number 0 on. */
export function plantedSamples<Sample>(
  set: { sample(seed: Seed, index: number): Sample | undefined },
  seed: Seed,
  count: number,
): Sample[] {
  const samples: Sample[] = [];
  for (let index = 0; samples.length < count; index++) {
    const sample = set.sample(seed, index);
    if (sample !== undefined) samples.push(sample);
  }
  return samples;
}

/** None of these seeds was used in training, whatever `seed` is. */
const seedOf = (seed: Seed, index: number) => `evaluate-${seed}-${index}`;

function plantedPicture(seed: Seed, index: number, options: SceneOptions = {}): PictureSample | undefined {
  const scene = plantScene(seedOf(seed, index), options);
  const present = [...scene.labels.keys()].filter((label) => scene.labels[label]);
  const labelOf = (label: number) => pictureClasses[label]!.label;
  const region = (label: number, places: readonly Cue[], data: () => Uint8Array): Region => ({
    label: labelOf(label),
    boxes: places.map(({ x, y, diameter }) => ({
      x: x - diameter / 2,
      y: y - diameter / 2,
      width: diameter,
      height: diameter,
    })),
    mask: async () => ({ width: sceneSize, height: sceneSize, data: data() }),
  });
  const evidence = present.map((label) => {
    const objects = scene.objects.filter((object) => object.class === label);
    return region(label, objects, () => evidenceMask(scene, label));
  });
  const stain = scene.cue && region(shortcutClass, [scene.cue], () => cueMask(scene));
  if (options.cue ? !stain : evidence.length === 0) return undefined;
  const size = { width: sceneSize, height: sceneSize };
  return {
    id: `scene-${index}`,
    pixels: async () => ({ ...size, channels: 3, data: drawScene(scene) }),
    parts: scene.objects.map((_, object) => ({
      mask: () => ({ ...size, data: objectMask(scene, object) }),
      without: () => ({ ...size, channels: 3, data: drawScene(scene, { withoutObject: object }) }),
    })),
    labels: present.map(labelOf),
    regions: stain ? [stain] : evidence,
  };
}

/** Neutral sentences hold no evidence. */
function plantedText(seed: Seed, index: number): TextSample | undefined {
  const { text, label, spans } = plantSentence(seedOf(seed, index));
  return label === 0 ? undefined : { id: `sentence-${index}`, text, label: sentenceClasses[label]!, spans };
}
