/** A model that compares pictures with texts, whether it is one file or two. */
import type { CompileOptions } from "vitrail";
import type { Explanation, Feeds, Findings, Reading, RuntimeOptions } from "vitrail/node";
import type { Prompts } from "./prompts.js";

export type Tower = "picture" | "words";

/** What both towers are compiled with. */
export type PairOptions = CompileOptions & RuntimeOptions & { readonly method?: string };

/** One answer by each tower that was asked for. */
export interface PairExplanation {
  /** How much both agree, where the run said so. */
  similarity?: number;
  picture?: Explanation;
  /** The only row is that of the prompt. */
  words?: Explanation;
}

export interface PairModel {
  /** The input that takes pictures, as the whole of a model that takes nothing else. */
  readonly pictures: Findings;
  /** The file that pictures go into, as it lies on the disk. */
  readonly source: { sha256: string; bytes: number };
  /** The inputs that take texts. */
  readonly texts: Findings["inputs"];
  readonly towers: readonly Tower[];
  /** A logit, from which shares of the prompts can be computed, or a cosine. */
  readonly measure: "logit" | "cosine";
  /** Where the file ends in a softmax or sigmoid: how its numbers are read. */
  readonly reading?: Reading | undefined;
  /** How much a picture agrees with each of the prompts. */
  similarities(picture: Feeds, prompts: Prompts): Promise<Float32Array>;
  /** What makes the picture and one prompt agree. */
  explain(picture: Feeds, prompts: Prompts, index: number): Promise<PairExplanation>;
  close(): Promise<void>;
}

export const isPictureInput = ({ type, dims }: Findings["inputs"][number]): boolean =>
  type.startsWith("float") && dims.length === 4;
export const isTextInput = ({ type }: Findings["inputs"][number]): boolean => type.startsWith("int");

/** How many texts are compared with a picture in one run. */
export const chunk = 64;
export const chunksOf = (count: number): number[][] =>
  Array.from({ length: Math.ceil(count / chunk) }, (_, c) =>
    Array.from({ length: Math.min(chunk, count - c * chunk) }, (_, i) => c * chunk + i),
  );
