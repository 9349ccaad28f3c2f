/** Folders around models of the collection, and the command line's JSON, for the tests of texts. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { ModelWriter } from "../support/model.js";
import { wordPiece } from "../support/tokenizer.js";
import { temporaryFolder, vitrailHere } from "./command-line.js";

export const WORDS =
  "how do i reset my password ? forgot log ##in credentials please help , angela met john in paris who .".split(" ");

/** A folder as transformers.js has it; `appended` to the model's bytes are further outputs. */
export function folder(
  model: string,
  files: Record<string, object> = {},
  appended: Uint8Array = new Uint8Array(),
): string {
  const path = join(temporaryFolder(), "model");
  mkdirSync(path);
  const bytes = readFileSync(new URL(`../collection/${model}`, import.meta.url));
  writeFileSync(join(path, "model.onnx"), Buffer.concat([bytes, appended]));
  for (const [name, content] of Object.entries({ "tokenizer.json": wordPiece(WORDS), ...files }))
    writeFileSync(join(path, name), JSON.stringify(content));
  return path;
}

/** One of a classifier's scores as an output of its own, "score": a head that gives one number. */
export function oneScore(): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const at = m.weights([2], [1], "int64", "score_index");
  m.output(m.op("Gather", ["logits", at], { axis: 1 }, ["score"]), "float32", ["batch", 1]);
  return m.bytes();
}

/** What a command prints with --json; it must go well and say nothing else. */
export async function json(args: readonly string[]) {
  const { code, stdout, stderr } = await vitrailHere([...args, "--json", "--quiet"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

export interface Token {
  text: string;
  value: number;
  special: boolean;
}
export const valuesOf = ({ tokens }: { tokens: Token[] }): number[] => tokens.map(({ value }) => value);
