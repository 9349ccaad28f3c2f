/** Texts as cases: tokens are units and can be masked or, where the tokenizer has no mask, dropped; gold spans mark tokens. */
import { join } from "node:path";
import {
  type Shortened,
  type Subject,
  type TextSample,
  type TextSpan,
  type Truth,
  textSubject,
} from "@vitrail/evaluation";
import { createTokenizer, encode, maxLengthOf, type Row, type TextTokenizer, type Token, toBatch } from "@vitrail/text";
import { type Findings, tensor } from "vitrail/node";
import { readJson } from "../input/file.js";
import { type Meanings, textSpecs } from "../input/meanings.js";
import type { ModelFiles } from "../model/folder.js";
import { problem } from "../problem.js";
import type { Input } from "./engine.js";

export interface TextCase {
  readonly subject: Subject<Input>;
  readonly truth: Truth;
  readonly shortened?: Shortened;
  /** The tokens that are units. */
  readonly tokens: readonly Token[];
}

export class TextCases {
  private constructor(
    private readonly tokenizer: TextTokenizer,
    private readonly mask: number | undefined,
    private readonly findings: Findings,
    private readonly maxLength: number,
    private readonly width: number | undefined,
    private readonly meanings: Meanings | undefined,
  ) {}

  static async open(
    findings: Findings,
    { name, tokenizer: folder, config = {}, meanings }: ModelFiles,
  ): Promise<TextCases> {
    if (folder === undefined) {
      const hint = "put tokenizer.json beside the model";
      throw problem("E091", { at: name, why: "no tokenizer.json lies beside the model", try: hint });
    }
    const settings: { mask_token?: unknown } = await readJson<{ mask_token?: unknown }>(
      join(folder, "tokenizer_config.json"),
    ).catch(() => ({}));
    const tokenizer = createTokenizer(await readJson<object>(join(folder, "tokenizer.json")), settings);
    const length = findings.inputs.find((input) => input.name === findings.metadata.explains)?.dims[1];
    const width = typeof length === "number" ? length : undefined;
    const limit = Math.min(
      maxLengthOf(tokenizer, config as Record<string, unknown>),
      width ?? Number.POSITIVE_INFINITY,
    );
    return new TextCases(tokenizer, maskOf(tokenizer, settings.mask_token), findings, limit, width, meanings);
  }

  read({ id, text, pair, asked, spans }: TextSample): TextCase {
    const { whole, dropped } = encode(this.tokenizer, text, {
      ...(pair !== undefined && { pair }),
      maxLength: this.maxLength,
      overflow: "truncate",
    });
    // A question stays: only what it asks about is taken away.
    const units = whole.tokens.flatMap(({ special, segment }, place) =>
      special || (asked && segment === 0) ? [] : [place],
    );
    if (units.length === 0) throw problem("E092", { at: id, why: "it has no tokens", try: "leave it out" });
    const tokens = units.map((place) => whole.tokens[place]!);
    const subject = textSubject<Input>({
      ids: whole.tokens.map((token) => token.id),
      units,
      ...(this.mask !== undefined && { mask: this.mask }),
      toInput: (ids, positions) => ({
        feeds: this.feeds(whole, ids, positions),
        units: this.places(units, ids.length),
      }),
    });
    const marks = Uint8Array.from(tokens, ({ start, end, segment }) =>
      Number(spans.some((span) => segmentOf(span) === segment && start < span.end && end > span.start)),
    );
    const cut = dropped.find(({ reason }) => reason === "length");
    return {
      subject,
      truth: spans.length > 0 ? { mask: marks } : {},
      tokens,
      ...(cut && {
        shortened: { evidenceLost: spans.some((span) => segmentOf(span) === cut.segment && span.end > cut.start) },
      }),
    };
  }

  /** Where the units stand in a row that may be padded on the left. */
  private places(units: readonly number[], length: number): readonly number[] {
    const shift = this.width !== undefined && this.tokenizer.padSide === "left" ? this.width - length : 0;
    return shift === 0 ? units : units.map((place) => place + shift);
  }

  private feeds(whole: Row, ids: readonly number[], positions: readonly number[]): Input["feeds"] {
    const row: Row = {
      tokens: ids.map((id) => ({ ...whole.tokens[0]!, id })),
      typeIds: positions.map((position) => whole.typeIds[position]!),
      indices: whole.indices,
    };
    const { inputs: declared, metadata } = this.findings;
    const specs = textSpecs(declared, this.meanings, metadata.explains);
    const { inputs } = toBatch(this.tokenizer, [row], specs, this.width === undefined ? {} : { width: this.width });
    return Object.fromEntries(
      Object.entries(inputs).map(([name, { data, dims, type }]) => [name, tensor(data, dims, type)]),
    );
  }
}

const segmentOf = ({ inPair }: TextSpan): 0 | 1 => (inPair ? 1 : 0);

/** The id of the mask token, where the tokenizer has one. */
function maskOf(tokenizer: TextTokenizer, name: unknown): number | undefined {
  const text = typeof name === "object" && name !== null ? (name as { content?: unknown }).content : name;
  for (const candidate of [text, "[MASK]", "<mask>"]) {
    if (typeof candidate !== "string") continue;
    const [token, ...more] = tokenizer.tokenize(candidate).tokens;
    if (token?.special && more.length === 0) return token.id;
  }
  return undefined;
}
