/**
 * The segmentation test of the CVPR 2021 paper: the map, scaled to [0, 1] and cut at its mean, against the mask.
 *
 *   pixel accuracy = equal pixels / pixels, counted over the data set
 *   mIoU           = mean over {background, object} of intersection / union, counted over the data set
 *   mAP            = mean over pictures of the average precision of the scores (1 - map, map) for (background, object)
 */
import { locate } from "../location.js";
import { defineMetric, type Measurement, type Options, type Probe } from "../metric.js";
import { mean, normalise } from "../rank.js";
import { averagePrecision } from "./average-precision.js";

/** The counts of one picture: 1 marks the object. */
export function segmentationCounts(scores: ArrayLike<number>, truth: Uint8Array) {
  const map = normalise(scores);
  const threshold = mean(map);
  let both = 0;
  let found = 0;
  let marked = 0;
  for (let i = 0; i < map.length; i++) {
    const hit = map[i]! > threshold;
    if (hit) found++;
    if (truth[i]) marked++;
    if (hit && truth[i]) both++;
  }
  const neither = map.length - found - marked + both;
  return {
    equal: both + neither,
    pixels: map.length,
    objectBoth: both,
    objectEither: found + marked - both,
    groundBoth: neither,
    groundEither: map.length - both,
  };
}

/** Average precision over both classes at once, as the authors take it. */
export function twoClassPrecision(scores: ArrayLike<number>, truth: Uint8Array): number {
  const map = normalise(scores);
  const both = new Float32Array(2 * map.length);
  const marks = new Uint8Array(2 * map.length);
  for (let i = 0; i < map.length; i++) {
    both[i] = 1 - map[i]!;
    both[map.length + i] = map[i]!;
    marks[i] = truth[i] ? 0 : 1;
    marks[map.length + i] = truth[i] ? 1 : 0;
  }
  return averagePrecision(both, marks);
}

const total = (rows: readonly Measurement[], part: string) =>
  rows.reduce((all, row) => all + (row.parts?.[part] ?? 0), 0);
const share = (both: number, either: number) => (either > 0 ? both / either : 1);
const accuracy = (rows: readonly Measurement[]) => share(total(rows, "equal"), total(rows, "pixels"));
const meanIou = (rows: readonly Measurement[]) =>
  (share(total(rows, "objectBoth"), total(rows, "objectEither")) +
    share(total(rows, "groundBoth"), total(rows, "groundEither"))) /
  2;

const common = {
  citation:
    "Chefer, Gur, Wolf. Transformer Interpretability Beyond Attention Visualization. CVPR 2021 (ImageNet-Segmentation).",
  direction: "up",
  group: "localisation",
  needs: ["truth"],
  options: {},
} as const;

const counted = (figure: (rows: readonly Measurement[]) => number) => ({
  measure(probe: Probe<Options>): Measurement {
    const { scores, truth } = locate(probe);
    const parts = segmentationCounts(scores, truth);
    return { value: figure([{ value: 0, parts }]), parts };
  },
  summarise: figure,
});

export const segmentationAccuracy = defineMetric({
  ...common,
  id: "segmentation-accuracy",
  title: "Segmentation: pixel accuracy",
  ...counted(accuracy),
});

export const segmentationIou = defineMetric({
  ...common,
  id: "segmentation-miou",
  title: "Segmentation: mean IoU",
  ...counted(meanIou),
});

export const segmentationPrecision = defineMetric({
  ...common,
  id: "segmentation-map",
  title: "Segmentation: mean average precision",
  range: [0, 1],
  measure(probe) {
    const { scores, truth } = locate(probe);
    return { value: twoClassPrecision(scores, truth) };
  },
});
