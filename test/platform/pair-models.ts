/** Small seeded CLIP and SigLIP models of the collection as folders, with tokenizers built like the real ones. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./command-line.js";

const collection = fileURLToPath(new URL("../collection/", import.meta.url));

/** Where each file of the folder comes from. */
const files = {
  combined: { "model.onnx": "clip/ts-op17-eager.onnx" },
  optimum: { "model.onnx": "clip_optimum/optimum-op14-sdpa.onnx" },
  split: { "vision_model.onnx": "clip_vision/ts-op17-eager.onnx", "text_model.onnx": "clip_text/ts-op17-eager.onnx" },
  siglip: { "model.onnx": "siglip/dynamo-op18-sdpa.onnx" },
} as const;

export function pairFolder(kind: keyof typeof files): string {
  const folder = join(temporaryFolder(), kind);
  mkdirSync(join(folder, "onnx"), { recursive: true });
  for (const [name, from] of Object.entries(files[kind]))
    copyFileSync(join(collection, from), join(folder, "onnx", name));
  const siglip = kind === "siglip";
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  write("config.json", { model_type: siglip ? "siglip" : "clip" });
  write("tokenizer.json", siglip ? unigram : bytePairs);
  write("tokenizer_config.json", { model_max_length: siglip ? 9 : 16, pad_token: siglip ? "</s>" : "<|endoftext|>" });
  write("preprocessor_config.json", {
    image_processor_type: "CLIPImageProcessor",
    size: { shortest_edge: 16 },
    do_center_crop: true,
    crop_size: { height: 16, width: 16 },
    resample: 3,
  });
  return folder;
}

const special = (id: number, content: string) => ({ id, content, special: true, normalized: false });
const letters = [..."abcdefghijklmnopqrstuvwxyz"];
const pieces = [
  ...letters,
  ...letters.map((letter) => `${letter}</w>`),
  "ca",
  "cat</w>",
  "do",
  "dog</w>",
  "re",
  "red</w>",
];

/** CLIP: lower case, byte-level pairs with a mark at the end of a word. */
const bytePairs = {
  added_tokens: [special(58, "<|startoftext|>"), special(59, "<|endoftext|>")],
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "NFC" },
      { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
      { type: "Lowercase" },
    ],
  },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      {
        type: "Split",
        pattern: { Regex: "[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
        behavior: "Removed",
        invert: true,
      },
      { type: "ByteLevel", add_prefix_space: false },
    ],
  },
  decoder: { type: "ByteLevel" },
  post_processor: { type: "RobertaProcessing", sep: ["<|endoftext|>", 59], cls: ["<|startoftext|>", 58] },
  model: {
    type: "BPE",
    unk_token: "<|endoftext|>",
    end_of_word_suffix: "</w>",
    vocab: Object.fromEntries([...pieces, "<|startoftext|>", "<|endoftext|>"].map((piece, id) => [piece, id])),
    merges: ["c a", "ca t</w>", "d o", "do g</w>", "r e", "re d</w>"],
  },
};

/** SigLIP: lower case, no punctuation, SentencePiece, every text padded with its end token. */
const unigram = {
  added_tokens: [special(1, "</s>"), special(2, "<unk>")],
  normalizer: {
    type: "Sequence",
    normalizers: [{ type: "Lowercase" }, { type: "Replace", pattern: { Regex: "[!,.?]" }, content: "" }],
  },
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
  decoder: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
    special_tokens: { "</s>": { id: "</s>", ids: [1], tokens: ["</s>"] } },
  },
  model: {
    type: "Unigram",
    unk_id: 2,
    vocab: [
      ["<pad>", 0],
      ["</s>", 0],
      ["<unk>", 0],
      ["▁a", -2],
      ["▁red", -3],
      ["▁cat", -3],
      ["▁dog", -3],
      ["▁and", -4],
    ],
  },
};
