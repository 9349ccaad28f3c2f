import {
  drawExplanation,
  drawSheet,
  formatNumber,
  type GridMap,
  keepSign,
  onSource,
  type Rectangle,
  type RgbRaster,
  summarize,
} from "@vitrail/picture";
import type { Grid, Region } from "vitrail/node";
import { percent } from "../explain/prediction.js";
import { subjectOf, titleOf } from "../explain/title.js";
import type { Answer } from "../explain/work.js";
import type { PictureSample } from "../input/picture-sample.js";
import type { View } from "./view.js";

/** The map of a picture model's answer; undefined where the model does not say how its tokens lie on the picture. */
export function gridOf({ explanation, row }: Answer): Grid | undefined {
  return explanation.toGrid(row);
}

/** Where a map lies on a picture as it was given: over what the model's patches see of it. */
export const placeOf = ({ geometry }: PictureSample, region: Region | undefined): Rectangle =>
  region ? onSource(geometry, region) : geometry.rectangle;

/** One plain sentence: how much of the evidence lies where. */
export function sentenceOf(answer: Answer): string {
  const grid = gridOf(answer);
  if (!grid) return "";
  const unit = answer.explanation.metadata.relevance.kind === "input" ? (["pixel", "pixels"] as const) : undefined;
  return summarize(grid, { label: subjectOf(answer), ...(unit && { unit }) }).sentence;
}

/** "platelet  97.1 %" */
export function captionOf(answer: Answer): string {
  const { chosen, scores } = answer;
  if (chosen.kind === "contrast" || chosen.kind === "token") return titleOf(answer);
  if (chosen.kind === "similar") return `${titleOf(answer)}  ${chosen.similarity.toFixed(2)}`;
  const { probability, logit } = scores[chosen.class]!;
  return `${titleOf(answer)}  ${probability === undefined ? logit.toPrecision(4) : percent(probability)}`;
}

/** The picture with one answer's map over it, legend and caption. */
export function drawAnswer(answer: Answer, view: View, provenance?: string): Promise<Buffer> {
  const sample = answer.sample as PictureSample;
  const panel = { title: captionOf(answer), map: keepSign(gridOf(answer)!, view.sign) };
  const { overlay, scale } = view;
  const rectangle = placeOf(sample, gridOf(answer)!.region);
  return encodePng(
    drawExplanation(sample.raster, panel, {
      overlay,
      scale: { mode: "map", ...scale },
      rectangle,
      caption: sentenceOf(answer),
      ...(provenance && { provenance }),
    }),
  );
}

/** All answers for one picture side by side, on one scale; with neither name nor provenance where a page says them. */
export function drawAnswers(answers: readonly Answer[], view: View, provenance?: string): Promise<Buffer> {
  const sample = answers[0]!.sample as PictureSample;
  const panels = answers.map((answer) => {
    const map = keepSign(gridOf(answer)!, view.sign);
    return { title: captionOf(answer), subtitle: `strongest ${formatNumber(strongest(map))}`, map };
  });
  const { overlay, scale } = view;
  const rectangle = placeOf(sample, gridOf(answers[0]!)!.region);
  const faint = scale.mode === undefined || scale.mode === "set" ? faintNote(answers, panels) : "";
  const caption = [...answers.map(sentenceOf), faint].join(" ").trim();
  return encodePng(
    drawSheet(sample.raster, panels, {
      ...(provenance && { title: sample.name, provenance }),
      overlay,
      scale,
      rectangle,
      caption,
    }),
  );
}

const strongest = ({ values }: GridMap): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** What is much weaker than the rest cannot be seen on their scale: that is said rather than left to guess. */
function faintNote(answers: readonly Answer[], panels: readonly { map: GridMap }[]): string {
  const heights = panels.map(({ map }) => strongest(map));
  const faint = answers.filter((_, index) => heights[index]! < 0.1 * Math.max(...heights)).map(titleOf);
  if (faint.length === 0) return "";
  return `On this scale ${faint.join(" and ")} can hardly be seen: --normalize map gives every map its own.`;
}

export async function encodePng({ width, height, channels, data }: RgbRaster): Promise<Buffer> {
  const { default: sharp } = await import("sharp");
  return sharp(data, { raw: { width, height, channels } })
    .png({ compressionLevel: 9, adaptiveFiltering: true })
    .toBuffer();
}
