import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createTokenizer,
  encode,
  maxLengthOf,
  meaningOf,
  mergeWindows,
  rowsOf,
  TextError,
  toBatch,
} from "../src/index.js";
import { windows } from "../src/windows.js";

const read = (name: string) => JSON.parse(readFileSync(new URL(`./tokenizers/${name}.json`, import.meta.url), "utf8"));
const bert = createTokenizer(read("wordpiece"));
const gpt = createTokenizer(read("byte-level"), { padding_side: "left", eos_token: "<|endoftext|>" });
const LONG = "The reader reads what the painter painted by the river. ".repeat(6).trim();

describe("one row", () => {
  it("has the template's tokens, marked as special and without characters", () => {
    const { rows, warnings, whole } = encode(bert, "the door");
    expect(rows).toHaveLength(1);
    expect(rows[0]!.tokens.map((token) => token.token)).toEqual(["[CLS]", "the", "door", "[SEP]"]);
    expect(rows[0]!.tokens[0]).toMatchObject({ special: true, segment: null, start: 0, end: 0 });
    expect(rows[0]!.indices).toEqual([-1, 0, 1, -1]);
    expect(whole.tokens).toEqual(rows[0]!.tokens);
    expect(warnings).toEqual([]);
  });

  it("pairs: both texts have their own indices and type", () => {
    const [row] = encode(bert, "the door", { pair: "the reader" }).rows;
    expect(row!.tokens.map((token) => token.segment)).toEqual([null, 0, 0, null, 1, 1, null]);
    expect(row!.typeIds).toEqual([0, 0, 0, 0, 1, 1, 1]);
    expect(row!.tokens[5]).toMatchObject({ text: "reader", start: 4, end: 10 });
  });

  it("an empty text and an empty second text are rows, too", () => {
    expect(encode(bert, "").rows[0]!.tokens.map((token) => token.token)).toEqual(["[CLS]", "[SEP]"]);
    expect(encode(bert, "the", { pair: "" }).rows[0]!.tokens).toHaveLength(4);
  });

  it("a tokenizer without a template for pairs says so", () => {
    expect(() => encode(gpt, "the", { pair: "door" })).toThrow(/T006/);
  });

  it("reports what the tokenizer has nothing for", () => {
    const { dropped, warnings } = encode(bert, "the \u0000\u0001 door");
    expect(dropped).toHaveLength(1);
    expect(warnings[0]).toContain("did not see");
  });
});

describe("batches", () => {
  const rows = ["the door", "the reader was by what", ""].map((text) => encode(bert, text).rows[0]!);

  it("pads on the right and says what is padding", () => {
    const batch = toBatch(bert, rows, ["input_ids", "attention_mask", "token_type_ids"]);
    expect(batch.inputs.input_ids!.dims).toEqual([3, 7]);
    expect(batch.inputs.input_ids!.data).toBeInstanceOf(BigInt64Array);
    expect(Array.from(batch.inputs.attention_mask!.data.slice(0, 7), Number)).toEqual([1, 1, 1, 1, 0, 0, 0]);
    expect(Array.from(batch.inputs.input_ids!.data.slice(4, 7), Number)).toEqual([0, 0, 0]);
    expect(batch.lengths).toEqual([4, 7, 2]);
  });

  it("pads on the left where the tokenizer says so, positions counted from the first token", () => {
    const two = ["the door", "the"].map((text) => encode(gpt, text).rows[0]!);
    const batch = toBatch(gpt, two, ["input_ids", "attention_mask", { name: "position_ids", type: "int32" }]);
    const width = batch.width;
    const shift = width - two[1]!.tokens.length;
    expect(Number(batch.inputs.attention_mask!.data[width])).toBe(shift > 0 ? 0 : 1);
    expect(batch.inputs.position_ids!.data).toBeInstanceOf(Int32Array);
    expect(batch.inputs.position_ids!.data[width + shift]).toBe(0);
    const values = Array.from({ length: 2 * width }, (_, i) => i);
    expect(Array.from(rowsOf(batch, values)[1]!)).toEqual(values.slice(width + shift));
  });

  it("gives rows back without padding", () => {
    const batch = toBatch(bert, rows);
    const values = Float32Array.from({ length: 21 }, (_, i) => i);
    expect(rowsOf(batch, values).map((row) => Array.from(row))).toEqual([
      [0, 1, 2, 3],
      [7, 8, 9, 10, 11, 12, 13],
      [14, 15],
    ]);
    expect(() => rowsOf(batch, values.slice(1))).toThrow(/T005/);
  });

  it("refuses inputs that are not made from text, and rows that are too long", () => {
    expect(() => toBatch(bert, rows, ["input_ids", "pixel_values"])).toThrow(/T004.*pixel_values/);
    expect(() => toBatch(bert, rows, ["input_ids"], { width: 5 })).toThrow(TextError);
    expect(toBatch(bert, rows, ["input_ids"], { width: 9 }).inputs.input_ids!.dims).toEqual([3, 9]);
  });

  it("are recognised by the names of any exporter, and hold the same", () => {
    const rows = [encode(bert, "the river", { pair: "a sea" }).rows[0]!, encode(bert, "the").rows[0]!];
    const { inputs } = toBatch(bert, rows, ["input_ids", "attention_mask", "token_type_ids", "position_ids"]);
    const spelled = {
      input_ids: ["input_ids:0", "input_word_ids", "serving_default_input_ids:0", "model/input_ids", "token_ids"],
      attention_mask: ["input_mask", "attention_mask:0", "serving_default_attention_mask", "mask"],
      token_type_ids: ["input_type_ids", "segment_ids", "serving_default_token_type_ids:0", "type_ids"],
      position_ids: ["positions", "position_ids:0", "input_positions"],
    };
    for (const [usual, names] of Object.entries(spelled))
      for (const name of names) expect(toBatch(bert, rows, [name]).inputs[name], name).toEqual(inputs[usual]);
    for (const name of ["pixel_mask", "src_key_padding_mask", "decoder_input_ids", "bbox", "labels", "input_values"])
      expect(meaningOf(name), name).toBeUndefined();
  });

  it("hold what is said of them, as the type that the model has", () => {
    const rows = [encode(bert, "the river").rows[0]!, encode(bert, "the").rows[0]!];
    const made = toBatch(bert, rows, [
      { name: "a", meaning: "ids", type: "int32" },
      { name: "b", meaning: "mask", type: "float32" },
      { name: "input_ids", meaning: "mask", type: "bool" },
    ]);
    const { input_ids, attention_mask } = toBatch(bert, rows).inputs;
    expect([...made.inputs.a!.data]).toEqual(Array.from(input_ids!.data, Number));
    for (const name of ["b", "input_ids"])
      expect([...made.inputs[name]!.data]).toEqual(Array.from(attention_mask!.data, Number));
    expect(made.inputs.b!.data).toBeInstanceOf(Float32Array);
  });

  it("knows the limits that model and tokenizer name", () => {
    expect(maxLengthOf(bert, { max_position_embeddings: 512, model_type: "bert" })).toBe(512);
    expect(maxLengthOf(bert, { max_position_embeddings: 514, model_type: "xlm-roberta" })).toBe(512);
    expect(maxLengthOf(createTokenizer(read("wordpiece"), { model_max_length: 64 }), { n_positions: 128 })).toBe(64);
    expect(maxLengthOf(createTokenizer(read("wordpiece"), { model_max_length: 1e30 }))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("long texts", () => {
  it("come in windows that overlap; no token is lost and no word is cut", () => {
    const { whole, rows, warnings } = encode(bert, LONG, { maxLength: 24, overlap: 6 });
    expect(rows.length).toBeGreaterThan(2);
    const seen = new Set(rows.flatMap((row) => row.places));
    expect(seen.size).toBe(whole.tokens.length);
    for (const row of rows) {
      expect(row.tokens.length).toBeLessThanOrEqual(24);
      for (const [i, place] of row.places.entries()) expect(row.tokens[i]).toEqual(whole.tokens[place]);
      expect(row.tokens[1]!.token.startsWith("##")).toBe(false);
    }
    expect(warnings.join()).toContain("windows");
  });

  it("windows cover everything, in order, within their size, whatever the numbers", () => {
    const sizes = fc
      .integer({ min: 1, max: 40 })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat({ max: size - 1 })));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("reader", "painted", "unhappily", ",", "x"), { minLength: 1, maxLength: 120 }),
        sizes,
        (words, [size, overlap]) => {
          const { tokens } = bert.tokenize(words.join(" "));
          const ranges = windows(tokens, size, overlap);
          expect(ranges[0]!.from).toBe(0);
          expect(ranges.at(-1)!.to).toBe(tokens.length);
          for (const [i, { from, to }] of ranges.entries()) {
            expect(to - from).toBeLessThanOrEqual(size);
            expect(to).toBeGreaterThan(from);
            if (i > 0) {
              expect(from).toBeGreaterThan(ranges[i - 1]!.from);
              expect(from).toBeLessThanOrEqual(ranges[i - 1]!.to);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("of a pair the longer text is windowed and the other kept in every row", () => {
    const { rows, whole } = encode(bert, "the painter?", { pair: LONG, maxLength: 30 });
    const question = rows[0]!.tokens.filter((token) => token.segment === 0).length;
    for (const row of rows) expect(row.tokens.filter((token) => token.segment === 0)).toHaveLength(question);
    expect(new Set(rows.flatMap((row) => row.places)).size).toBe(whole.tokens.length);
    const swapped = encode(bert, LONG, { pair: "the painter?", maxLength: 30 });
    expect(new Set(swapped.rows.flatMap((row) => row.places)).size).toBe(swapped.whole.tokens.length);
    for (const row of swapped.rows) {
      for (const [i, place] of row.places.entries())
        expect(row.tokens[i]!.token).toBe(swapped.whole.tokens[place]!.token);
    }
  });

  it("keep every token of any text and any pair, each where it stands", () => {
    const texts = fc.string({ unit: "grapheme", maxLength: 80 });
    fc.assert(
      fc.property(texts, fc.option(texts, { nil: undefined }), fc.integer({ min: 8, max: 24 }), (text, pair, room) => {
        const other = pair === undefined ? 0 : bert.tokenize(pair).tokens.length;
        const shorter = pair === undefined ? 0 : Math.min(bert.tokenize(text).tokens.length, other);
        const { whole, rows, warnings } = encode(bert, text, {
          maxLength: room + shorter,
          ...(pair !== undefined && { pair }),
        });
        expect(new Set(rows.flatMap((row) => row.places)).size).toBe(whole.tokens.length);
        for (const row of rows)
          for (const [i, place] of row.places.entries()) expect(row.tokens[i]).toEqual(whole.tokens[place]);
        if (rows.length > 1) expect(warnings.at(-1)).toContain(`${rows.length} overlapping windows`);
      }),
      { numRuns: 300 },
    );
  });

  it("cutting lists what was cut", () => {
    const { rows, dropped, warnings, whole } = encode(bert, LONG, { maxLength: 24, overflow: "truncate" });
    expect(rows).toHaveLength(1);
    expect(rows[0]!.tokens.length).toBeLessThanOrEqual(24);
    expect(rows[0]!.tokens.at(-1)!.token).toBe("[SEP]");
    const last = whole.tokens.filter((token) => token.segment === 0).at(-1)!;
    expect(dropped[0]).toMatchObject({ reason: "length", end: LONG.length });
    expect(LONG.slice(last.end, dropped[0]!.start).trim()).toBe("");
    expect(warnings.join()).toMatch(/did not see the last \d+ words/);
  });

  it("an error where the caller wants one, or where there is no room", () => {
    expect(() => encode(bert, LONG, { maxLength: 24, overflow: "error" })).toThrow(/T003/);
    expect(() => encode(bert, LONG, { pair: `${LONG} x`, maxLength: 24 })).toThrow(/no room/);
    expect(() => encode(bert, LONG, { maxLength: 24, overlap: 24 })).toThrow(/T003/);
  });
});

describe("merging windows", () => {
  const rows = [
    { places: [0, 1, 2, 3, 4, 7], from: 1, to: 5, values: [10, 1, 2, 3, 4, 20] },
    { places: [0, 3, 4, 5, 6, 7], from: 3, to: 7, values: [30, 33, 44, 55, 66, 40] },
  ];

  it("takes a token from the window in which it is furthest from a cut; repeated tokens get their mean", () => {
    expect(Array.from(mergeWindows(rows))).toEqual([20, 1, 2, 3, 44, 55, 66, 30]);
  });

  it("takes the mean, weighted by what the caller says", () => {
    expect(Array.from(mergeWindows(rows, "mean"))).toEqual([20, 1, 2, 18, 24, 55, 66, 30]);
    expect(Array.from(mergeWindows([rows[0]!, { ...rows[1]!, weight: 0.5 }]))).toEqual([
      12.5, 1, 2, 3, 22, 27.5, 33, 20,
    ]);
  });

  it("leaves one row as it is and refuses rows with padding", () => {
    const [row] = encode(bert, "the door").rows;
    expect(Array.from(mergeWindows([{ ...row!, values: [1, 2, 3, 4] }]))).toEqual([1, 2, 3, 4]);
    expect(() => mergeWindows([{ ...row!, values: [1, 2, 3, 4, 5] }])).toThrow(/T005/);
  });
});
