/** Every command of docs/examples/text.md, on the models that ship and on small random ones. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { byteLevel } from "../support/tokenizer.js";
import { temporaryFolder, vitrailHere } from "./command-line.js";
import { folder, oneScore } from "./text-models.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(join(root, "docs/examples/text.md"), "utf8");
const commands = [...page.matchAll(/^npx vitrail (.*)$/gm)].map(([, command]) => command!);

const labels = { id2label: { 0: "O", 1: "PER", 2: "LOC", 3: "ORG", 4: "MISC" } };
const decoder = { architectures: ["GPT2LMHeadModel"] };
const words = byteLevel([" cat", " sat", " mat", " on"]);
/** What the page's names stand for here. */
const models: Record<string, () => string> = {
  entailment: () => folder("bert/dynamo-op18-sdpa.onnx"),
  encoder: () => folder("sentence/dynamo-op18-sdpa.onnx"),
  tagger: () => folder("bert_token_cls/dynamo-op18-sdpa.onnx", { "config.json": labels }),
  reader: () => folder("bert_qa/dynamo-op18-sdpa.onnx"),
  writer: () => folder("gpt2_lm/ts-op17-eager-slim.onnx", { "tokenizer.json": words, "config.json": decoder }),
  scorer: () => folder("bert/ts-op17-eager.onnx", {}, oneScore()),
  sst2: () => folder("bert/ts-op17-eager.onnx", { "config.json": { max_position_embeddings: 24 } }),
};

/** Runs a command as a shell would cut it, up to the pipe. */
async function run(command: string) {
  const [own] = command.split(" | ");
  const args = [...own!.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const given = args.map((arg, i) =>
    i === 1 && models[arg] ? models[arg]() : arg.replace(/^models\//, `${root}models/`),
  );
  // The small scorer is a classifier with one more output.
  const output = args[1] === "scorer" ? ["--output", "score"] : [];
  return vitrailHere([...given, ...output, "-o", temporaryFolder()]);
}

test("has a command for each kind of model", () => {
  for (const name of Object.keys(models)) expect(page).toContain(`explain ${name} `);
  expect(commands.length).toBeGreaterThan(12);
});

test.each(commands)("%s", async (command) => {
  const { code, stdout, stderr } = await run(command);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).not.toBe("");
});

test("what the page shows of the model that ships is what it prints", async () => {
  const [, shown] = /```\n\n```\n([\s\S]*?)```/.exec(page)!;
  const { stdout } = await run(commands[0]!);
  for (const line of shown!.trimEnd().split("\n")) expect(stdout).toContain(line);
});
