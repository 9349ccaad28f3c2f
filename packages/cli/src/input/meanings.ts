/**
 * What each input of a model holds: as it was said (`--input NAME=WHAT`), by its name, or by the structure of the model (ids are what
 * embeddings are looked up with).
 */
import { type InputSpec, meaningOf, type TextMeaning, textMeanings } from "@vitrail/text";
import type { Findings } from "vitrail/node";
import { problem } from "../problem.js";

export const meanings = ["pixels", ...textMeanings] as const;
export type Meaning = (typeof meanings)[number];
export type Meanings = Readonly<Record<string, Meaning>>;

type Input = Findings["inputs"][number];

/** `--input NAME=WHAT`, repeatable. */
export function readMeanings(flags: readonly string[]): Meanings {
  return Object.fromEntries(
    flags.map((text) => {
      const at = text.lastIndexOf("=");
      const [name, what] = [text.slice(0, at), text.slice(at + 1)];
      if (at > 0 && (meanings as readonly string[]).includes(what)) return [name, what as Meaning];
      const why = at > 0 ? `"${what}" is nothing that an input holds` : "it is not NAME=WHAT";
      throw problem("E080", { at: `--input ${text}`, why, try: `--input NAME=${meanings.join("|")}` });
    }),
  );
}

/** Every name that was said must be one of the model's inputs. */
export function checkMeanings(said: Meanings = {}, inputs: readonly Input[]): void {
  const names = inputs.map(({ name }) => name);
  const foreign = Object.keys(said).filter((name) => !names.includes(name));
  if (foreign.length === 0) return;
  const why = `the model's inputs are ${names.join(", ")}`;
  throw problem("E074", {
    at: foreign.map((name) => `--input ${name}=${said[name]}`).join(", "),
    why,
    try: `--input ${names[0]}=...`,
  });
}

/** What one input of a text model holds; `ids` is the input that embeddings are looked up with. */
export function textMeaning(name: string, said: Meanings | undefined, ids: string): TextMeaning | undefined {
  const own = said?.[name];
  if (own !== undefined) return own === "pixels" ? undefined : own;
  return meaningOf(name) ?? (name === ids ? "ids" : undefined);
}

/** The inputs of a text model with what they hold. Throws E074 where that is not known. */
export function textSpecs(inputs: readonly Input[], said: Meanings | undefined, ids: string): InputSpec[] {
  checkMeanings(said, inputs);
  return inputs.map(({ name, type, dims }) => {
    const meaning = textMeaning(name, said, ids);
    if (!meaning) {
      const why = `neither its name nor the model says what it holds (${type} [${dims.join(", ")}])`;
      const hint = `--input "${name}=WHAT" with WHAT one of ${textMeanings.join(", ")}; or --tensors with a tensor for every input`;
      throw problem("E074", { at: `input "${name}"`, why, try: hint });
    }
    const known = type === "int32" || type === "float32" || type === "bool" ? type : "int64";
    return { name, type: known, meaning };
  });
}
