import { join } from "node:path";
import { readJson } from "../input/file.js";
import type { MethodInfo } from "../method.js";
import type { ModelFiles } from "./folder.js";

interface TokenizerJson {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly model?: { readonly vocab?: unknown };
}
type Named = string | { readonly content?: string } | null | undefined;

/**
 * What methods that hide tokens must know of a tokenizer: which token stands for a hidden one (the mask, else the unknown or the
 * padding token), and which are never hidden. Nothing for other methods, and for models without a tokenizer.
 */
export async function hiddenTokens(
  { options }: MethodInfo,
  { tokenizer: folder }: ModelFiles,
): Promise<{ maskToken?: number; keepTokens?: string }> {
  if (folder === undefined || !options.some(({ name }) => name === "maskToken")) return {};
  const tokenizer = await readJson<TokenizerJson>(join(folder, "tokenizer.json"));
  const names = ["tokenizer_config.json", "special_tokens_map.json"].map((name) =>
    readJson<Record<string, Named>>(join(folder, name)).catch(() => ({}) as Record<string, Named>),
  );
  const config = Object.assign({}, ...(await Promise.all(names)).reverse()) as Record<string, Named>;
  const idOf = (key: string) => tokenId(tokenizer, contentOf(config[key]));
  const maskToken = idOf("mask_token") ?? idOf("unk_token") ?? idOf("pad_token");
  const unknown = idOf("unk_token");
  const special = (tokenizer.added_tokens ?? []).filter((token) => token.special && token.id !== unknown);
  return {
    ...(maskToken !== undefined && { maskToken }),
    keepTokens: special.length > 0 ? special.map(({ id }) => id).join() : "none",
  };
}

const contentOf = (token: Named): string | undefined => (typeof token === "string" ? token : token?.content);

function tokenId({ added_tokens = [], model }: TokenizerJson, content: string | undefined): number | undefined {
  if (content === undefined) return undefined;
  const added = added_tokens.find((token) => token.content === content);
  const vocabulary = model?.vocab;
  if (added || typeof vocabulary !== "object" || vocabulary === null || Array.isArray(vocabulary)) return added?.id;
  return (vocabulary as Record<string, number>)[content];
}
