import { join } from "node:path";
import { toCsv, toHtml, toSvg } from "@vitrail/text";
import { type DocumentContext, sourceOf, toDocument } from "../explain/document.js";
import { fileTarget, titleOf } from "../explain/title.js";
import type { Answer } from "../explain/work.js";
import { isPicture } from "../input/picture-sample.js";
import type { Source } from "../input/source.js";
import { isText } from "../input/text-sample.js";
import { problem } from "../problem.js";
import { version } from "../version.js";
import { prettyJson } from "./json.js";
import { fileStem, freeName } from "./name.js";
import { encodeNpy } from "./npy.js";
import { drawAnswer, drawAnswers, gridOf, sentenceOf } from "./picture.js";
import { scaleFor, viewOf } from "./text.js";
import type { View } from "./view.js";
import { promptViews } from "./words.js";
import { writeWhole } from "./write.js";

/** What can be written for each kind of input. */
const formats = {
  picture: ["png", "json", "npy"],
  text: ["html", "json", "svg", "csv", "npy"],
  tensors: ["json", "npy"],
  pair: ["png", "html", "json", "csv", "npy"],
} as const;

/** How many of them are written unless asked otherwise. */
const usual = { picture: 2, text: 2, tensors: 1, pair: 3 } as const;

export type Format = (typeof formats)[keyof typeof formats][number];
export const allFormats: readonly Format[] = [...new Set(Object.values(formats).flat())];

/** `-f png,json`: every format must be known, and fit at least one of the inputs. */
export function readFormats(text: string | undefined, kinds: readonly Source["kind"][]): ReadonlySet<Format> {
  if (text === undefined) return new Set(kinds.flatMap((kind) => formats[kind].slice(0, usual[kind])));
  const wanted = text.split(",").map((part) => part.trim().toLowerCase());
  const possible: readonly string[] = kinds.flatMap((kind) => [...formats[kind]]);
  const misfits = wanted.filter((format) => !possible.includes(format));
  if (misfits.length === 0) return new Set(wanted as Format[]);
  const known = misfits.every((format) => (allFormats as readonly string[]).includes(format));
  const why = known ? `${misfits.join(", ")} does not go with these inputs` : `${misfits.join(", ")} is no format`;
  throw problem("E080", { at: `--format ${text}`, why, try: `some of ${[...new Set(possible)].join(", ")}` });
}

export interface OutputPlan {
  folder: string;
  formats: ReadonlySet<Format>;
  view: View;
  context: DocumentContext;
}

type File = readonly [path: string, data: Uint8Array | string];

/** Writes the files of one sample's answers and gives their paths; no file of this run, whose names are `taken`, is written over. */
export async function writeAnswers(
  answers: readonly Answer[],
  plan: OutputPlan,
  taken: Set<string>,
): Promise<string[]> {
  const files: File[] = [];
  for (const answer of answers) {
    const name = freeName(fileStem(answer.sample.stem, plan.context.method.id, fileTarget(answer)), taken);
    for (const format of plan.formats) {
      const data = await encodeAnswer(answer, format, plan);
      if (data !== undefined) files.push([join(plan.folder, `${name}.${format}`), data]);
    }
  }
  if (answers.length > 1) files.push(...(await sheets(answers, plan, taken)));
  for (const [path, data] of files) await writeWhole(path, data);
  return files.map(([path]) => path);
}

/** All targets of one input on one page, on one scale. */
async function sheets(answers: readonly Answer[], plan: OutputPlan, taken: Set<string>): Promise<File[]> {
  const { sample } = answers[0]!;
  const path = join(plan.folder, freeName(`${fileStem(sample.stem, plan.context.method.id)}__sheet`, taken));
  const files: File[] = [];
  const alone = answers.every((answer) => answer.sample === sample);
  if (plan.formats.has("png") && alone && answers.every(canDraw)) {
    files.push([`${path}.png`, await drawAnswers(answers, plan.view, provenance(answers[0]!, plan))]);
  }
  if (plan.formats.has("html") && answers[0]!.words) files.push([`${path}.html`, await pairPage(answers, plan)]);
  if (plan.formats.has("html") && isText(sample)) {
    const views = answers.map((answer) => viewOf(answer, namesOf(plan), scaleFor(answer, answers)));
    files.push([`${path}.html`, toHtml(views, { title: pageTitle(answers), caption: provenance(answers[0]!, plan) })]);
  }
  return files;
}

async function encodeAnswer(
  answer: Answer,
  format: Format,
  plan: OutputPlan,
): Promise<Uint8Array | string | undefined> {
  const { explanation, row, sample } = answer;
  if (format === "json") return `${prettyJson(toDocument(answer, plan.context))}\n`;
  if (format === "npy" && isText(sample))
    return encodeNpy(sample.valuesOf(answer.parts), [sample.encoding.whole.tokens.length]);
  if (format === "npy") return encodeNpy(explanation.toTokens(row), explanation.relevance.dims.slice(1));
  if (format === "png") {
    return canDraw(answer) ? drawAnswer(answer, plan.view, provenance(answer, plan)) : undefined;
  }
  if (answer.words && format === "html") return pairPage([answer], plan);
  if (answer.words && format === "csv") return toCsv(promptViews([answer]));
  if (!isText(sample)) return undefined;
  const view = viewOf(answer, namesOf(plan));
  if (format === "html") return toHtml(view, { caption: provenance(answer, plan) });
  return format === "svg" ? toSvg(view) : toCsv(view);
}

/** The picture with its maps, and below it the words of every prompt. */
async function pairPage(answers: readonly Answer[], plan: OutputPlan): Promise<string> {
  const [answer] = answers as [Answer];
  const note = provenance(answer, plan);
  const drawing = !answers.every(canDraw)
    ? undefined
    : answers.length > 1
      ? await drawAnswers(answers, plan.view)
      : await drawAnswer(answer, plan.view);
  const picture = drawing && {
    source: `data:image/png;base64,${drawing.toString("base64")}`,
    description: answers.map(sentenceOf).join(" "),
  };
  const title = answers.length > 1 ? answer.sample.name : titleOf(answer);
  return toHtml(promptViews(answers), { title, caption: note, ...(picture && { picture }) });
}

/** One input, or the two that are compared. */
const pageTitle = (answers: readonly Answer[]): string =>
  [...new Set(answers.map(({ sample }) => sample.name))].join(" · ");

const canDraw = (answer: Answer): boolean => isPicture(answer.sample) && gridOf(answer) !== undefined;

const namesOf = ({ context }: OutputPlan) => ({ model: context.model.name, method: context.method.title });

function provenance(answer: Answer, { context }: OutputPlan): string {
  const { sample } = answer;
  const source = sourceOf(answer, context);
  const method = `${context.method.title}${context.method.classSpecific ? "" : " (not class-specific)"}`;
  return `${sample.name} · ${context.model.name} ${source.sha256.slice(0, 12)} · ${method} · vitrail ${version}`;
}
