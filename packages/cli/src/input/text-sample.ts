import { createHash } from "node:crypto";
import {
  type Batch,
  type Encoding,
  encode,
  maxLengthOf,
  mergeWindows,
  type TextMeaning,
  type TextTokenizer,
  toBatch,
  toUnits,
  type UnitOptions,
} from "@vitrail/text";
import { type Feeds, type Findings, tensor } from "vitrail/node";
import type { Sample } from "../explain/sample.js";
import type { Part } from "../explain/work.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import { notJson, readText } from "./file.js";
import { textMeaning, textSpecs } from "./meanings.js";
import { readTokenizer } from "./tokenizer.js";

/** A text, or two for models that read pairs. */
export interface TextInput {
  text: string;
  pair?: string;
  /** Of a file: its line, counted from 1. */
  line?: number;
}

export interface TextSample extends Sample {
  kind: "text";
  encoding: Encoding;
  tokenizer: TextTokenizer;
  /** Relevance of all tokens, from that of the parts; 0 where a part was not explained. */
  valuesOf: (parts: readonly Part[]) => Float64Array;
  /** The part in which a token has most around it, and where it stands there. */
  placeOf: (token: number) => { part: number; position: number };
  /** The word that a token belongs to. */
  wordAt: (token: number) => string;
  /** What values are shown for. */
  shown: UnitOptions;
}

export const isText = (sample: Sample): sample is TextSample => sample.kind === "text";

/** Turns texts into what one model takes. */
export class TextReader {
  private constructor(
    private readonly tokenizer: TextTokenizer,
    private readonly findings: Findings,
    private readonly files: ModelFiles,
    private readonly shown: UnitOptions,
  ) {}

  static async open(findings: Findings, files: ModelFiles, shown: UnitOptions = {}): Promise<TextReader> {
    const { name } = files;
    const explained = findings.inputs.find((input) => input.name === findings.metadata.explains);
    if (explained && !explained.type.startsWith("int")) {
      const why = `its input "${explained.name}" is ${explained.type} [${explained.dims.join(", ")}], not token ids`;
      throw problem("E091", { at: name, why, try: "name a picture, or --tensors FILE.safetensors" });
    }
    return new TextReader(await readTokenizer(files), findings, files, shown);
  }

  read({ text, pair }: TextInput, name: string, stem: string): TextSample {
    const { inputs, metadata } = this.findings;
    const specs = textSpecs(inputs, this.files.meanings, metadata.explains);
    const length = inputs.find((input) => input.name === metadata.explains)?.dims[1];
    const width = typeof length === "number" ? length : undefined;
    const limit = maxLengthOf(this.tokenizer, (this.files.config ?? {}) as Record<string, unknown>);
    const maxLength = Math.min(limit, width ?? Number.POSITIVE_INFINITY);
    const encoding = encode(this.tokenizer, text, { maxLength, ...(pair !== undefined && { pair }) });
    const batches = encoding.rows.map((row) =>
      toBatch(this.tokenizer, [row], specs, width === undefined ? {} : { width }),
    );
    return {
      kind: "text",
      name,
      stem,
      sha256: createHash("sha256").update(encoding.texts.join("\0")).digest("hex"),
      size: encoding.texts.map(({ length }) => length),
      parts: batches.map(({ inputs }) =>
        Object.fromEntries(
          Object.entries(inputs).map(([input, { data, dims, type }]) => [input, tensor(data, dims, type)]),
        ),
      ),
      warnings: encoding.warnings,
      encoding,
      tokenizer: this.tokenizer,
      valuesOf: (parts) => merge(encoding, batches, parts),
      placeOf: (token) => placeOf(encoding, batches, token),
      wordAt: (token) => wordAt(encoding, token),
      shown: this.shown,
      ...(width === undefined && this.tellsPadding() && { pad: pad(this.tokenizer, (name) => this.meaning(name)) }),
    };
  }

  private meaning = (name: string): TextMeaning | undefined =>
    textMeaning(name, this.files.meanings, this.findings.metadata.explains);

  /**
   * Whether padding changes nothing: it has a mask, stands behind the text (in front it would move the positions), and the head reads the
   * first token or a mean over the mask. Where it reads the last token, the model and its tokenizer may disagree about what padding is.
   */
  private tellsPadding(): boolean {
    const { inputs, metadata } = this.findings;
    const masked = inputs.some(({ name }) => this.meaning(name) === "mask");
    return masked && this.tokenizer.padSide === "right" && /^token 0$|mask/.test(metadata.readout);
  }
}

/** Values of the whole text: padding is cut off, windows are merged. */
function merge({ whole, rows }: Encoding, batches: readonly Batch[], parts: readonly Part[]): Float64Array {
  const explained = rows.flatMap((row, index) => {
    const part = parts[index];
    return part ? [{ ...row, values: own(batches[index]!, part.explanation.toTokens(part.row)) }] : [];
  });
  const values = new Float64Array(whole.tokens.length);
  values.set(mergeWindows(explained));
  return values;
}

/** The values of a row that was alone or beside longer ones: padding is cut off. */
function own({ lengths: [length], padSide }: Batch, values: Float32Array): Float32Array {
  return padSide === "left" ? values.subarray(values.length - length!) : values.subarray(0, length);
}

/** A row made longer by padding, which is 0 in every input but the ids. */
const pad =
  ({ padId }: TextTokenizer, meaning: (name: string) => TextMeaning | undefined) =>
  (part: Feeds, length: number): Feeds =>
    Object.fromEntries(
      Object.entries(part).map(([name, { data, type }]) => {
        const fill = meaning(name) === "ids" ? padId : 0;
        const longer = new (data.constructor as new (length: number) => typeof data)(length);
        if (longer instanceof BigInt64Array) longer.fill(BigInt(fill));
        else (longer as Int32Array).fill(fill);
        (longer as Int32Array).set(data as Int32Array);
        return [name, tensor(longer, [1, length], type)];
      }),
    );

function placeOf({ rows }: Encoding, batches: readonly Batch[], token: number): { part: number; position: number } {
  const margin = ({ from, to }: (typeof rows)[number]) => Math.min(token - from, to - 1 - token);
  const having = rows.flatMap((row, part) => (row.places.includes(token) ? [{ row, part }] : []));
  // A token of the template is in every row: the last one is the end of the text.
  const best = having.reduce((a, b) => (margin(b.row) >= margin(a.row) ? b : a));
  const { width, padSide } = batches[best.part]!;
  const shift = padSide === "left" ? width - best.row.tokens.length : 0;
  return { part: best.part, position: shift + best.row.places.indexOf(token) };
}

function wordAt({ texts, whole }: Encoding, token: number): string {
  const units = toUnits(texts, whole.tokens, new Float32Array(whole.tokens.length));
  return units.find(({ tokens }) => tokens.includes(token))!.text;
}

/** One text per line, blank lines left out; of a .jsonl file one `{"text": ..., "text_pair": ...}` per line. */
export async function readTextFile(path: string): Promise<TextInput[]> {
  const content = await readText(path);
  const lines = content.split(/\r?\n/).map((line, index) => ({ line, number: index + 1 }));
  const texts = lines.filter(({ line }) => line.trim() !== "");
  return path.endsWith(".jsonl")
    ? texts.map(({ line, number }) => ({ ...readRecord(line, `${path}:${number}`), line: number }))
    : texts.map(({ line, number }) => ({ text: line, line: number }));
}

function readRecord(line: string, at: string): TextInput {
  const hint = '{"text": "...", "text_pair": "..."} in one line; text_pair may be left out';
  let record: { text?: unknown; text_pair?: unknown };
  try {
    record = JSON.parse(line) as typeof record;
  } catch (error) {
    throw problem("E092", { at, why: notJson(error), try: hint });
  }
  const { text, text_pair: pair } = record ?? {};
  if (typeof text === "string" && (pair === undefined || typeof pair === "string")) {
    return { text, ...(pair !== undefined && { pair }) };
  }
  throw problem("E092", { at, why: "it holds no text", try: hint });
}
