/** What `explain` needs before the first input: the compiled model, the inputs, and who answers. */
import type { CompileOptions, Pooling } from "vitrail";
import { createExplainer, type Explainer, type RuntimeOptions } from "vitrail/node";
import { type CommonFlags, readCount } from "../flags.js";
import { findPairs, findSources, type InputFlags, type Source } from "../input/source.js";
import type { ModelFiles } from "../model/folder.js";
import { asVitrailError, problem } from "../problem.js";
import { AtToken } from "./at-token.js";
import { embeddingOf } from "./embedding.js";
import { outputView } from "./output.js";
import { Similar } from "./similar.js";
import { tokenHeadOf } from "./token-head.js";
import { asked, readWanted } from "./wanted.js";
import { type Answerer, Work, type WorkOptions } from "./work.js";

export interface WorkFlags extends CommonFlags, InputFlags {
  target?: string[];
  contrast?: string[];
  at?: string;
  output?: string;
  explains?: string;
  similarTo?: string[];
  pooling?: Pooling;
}

export interface Prepared {
  sources: Source[];
  work: Answerer;
  /** The model's file, where something was appended to it before it was compiled. */
  source?: { sha256: string; bytes: number };
  close: () => Promise<void>;
}

export type SetUp<Flags> = (
  inputs: readonly string[],
  flags: Flags,
  files: ModelFiles,
  compiled: CompileOptions & RuntimeOptions & { readonly method?: string },
  onProgress: NonNullable<WorkOptions["onProgress"]>,
) => Promise<Prepared>;

/** Classes, whatever the input is. */
export const setUpClasses: SetUp<WorkFlags> = async (inputs, flags, files, compiled, onProgress) => {
  const open = (severalTargets: boolean) =>
    createExplainer(files.file, { ...compiled, severalTargets, target: targetMode(flags, files) });
  const several = wantsSeveral(flags, files);
  const explainer = await open(several).catch(orOneByOne(several, open));
  return closeOnError(explainer, async () => {
    if (explainer.metadata.further) {
      const why = "several inputs are explained together for --prompt alone";
      throw problem("E080", { at: `--explains ${flags.explains}`, why, try: "one of them" });
    }
    const sources = await findSources(inputs, flags, explainer.findings, files);
    refuseVectors(flags, explainer, sources[0]!.kind);
    const head = sources.every(({ kind }) => kind === "text") && tokenHeadOf(explainer.findings, files);
    if (head && flags.at !== undefined) throw noPixels(flags.at);
    const view = outputView(explainer.findings, files);
    if (head) return { sources, work: new AtToken(explainer, { head, ...asked(flags), view }) };
    const wanted = readWanted(flags, view);
    const batchSize = readCount("batch-size", flags.batchSize) ?? 1;
    return { sources, work: new Work(explainer, { wanted, batchSize, view, onProgress }) };
  });
};

/** The largest number of a vector is no answer that anybody asked for. */
export function refuseVectors(
  { target, contrast }: WorkFlags,
  { metadata }: Pick<Explainer, "metadata">,
  kind: Source["kind"],
): void {
  const { output } = metadata;
  if ((target ?? contrast) || !/hidden_state|embed|pooler|feature/i.test(output) || kind === "tensors") return;
  const other = kind === "text" ? "TEXT" : "PICTURE";
  const hint = `--similar-to ${other}, or -t INDEX for one of its numbers`;
  throw problem("E091", { at: `output "${output}"`, why: "it is a vector, not scores of classes", try: hint });
}

const noPixels = (at: string) =>
  problem("E045", { at: `--at ${at}`, why: "the input is a text, which has no pixels", try: "-t WORD:LABEL" });

/** Similarity to another input of the same kind. */
export const setUpSimilar: SetUp<WorkFlags> = async (inputs, flags, files, compiled) => {
  const texts = (flags.text ?? flags.textFile) !== undefined;
  const { bytes, output, source, vector } = await embeddingOf(files, { ...flags, texts });
  const explainer = await createExplainer(bytes, { ...compiled, target: "weights", output });
  return closeOnError(explainer, async () => {
    const sources = await findPairs(inputs, flags, flags.similarTo ?? [], explainer.findings, files);
    return { sources, work: new Similar(explainer, vector), source };
  });
};

async function closeOnError(explainer: Explainer, prepare: () => Promise<Omit<Prepared, "close">>): Promise<Prepared> {
  try {
    return { ...(await prepare()), close: () => explainer.close() };
  } catch (error) {
    await explainer.close();
    throw error;
  }
}

/** Only the top class is wanted: then the model finds it itself, which saves a second session for the prediction. */
function targetMode({ contrast, target, text, textFile, at }: WorkFlags, { labels }: ModelFiles) {
  if (contrast || at !== undefined) return "index";
  const top = (target ?? ["predicted"]).every((each) => /^(predicted|top1)$/.test(each) && !labels?.includes(each));
  // The windows of a long text share one class, which is theirs together.
  return top && !text && textFile === undefined ? "predicted" : "index";
}

/** More than one map of the same input: they share one forward pass. A contrast is made of two. */
function wantsSeveral({ contrast = [], target = [] }: WorkFlags, { labels }: ModelFiles): boolean {
  const ranked = target.some((each) => /^top[- ]?([2-9]|\d\d+)$/i.test(each) && !labels?.includes(each));
  return ranked || 2 * contrast.length + target.length > 1;
}

/** Where an operator takes one target only, runs follow each other and give the same maps. */
const orOneByOne =
  (several: boolean, open: (several: boolean) => Promise<Explainer>) =>
  (error: unknown): Promise<Explainer> => {
    if (several && asVitrailError(error).diagnostics.every(({ code }) => code === "E034")) return open(false);
    throw error;
  };
