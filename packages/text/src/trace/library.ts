import type { Tokenizer } from "@huggingface/tokenizers";

/**
 * What the trace reads of a `Tokenizer`. The stages are public; that they can be called one by one is what makes spans
 * possible. The members that the library marks private are named here and nowhere else, and `tokenizer.ts` compares the
 * result of every trace with the library's own tokens, so a change there cannot go unnoticed.
 */
export interface Stages {
  readonly normalizer: Normalizer | null;
  readonly pre_tokenizer: PreTokenizer | null;
  readonly model: Model;
  readonly post_processor: ((a: string[], b: string[] | null, special: boolean) => Processed) | null;
  readonly splitter_unnormalized: Splitter;
  readonly splitter_normalized: Splitter;
  readonly added_tokens_map: ReadonlyMap<string, Added>;
  readonly remove_space?: boolean;
  readonly do_lowercase_and_remove_accent: boolean;
}

export interface Normalizer {
  normalize(text: string): string;
}

export interface PreTokenizer {
  pre_tokenize(text: string, options: { section_index: number }): string[];
}

export interface Model {
  readonly config: {
    readonly type?: string;
    readonly continuing_subword_prefix?: string;
    readonly vocab?: unknown;
    readonly byte_fallback?: boolean;
    readonly ignore_merges?: boolean;
  };
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token_id?: number;
  readonly unk_token?: string | null;
  readonly fuse_unk: boolean;
  readonly end_of_word_suffix?: string | null;
  readonly continuing_subword_suffix?: string | null;
  encode(tokens: string[]): string[];
  bpe?(token: string): string[];
}

export interface Added {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

interface Splitter {
  split(text: string): string[];
}

export interface Processed {
  readonly tokens: string[];
  readonly token_type_ids?: number[];
}

/** A node of the `normalizer` or `pre_tokenizer` tree in tokenizer.json. */
export interface StageConfig {
  readonly type?: string;
  readonly [key: string]: unknown;
}

export const stagesOf = (tokenizer: Tokenizer): Stages => tokenizer as unknown as Stages;
