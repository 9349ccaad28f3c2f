/** Planted pictures and sentences as cases: one per class that holds, with exact truth. */
import type { Case } from "../model.js";
import { normaliser, pictureSubject } from "../picture.js";
import type { Seed } from "../random.js";
import { textSubject } from "../text.js";
import { cueMask, drawScene, evidenceMask, objectMask } from "./draw.js";
import { plantScene, type SceneOptions, sceneSize, shortcutClass } from "./scene.js";
import { plantSentence, type Role, sentenceTokens } from "./sentence.js";
import { pictureClasses } from "./shape.js";

const patch = 8;

/** Rows of RGB bytes to planes of floats in [0, 1]. */
export function toPlanes(rgb: Uint8Array): Float32Array {
  const area = rgb.length / 3;
  return Float32Array.from({ length: rgb.length }, (_, i) => rgb[3 * (i % area) + Math.floor(i / area)]! / 255);
}

/** How the planted picture models read pixels. */
const plantedMean = [0.5, 0.5, 0.5];
export const plantedPlanes = normaliser(plantedMean, [0.5, 0.5, 0.5]);

/**
 * One case per class in the scene; with a cue, a case for the shortcut's class whose truth is the cue.
 * `toInput` makes the model's input from planes in [0, 1]; normalised planes when not said.
 */
export function pictureCases(seed: Seed, options?: SceneOptions): Case<Float32Array>[];
export function pictureCases<I>(seed: Seed, options: SceneOptions, toInput: (planes: Float32Array) => I): Case<I>[];
export function pictureCases(
  seed: Seed,
  options: SceneOptions = {},
  toInput: (planes: Float32Array) => unknown = plantedPlanes,
): Case<unknown>[] {
  const scene = plantScene(seed, options);
  const subject = pictureSubject({
    pixels: toPlanes(drawScene(scene)),
    channels: 3,
    height: sceneSize,
    width: sceneSize,
    grid: [sceneSize / patch, sceneSize / patch],
    neutral: plantedMean,
    toInput,
  });
  const parts = scene.objects.map((_, index) => ({
    mask: objectMask(scene, index),
    without: () => toInput(toPlanes(drawScene(scene, { withoutObject: index }))),
  }));
  const group = `scene-${seed}`;
  const label = [...scene.labels.keys()].filter((index) => scene.labels[index]);
  const box = ({ x, y, diameter }: { x: number; y: number; diameter: number }) => ({
    x: x - diameter / 2,
    y: y - diameter / 2,
    width: diameter,
    height: diameter,
  });
  if (scene.cue) {
    const truth = { mask: cueMask(scene), boxes: [box(scene.cue)] };
    return [{ id: `${group}-cue`, group, subject, parts, target: shortcutClass, label, truth }];
  }
  return label.map((target) => ({
    id: `${group}-${pictureClasses[target]!.label.replace(" ", "-")}`,
    group,
    subject,
    parts,
    target,
    label,
    truth: {
      mask: evidenceMask(scene, target),
      boxes: scene.objects.filter((object) => object.class === target).map(box),
    },
  }));
}

export interface SentenceCaseOptions {
  /** Which evidence counts as gold; all of it when not said. */
  readonly roles?: readonly Role[];
}

/** The case of a sentence, or none when it is neutral: nothing in it decides. `toInput` makes the input from ids; the ids when not said. */
export function sentenceCases(seed: Seed, options?: SentenceCaseOptions): Case<readonly number[]>[];
export function sentenceCases<I>(
  seed: Seed,
  options: SentenceCaseOptions,
  toInput: (ids: readonly number[]) => I,
): Case<I>[];
export function sentenceCases(
  seed: Seed,
  { roles = ["subject", "negation", "cue"] }: SentenceCaseOptions = {},
  toInput: (ids: readonly number[]) => unknown = (ids) => ids,
): Case<unknown>[] {
  const { text, label, spans } = plantSentence(seed);
  if (label === 0) return [];
  const tokens = sentenceTokens(text);
  const gold = spans.filter(({ role }) => roles.includes(role));
  const subject = textSubject({
    ids: [2, ...tokens.map(({ id }) => id), 3],
    units: tokens.map((_, i) => i + 1),
    mask: 4,
    toInput,
  });
  const mask = Uint8Array.from(tokens, ({ start, end }) =>
    Number(gold.some((span) => start < span.end && end > span.start)),
  );
  return [{ id: `sentence-${seed}`, subject, target: label, label, truth: { mask } }];
}
