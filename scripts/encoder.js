/**
 * Checks on a real pretrained sentence encoder that reference/sentence_encoder.py exported:
 *
 *     npm run encoder -- FOLDER
 *
 * tokens and their places against the package's own tokenizer, the similarity of two sentences and the words that make it, and what
 * an explanation costs in forward passes of the model alone, measured in turns.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTokenizer, encode, toBatch, toUnits } from "@vitrail/text";
import { withVector } from "vitrail";
import { createExplainer, tensor } from "vitrail/node";

const folder = process.argv[2];
if (!folder) throw new Error("npm run encoder -- FOLDER");
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const tokenizer = createTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));

/** Places as JavaScript counts, of places as Python counts. */
function units(text) {
  const starts = [0];
  for (const character of text) starts.push(starts.at(-1) + character.length);
  return (at) => starts[at];
}

function compareTokens() {
  const counts = { texts: 0, tokens: 0, ids: 0, places: 0 };
  for (const { text, ids, offsets, special } of read("tokens.json")) {
    const { whole } = encode(tokenizer, text);
    const own = whole.tokens.map(({ id }) => id);
    counts.texts++;
    counts.tokens += ids.length;
    if (own.length !== ids.length || own.some((id, i) => id !== ids[i])) {
      counts.ids++;
      continue;
    }
    const at = units(text);
    for (const [i, [from, to]] of offsets.entries()) {
      if (special[i]) continue;
      const { start, end } = whole.tokens[i];
      // A combining mark or an invisible character belongs to the token it touches here, and to none there.
      const [before, after] = [text.slice(start, at(from)), text.slice(at(to), end)];
      const fits = start <= at(from) && end >= at(to) && /^[\p{M}\p{Cf}\p{Cc}]*$/u.test(before + after);
      // Of several tokens from one character the first has it, the others stand empty behind it.
      const shared = start === end && whole.tokens[i - 1].end === start && at(from) < start;
      if (!fits && !shared) counts.places++;
    }
  }
  const { texts, tokens, ids, places } = counts;
  console.log(`${texts} texts, ${tokens} tokens: ${ids} texts with other tokens, ${places} tokens at other places`);
}

const feedsOf = (text) => {
  const { rows, texts, whole } = encode(tokenizer, text, { maxLength: 512 });
  const { inputs } = toBatch(tokenizer, rows.slice(0, 1), ["input_ids", "attention_mask", "token_type_ids"]);
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, { data, dims }]) => [name, tensor(data, dims)]));
  return { feeds, texts, whole };
};

async function compareTexts(explainer, a, b) {
  const { output } = explainer.metadata;
  const vectorOf = async (text) => (await explainer.predict(feedsOf(text).feeds))[output].data;
  const [va, vb] = [await vectorOf(a), await vectorOf(b)];
  console.log(`similarity ${va.reduce((sum, value, i) => sum + value * vb[i], 0).toFixed(4)}`);
  for (const [text, other] of [
    [a, vb],
    [b, va],
  ]) {
    const { feeds, texts, whole } = feedsOf(text);
    const values = (await explainer.explain(feeds, { target: Float32Array.from(other) })).toTokens();
    const tokens = toUnits(texts, whole.tokens, values, { unit: "token" }).filter(({ special }) => !special);
    const most = Math.max(...tokens.map(({ value }) => value));
    console.log(tokens.map(({ text: own, value }) => `${own} ${(value / most).toFixed(2)}`).join(", "));
  }
}

async function measure(explainer) {
  const target = new Float32Array(384).fill(0.05);
  for (const length of [16, 64, 256]) {
    const { feeds } = feedsOf("password ".repeat(length - 2));
    const times = { predict: [], explain: [] };
    for (let turn = 0; turn < 12; turn++)
      for (const [name, run] of [
        ["predict", () => explainer.predict(feeds)],
        ["explain", () => explainer.explain(feeds, { target })],
      ]) {
        const started = performance.now();
        await run();
        if (turn > 1) times[name].push(performance.now() - started);
      }
    const median = (values) => values.sort((x, y) => x - y)[Math.floor(values.length / 2)];
    const [predict, explain] = [median(times.predict), median(times.explain)];
    console.log(
      `${length} tokens: forward ${predict.toFixed(1)} ms, explained ${explain.toFixed(1)} ms, ${(explain / predict).toFixed(2)} times`,
    );
  }
}

compareTokens();
const model = readFileSync(join(folder, "onnx", "model.onnx"));
const name = process.argv[3] ?? "sentence_embedding";
const { bytes, output } = withVector(model, { output: name });
const explainer = await createExplainer(bytes, { output, target: "weights" });
await compareTexts(explainer, "How do I reset my password?", "I forgot my login credentials, please help");
await measure(explainer);
await explainer.close();
