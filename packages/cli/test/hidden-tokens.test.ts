import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findMethod } from "../src/method.js";
import { hiddenTokens } from "../src/model/hidden-tokens.js";

function folder(tokenizer: object, config: object): { name: string; file: string; tokenizer: string } {
  const place = mkdtempSync(join(tmpdir(), "vitrail-"));
  writeFileSync(join(place, "tokenizer.json"), JSON.stringify(tokenizer));
  writeFileSync(join(place, "tokenizer_config.json"), JSON.stringify(config));
  return { name: "x", file: "x", tokenizer: place };
}
const occlusion = findMethod("occlusion");
const special = (id: number, content: string) => ({ id, content, special: true });

test("the mask stands for hidden tokens, special tokens are never hidden, unknown words are", async () => {
  const added_tokens = [special(0, "[PAD]"), special(100, "[UNK]"), special(101, "[CLS]"), special(103, "[MASK]")];
  const files = folder({ added_tokens }, { mask_token: { content: "[MASK]" }, unk_token: "[UNK]", pad_token: "[PAD]" });
  expect(await hiddenTokens(occlusion, files)).toEqual({ maskToken: 103, keepTokens: "0,101,103" });
});

test("without a mask the unknown token, found in the vocabulary", async () => {
  const files = folder({ model: { vocab: { "<unk>": 7, a: 8 } } }, { unk_token: "<unk>" });
  expect(await hiddenTokens(occlusion, files)).toEqual({ maskToken: 7, keepTokens: "none" });
});

test("nothing for other methods, and without a tokenizer", async () => {
  expect(await hiddenTokens(findMethod("raw-attention"), folder({}, {}))).toEqual({});
  expect(await hiddenTokens(occlusion, { name: "x", file: "x" })).toEqual({});
});
