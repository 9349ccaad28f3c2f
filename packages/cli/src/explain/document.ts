import { toTokensJson } from "@vitrail/text";
import {
  type DocumentMap,
  type DocumentTarget,
  type DocumentToken,
  documentMap,
  type Execution,
  type ExplanationDocument,
  pictureAxes,
  schema,
  shortest,
  valueMap,
} from "vitrail/node";
import { isPicture } from "../input/picture-sample.js";
import { isText, type TextSample } from "../input/text-sample.js";
import { findMethod, type MethodInfo } from "../method.js";
import type { ModelFiles } from "../model/folder.js";
import { unitsOf } from "../output/text.js";
import { promptUnits } from "../output/words.js";
import type { PromptWords } from "../pair/work.js";
import { version } from "../version.js";
import { instability, stabilityOf } from "./stability.js";
import { titleOf } from "./title.js";
import type { Answer, AtTokenChosen, Places } from "./work.js";

export interface DocumentContext {
  model: ModelFiles;
  method: MethodInfo;
  seed?: number | undefined;
  /** How the runtime computed. */
  execution?: Execution;
  /** The model's file, where something was appended to it before it was compiled. */
  source?: { sha256: string; bytes: number };
}

/** The original model that an answer is about. */
export const sourceOf = ({ explanation }: Answer, { source }: DocumentContext): { sha256: string; bytes: number } =>
  source ?? { sha256: explanation.metadata.source.sha256, bytes: explanation.metadata.source.bytes };

/** The JSON of one answer (contract: `vitrail/explanation@1`). */
export function toDocument(answer: Answer, context: DocumentContext): ExplanationDocument {
  const { sample, explanation, row, milliseconds } = answer;
  const { metadata } = explanation;
  const stability = stabilityOf(answer);
  const { name, sha256, kind, size } = sample;
  const { words } = answer;
  return {
    schema,
    tool: { name: "vitrail", version },
    model: { name: context.model.name, ...sourceOf(answer, context) },
    input: { name, sha256, kind, size, ...(words && { prompts: answer.scores.map(({ label }) => label ?? "") }) },
    target: { ...toTarget(answer), from: metadata.from ?? "logit" },
    method: { id: metadata.method, options: metadata.options, classSpecific: context.method.classSpecific },
    map: mapOf(answer),
    ...(isText(sample) && { tokens: tokensOf(answer) }),
    ...(words && words.length > 0 && { tokens: promptTokens(words) }),
    ...(explanation.completeness && { completeness: explanation.completeness[row]! }),
    ...(stability && { stability }),
    ...(context.execution && { execution: context.execution }),
    timing: { explainMs: Number(milliseconds.toFixed(2)) },
    ...(context.seed !== undefined && { seed: context.seed }),
    warnings: warningsOf(answer),
  };
}

function mapOf(answer: Answer): DocumentMap {
  const { sample, explanation, row, words } = answer;
  if (isText(sample)) return textMap(answer, sample);
  // Words alone were asked for.
  const [first] = words ?? [];
  if (first && explanation.inputDims.length < 4) return valueMap("tokens", [first.values.length], first.values);
  return documentMap(explanation, row);
}

function textMap({ explanation, parts }: Answer, sample: TextSample): DocumentMap {
  const values = sample.valuesOf(parts);
  return valueMap(explanation.metadata.relevance.kind, [values.length], values);
}

const tokensOf = (answer: Answer): DocumentToken[] =>
  toTokensJson(unitsOf(answer, { unit: "token" })).map((token) => ({ ...token, value: shortest(token.value) }));

/** The prompt's tokens; of two that are held against each other, `segment` says which. */
function promptTokens(words: readonly PromptWords[]): DocumentToken[] {
  return words.flatMap((each, index) =>
    toTokensJson(promptUnits(each, "token")).map(({ value, ...token }) => {
      const segment = words.length > 1 ? { segment: index as 0 | 1 } : {};
      return { ...token, value: shortest(value), ...segment };
    }),
  );
}

/** What a person should know before trusting this map. */
export function warningsOf(answer: Answer): string[] {
  const { sample, explanation, row, chosen, words = [], warnings = [] } = answer;
  const stability = stabilityOf(answer);
  const { id, classSpecific } = findMethod(explanation.metadata.method);
  const { norm } = explanation.metadata;
  const missed = explanation.completeness?.[row]?.error ?? 0;
  return [
    ...(sample.warnings ?? []),
    ...warnings,
    ...words.flatMap((each) => each.warnings),
    ...(chosen.kind === "token" && chosen.note ? [chosen.note] : []),
    ...(classSpecific ? [] : [`${id} is not class-specific: its map is the same for every class`]),
    ...(missed > 0.05
      ? [`the map misses the sum it should have by ${(100 * missed).toFixed(0)} %: more steps may help`]
      : []),
    ...(norm === undefined
      ? []
      : [
          `the looked-up embeddings go into the norm "${norm}" alone, before which input times gradient is zero: its output is explained`,
        ]),
    ...unseen(answer),
    ...(stability?.poor ? [instability(stability)] : []),
  ];
}

/** What a stride leaves over: said once for each model and size. */
function unseen({ sample, explanation, row }: Answer): string[] {
  const region = isPicture(sample) ? explanation.toGrid(row)?.region : undefined;
  const size = pictureAxes(explanation.inputDims);
  if (!region || !size) return [];
  const { x, y, width, height } = region;
  const from = x > 0 || y > 0 ? ` from ${x}, ${y}` : "";
  return [
    `the model's patches see ${width} x ${height} of its ${size.width} x ${size.height} pixels${from}: the rest has no part in the answer`,
  ];
}

export function toTarget({ chosen, scores, sample }: Pick<Answer, "chosen" | "scores" | "sample">): DocumentTarget {
  if (chosen.kind === "class") {
    const scored = scores[chosen.class]!;
    return {
      index: chosen.index.length === 1 ? chosen.index[0]! : chosen.index,
      label: scored.label ?? null,
      logit: shortest(scored.logit),
      probability: scored.probability === undefined ? null : shortest(scored.probability),
      ...atPlaces(chosen.places),
    };
  }
  if (chosen.kind === "similar") {
    const { to, vector } = chosen;
    const similarity = shortest(chosen.similarity);
    const similarTo = { name: to.name, sha256: to.sha256, similarity, vector };
    return { index: null, label: titleOf({ chosen, scores }), logit: similarity, probability: null, similarTo };
  }
  if (chosen.kind === "token") return tokenTarget({ chosen, scores, sample });
  const [plus, minus] = [scores[chosen.plus]!, scores[chosen.minus]!];
  return {
    index: null,
    label: titleOf({ chosen, scores }),
    logit: shortest(plus.logit - minus.logit),
    probability: null,
    weights: [
      { index: plus.index, label: plus.label ?? null, weight: 1 },
      { index: minus.index, label: minus.label ?? null, weight: -1 },
    ],
    ...atPlaces(chosen.places),
  };
}

const atPlaces = (places: Places): Pick<DocumentTarget, "at"> =>
  places.length === 0 ? {} : { at: Object.fromEntries(places) };

/** The token is counted in the whole text, as in `tokens`. */
function tokenTarget({ chosen, scores, sample }: Pick<Answer, "chosen" | "scores" | "sample">): DocumentTarget {
  const { token, index, minus, title } = chosen as AtTokenChosen;
  const { text, start, end } = (sample as TextSample).encoding.whole.tokens[token]!;
  const at = { token, text, start, end };
  const { logit, probability, label = null } = scores[index]!;
  if (minus !== undefined) {
    const other = scores[minus]!;
    const weights = [
      { index, label, weight: 1 },
      { index: minus, label: other.label ?? null, weight: -1 },
    ];
    return { index: null, label: title, logit: shortest(logit - other.logit), probability: null, weights, at };
  }
  return {
    index: index === token ? token : [token, index],
    label,
    logit: shortest(logit),
    probability: probability === undefined ? null : shortest(probability),
    at,
  };
}
