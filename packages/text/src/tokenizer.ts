import { Tokenizer as Library } from "@huggingface/tokenizers";
import { TextError } from "./errors.js";
import type { Dropped, Token } from "./token.js";
import { type StageConfig, type Stages, stagesOf } from "./trace/library.js";
import { settle, trace } from "./trace/trace.js";

/** The parts of tokenizer.json and tokenizer_config.json that are read here; everything else is the library's. */
export interface TokenizerFiles {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Characters of one text, and marks on one letter, above which a text is refused at once rather than worked on for hours. */
const [MOST_CHARACTERS, MOST_MARKS] = [400_000, 1000];
const MARKS = new RegExp(`\\p{M}{${MOST_MARKS}}`, "u");

/** The tokens of one text, in order, and the characters that no token stands for. */
export interface Tokenized {
  readonly tokens: Token[];
  readonly dropped: Dropped[];
}

/** A row as the template lays it out: where each token comes from and which type it has. */
export interface Row {
  readonly tokens: Token[];
  readonly typeIds: number[];
  /** For every token its index among the tokens of its own text, or -1 for a token of the template. */
  readonly indices: number[];
}

/** A tokenizer that knows where every token stands. Made by {@link createTokenizer}. */
export class TextTokenizer {
  /** The most tokens a row may have by the tokenizer's own files, or Infinity where they do not say. */
  readonly maxLength: number;
  readonly padId: number;
  readonly padSide: "left" | "right";
  private readonly library: Library;
  private readonly stages: Stages;
  private readonly files: TokenizerFiles;

  constructor(files: TokenizerFiles) {
    const { tokenizer, config = {} } = files;
    try {
      this.library = new Library(tokenizer, config);
    } catch (error) {
      throw new TextError(
        "T001",
        `tokenizer.json cannot be read: ${(error as Error).message}`,
        "pass the parsed tokenizer.json of a fast tokenizer (WordPiece, BPE or Unigram)",
      );
    }
    this.files = files;
    this.stages = stagesOf(this.library);
    const padding = tokenizer.padding as { pad_id?: number; direction?: string } | null | undefined;
    const truncation = tokenizer.truncation as { max_length?: number } | null | undefined;
    const limits = [config.model_max_length, truncation?.max_length].filter(
      (n): n is number => typeof n === "number" && n > 0 && n < 1e6,
    );
    this.maxLength = Math.min(Number.POSITIVE_INFINITY, ...limits);
    const side = config.padding_side ?? padding?.direction?.toLowerCase();
    this.padSide = side === "left" ? "left" : "right";
    const pad = this.idOf(config.pad_token) ?? padding?.pad_id ?? this.idOf("[PAD]") ?? this.idOf("<pad>");
    this.padId = pad ?? this.idOf(config.eos_token) ?? 0;
  }

  /** What the model reads where it has no token: "[UNK]" for most. */
  get unknownToken(): string {
    const id = this.stages.model.unk_token_id;
    for (const [token, own] of this.stages.model.tokens_to_ids) if (own === id) return token;
    return "its unknown token";
  }

  /** The tokens of a text without those of the template. Spans never overlap and are in order. */
  tokenize(text: string, segment: 0 | 1 = 0): Tokenized {
    refuseUnreasonable(text);
    const { normalizer, pre_tokenizer } = this.files.tokenizer as Record<string, StageConfig | null>;
    const traced = this.guard(text, () => {
      const found = trace(text, this.stages, { normalizer: normalizer!, pre_tokenizer: pre_tokenizer! });
      this.compare(text, found.tokens);
      return found;
    });
    const { spans, dropped } = settle(text, traced);
    const unknownId = this.stages.model.unk_token_id;
    const tokens = spans.map(({ token, start, end }, i): Token => {
      const added = traced.tokens[i]!.added;
      const id = added?.id ?? this.stages.model.tokens_to_ids.get(token) ?? unknownId ?? this.padId;
      return {
        id,
        token,
        text: text.slice(start, end) || token,
        start,
        end,
        segment,
        special: added?.special === true && id !== unknownId,
        unknown: id === unknownId,
      };
    });
    return {
      tokens,
      dropped: dropped.map(({ start, end }) => ({
        start,
        end,
        segment,
        text: text.slice(start, end),
        reason: "tokenizer",
      })),
    };
  }

  /** Lays tokens out as the model wants them: `[CLS] A [SEP] B [SEP]` and the like. */
  arrange(first: readonly Token[], second?: readonly Token[]): Row {
    // The template only moves its arguments, so marks tell where each of them went.
    const marks = new Map<string, { token: Token; index: number }>();
    const mark = (tokens: readonly Token[], name: string) =>
      tokens.map((token, index) => {
        marks.set(`\0${name}${index}`, { token, index });
        return `\0${name}${index}`;
      });
    const a = mark(first, "A");
    const b = second ? mark(second, "B") : null;
    const out = this.stages.post_processor?.(a, b, true) ?? { tokens: [...a, ...(b ?? [])] };
    if (b?.length && !out.tokens.includes(b[0]!)) {
      throw new TextError(
        "T006",
        "this tokenizer has no template for a pair of texts",
        "join the two texts with the separator that the model was trained on",
      );
    }
    const places = out.tokens.map((name) => marks.get(name) ?? { token: this.templateToken(name), index: -1 });
    return {
      tokens: places.map(({ token }) => token),
      typeIds: out.token_type_ids ?? places.map(() => 0),
      indices: places.map(({ index }) => index),
    };
  }

  /** How many tokens the template adds to one text or to a pair. */
  templateLength(pair: boolean): number {
    return this.arrange([], pair ? [] : undefined).tokens.length;
  }

  private templateToken(token: string): Token {
    const id = this.idOf(token) ?? this.padId;
    return { id, token, text: token, start: 0, end: 0, segment: null, special: true, unknown: false };
  }

  /** What a token stands for, as it would be written: `Ġbest` is " best". */
  textOf(id: number): string {
    const text = this.library.decode([id], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
    return text || (this.library.id_to_token(id) ?? `<${id}>`);
  }

  /** The id of an entry of the vocabulary (`Ġbest`, `##ing`). */
  idOf(token: unknown): number | undefined {
    const content = typeof token === "object" && token !== null ? (token as { content?: unknown }).content : token;
    return typeof content === "string" ? this.library.token_to_id(content) : undefined;
  }

  /** The library hands a whole text without borders (SentencePiece) to one call, which has its limits. */
  private guard<T>(text: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TextError(
        "T003",
        `a text of ${text.length} characters is too long for the tokenizer library`,
        "explain it chapter by chapter",
      );
    }
  }

  /** The trace must end where the library ends; otherwise its spans would be of other tokens. */
  private compare(text: string, traced: readonly { token: string }[]): void {
    const own: string[] = this.library.tokenize(text);
    if (own.length !== traced.length || own.some((token, i) => token !== traced[i]!.token)) {
      throw new TextError(
        "T002",
        "internal: the traced tokens differ from the tokenizer library's",
        "report the text, tokenizer.json and the version of @huggingface/tokenizers",
      );
    }
  }
}

function refuseUnreasonable(text: string): void {
  const hint = "explain it chapter by chapter";
  if (text.length > MOST_CHARACTERS) {
    const what = `a text of ${text.length} characters is too long: ${MOST_CHARACTERS} are taken at once`;
    throw new TextError("T003", what, hint);
  }
  if (!MARKS.test(text)) return;
  throw new TextError("T003", `one letter of the text has more than ${MOST_MARKS} marks`, "remove the marks");
}

/** Makes a tokenizer from the parsed contents of tokenizer.json and, where there is one, tokenizer_config.json. */
export function createTokenizer(tokenizer: object, config: object = {}): TextTokenizer {
  return new TextTokenizer({
    tokenizer: tokenizer as TokenizerFiles["tokenizer"],
    config: config as Record<string, unknown>,
  });
}
