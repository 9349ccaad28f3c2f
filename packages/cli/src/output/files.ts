import { join } from "node:path";
import type { DocumentContext } from "../explain/document.js";
import { fileTarget, toDocument } from "../explain/document.js";
import type { Answer } from "../explain/work.js";
import { isPicture } from "../input/picture-sample.js";
import { problem } from "../problem.js";
import { version } from "../version.js";
import { prettyJson } from "./json.js";
import { fileStem } from "./name.js";
import { encodeNpy } from "./npy.js";
import { drawAnswer, drawAnswers, gridOf } from "./picture.js";
import type { View } from "./view.js";
import { writeWhole } from "./write.js";

export const formats = ["png", "json", "npy"] as const;
export type Format = (typeof formats)[number];

export function readFormats(text: string): Format[] {
  const wanted = text.split(",").map((part) => part.trim().toLowerCase());
  const unknown = wanted.filter((format) => !formats.includes(format as Format));
  if (unknown.length === 0) return wanted as Format[];
  const why = `${unknown.join(", ")} is not one of the formats`;
  throw problem("E080", { at: `--format ${text}`, why, try: `a list of ${formats.join(", ")}` });
}

export interface OutputPlan {
  folder: string;
  formats: readonly Format[];
  view: View;
  context: DocumentContext;
}

/** Writes the files of one sample's answers and gives their paths. */
export async function writeAnswers(answers: readonly Answer[], plan: OutputPlan): Promise<string[]> {
  const { folder, context } = plan;
  const { stem } = answers[0]!.sample;
  const files: (readonly [string, Uint8Array | string])[] = [];
  for (const answer of answers) {
    const name = fileStem(stem, context.method.id, fileTarget(answer));
    for (const format of plan.formats) {
      const data = await encodeAnswer(answer, format, plan);
      if (data !== undefined) files.push([join(folder, `${name}.${format}`), data]);
    }
  }
  if (answers.length > 1 && plan.formats.includes("png") && answers.every(canDraw)) {
    const name = `${fileStem(stem, context.method.id)}__sheet.png`;
    files.push([join(folder, name), await drawAnswers(answers, plan.view, provenance(answers[0]!, plan))]);
  }
  for (const [path, data] of files) await writeWhole(path, data);
  return files.map(([path]) => path);
}

async function encodeAnswer(
  answer: Answer,
  format: Format,
  plan: OutputPlan,
): Promise<Uint8Array | string | undefined> {
  if (format === "json") return `${prettyJson(toDocument(answer, plan.context))}\n`;
  if (format === "png") {
    return canDraw(answer) ? drawAnswer(answer, plan.view, provenance(answer, plan)) : undefined;
  }
  const { explanation, row } = answer;
  return encodeNpy(explanation.toTokens(row), explanation.relevance.dims.slice(1));
}

const canDraw = (answer: Answer): boolean => isPicture(answer.sample) && gridOf(answer) !== undefined;

function provenance({ sample, explanation }: Answer, { context }: OutputPlan): string {
  const { source } = explanation.metadata;
  const method = `${context.method.title}${context.method.classSpecific ? "" : " (not class-specific)"}`;
  return `${sample.name} · ${context.model.name} ${source.sha256.slice(0, 12)} · ${method} · vitrail ${version}`;
}
