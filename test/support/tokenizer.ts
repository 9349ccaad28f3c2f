/** Tokenizers for models of the collection: a vocabulary of a few words, all below the models' 60 ids. */

/** The `tokenizer.json` of a BERT-like WordPiece tokenizer; ids count from 4, after [PAD], [UNK], [CLS] and [SEP]. */
export function wordPiece(words: readonly string[]): object {
  const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ...words];
  const vocab = Object.fromEntries(vocabulary.map((word, index) => [word, index]));
  const mark = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
  const text = (id: "A" | "B", type_id: number) => ({ Sequence: { id, type_id } });
  const known = (token: string) => ({ id: token, ids: [vocab[token]], tokens: [token] });
  const single = [mark("[CLS]"), text("A", 0), mark("[SEP]")];
  return {
    ...base(vocabulary.slice(0, 4), vocab),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, text("B", 1), mark("[SEP]", 1)],
      special_tokens: { "[CLS]": known("[CLS]"), "[SEP]": known("[SEP]") },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** The `tokenizer.json` of a GPT-like byte-level tokenizer without merges but whole words: `word` and ` word` are tokens. */
export function byteLevel(words: readonly string[]): object {
  const letters = [..."Ġabcdefghijklmnopqrstuvwxyz.,!?"];
  const vocabulary = ["<|endoftext|>", ...letters, ...words.map((word) => word.replace(/^ /, "Ġ"))];
  const vocab = Object.fromEntries(vocabulary.map((word, index) => [word, index]));
  const merges: string[] = [];
  for (const word of words.map((each) => each.replace(/^ /, "Ġ"))) {
    for (let end = 2; end <= word.length; end++) {
      const piece = word.slice(0, end);
      if (!(piece in vocab)) vocab[piece] = Object.keys(vocab).length;
      const merge = `${piece.slice(0, -1)} ${piece.at(-1)}`;
      if (!merges.includes(merge)) merges.push(merge);
    }
  }
  return {
    ...base(["<|endoftext|>"], vocab),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}

function base(special: readonly string[], vocab: Readonly<Record<string, number>>): object {
  const added = (content: string) => ({
    ...{ id: vocab[content], content, single_word: false, lstrip: false, rstrip: false, normalized: false },
    special: true,
  });
  return { version: "1.0", truncation: null, padding: null, added_tokens: special.map(added) };
}
