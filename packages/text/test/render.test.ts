import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createTokenizer,
  encode,
  ranks,
  scaleOf,
  summarize,
  toAnsi,
  toCsv,
  toHtml,
  toSvg,
  toTokensJson,
  toUnits,
  toView,
  type UnitKind,
} from "../src/index.js";
import { background, contrast, cube, ink, PALETTES } from "../src/render/color.js";

const read = (name: string) => JSON.parse(readFileSync(new URL(`./tokenizers/${name}.json`, import.meta.url), "utf8"));
const bert = createTokenizer(read("wordpiece"));
const gpt = createTokenizer(read("byte-level"));

function view(text: string, values: (i: number) => number, unit: UnitKind = "word", tokenizer = bert, label = "sea") {
  const { texts, whole } = encode(tokenizer, text);
  const units = toUnits(
    texts,
    whole.tokens,
    whole.tokens.map((_, i) => values(i)),
    { unit },
  );
  return toView(texts, units, { unit, target: { label, probability: 0.91 }, method: "transformer-attribution" });
}

describe("what the model does not know", () => {
  const text = "the river ☂ ended ☃";
  const shown = view(text, () => 1);
  const encoding = encode(bert, text);

  it("is marked in the terminal, on the page and in the picture, and nothing else is", () => {
    for (const page of [toAnsi(shown, { colors: "none" }), toHtml(shown), toSvg(shown)]) {
      expect(page).toMatch(/☂⟨\?⟩/);
      expect(page).toMatch(/☃⟨\?⟩/);
      expect(page).not.toMatch(/river⟨\?⟩/);
    }
    expect(toHtml(shown)).toContain('aria-label="☂, unknown to the model');
  });

  it("is told to programs", () => {
    const known = toTokensJson(shown.units).map(({ text, unknown }) => [text, unknown]);
    expect(known).toContainEqual(["☂", true]);
    expect(known).toContainEqual(["river", undefined]);
  });

  it("is said once, whatever the text's length", () => {
    const [warning, ...others] = encoding.warnings;
    expect(warning).toBe('2 symbols ("☂", "☃") are not in the vocabulary, marked ⟨?⟩: the model read [UNK].');
    expect(others).toEqual([]);
    expect(encode(bert, "the river").warnings).toEqual([]);
    expect(encode(gpt, text).warnings).toEqual([]);
  });

  it("makes its word unknown", () => {
    const units = toUnits(encoding.texts, encoding.whole.tokens, new Float32Array(encoding.whole.tokens.length), {
      unit: "sentence",
    });
    expect(units.filter(({ special }) => !special).map(({ unknown }) => unknown)).toEqual([true]);
  });
});

const wave = (i: number) => Math.sin(i * 1.7) * (i % 5 === 0 ? 0.1 : 1);
const TEXT = "The reader couldn't see the river, unhappily.\nA second line.";

describe("units", () => {
  it("words hold the pieces of a word, furthest from zero or summed", () => {
    const { texts, whole } = encode(bert, "unhappily, the");
    const values = whole.tokens.map((_, i) => (i % 2 ? -i : i));
    const words = toUnits(texts, whole.tokens, values);
    expect(words.map((word) => word.text)).toEqual(["[CLS]", "unhappily", ",", "the", "[SEP]"]);
    const pieces = words[1]!.tokens.map((i) => values[i]!);
    expect(pieces.length).toBeGreaterThan(1);
    expect(words[1]!.value).toBe(pieces.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)));
    const sums = toUnits(texts, whole.tokens, values, { combine: "sum" });
    expect(sums[1]!.value).toBe(pieces.reduce((a, b) => a + b));
  });

  it("a token of spaces belongs to the word after it", () => {
    const { texts, whole } = encode(gpt, "the  zebra\nthe");
    expect(whole.tokens.some((token) => token.text === " ")).toBe(true);
    const words = toUnits(
      texts,
      whole.tokens,
      whole.tokens.map(() => 1),
    );
    expect(words.map(({ text, start, end }) => [text, start, end])).toEqual([
      ["the", 0, 3],
      ["zebra", 5, 10],
      ["\n", 10, 11],
      ["the", 11, 14],
    ]);
  });

  it("sentences, with the tokens of both texts of a pair kept apart", () => {
    const { texts, whole } = encode(bert, "One door. Two doors!", { pair: "The river." });
    const units = toUnits(
      texts,
      whole.tokens,
      whole.tokens.map(() => 1),
      { unit: "sentence" },
    );
    expect(units.filter((unit) => !unit.special).map((unit) => unit.text)).toEqual([
      "One door.",
      "Two doors!",
      "The river.",
    ]);
    expect(units.filter((unit) => !unit.special).reduce((sum, unit) => sum + unit.value, 0)).toBe(
      whole.tokens.length - 3,
    );
  });

  it("every token is in exactly one unit and units are in order, on random Unicode", () => {
    const kinds = fc.constantFrom<UnitKind>("token", "word", "sentence");
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 60 }),
        kinds,
        fc.constantFrom("bert", "gpt"),
        (text, unit, name) => {
          const { texts, whole } = encode(name === "bert" ? bert : gpt, text);
          const units = toUnits(
            texts,
            whole.tokens,
            whole.tokens.map((_, i) => wave(i)),
            { unit },
          );
          expect(units.flatMap((each) => each.tokens)).toEqual(whole.tokens.map((_, i) => i));
          let cursor = 0;
          for (const each of units.filter(({ segment }) => segment === 0)) {
            expect(each.start).toBeGreaterThanOrEqual(cursor);
            cursor = each.end;
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("a long text, which is cut for the segmenter, has the units of the whole", () => {
    const text = "The reader couldn't see 3.14 doors, e.g. 「今日は」。我们 read! Was it\u0301 so?\n".repeat(60);
    for (const unit of ["word", "sentence"] as const) {
      const { texts, whole } = encode(bert, text);
      const units = toUnits(texts, whole.tokens, new Float32Array(whole.tokens.length), { unit });
      const segments = Array.from(new Intl.Segmenter("und", { granularity: unit }).segment(text), ({ segment }) =>
        segment.trim(),
      );
      expect(
        units
          .filter((each) => !each.special)
          .map((each) => each.text.trim())
          .filter(Boolean),
      ).toEqual(segments.filter(Boolean));
    }
  });

  it("refuse values that do not fit", () => {
    const { texts, whole } = encode(bert, "the door");
    expect(() => toUnits(texts, whole.tokens, [1, 2])).toThrow(/T005/);
    expect(() => toUnits(texts, whole.tokens, [1, 2, Number.NaN, 4])).toThrow(/token 2 \("door"\) is NaN/);
  });
});

describe("scale and summary", () => {
  it("special tokens are not part of the scale, of the ranks and of the summary, and a note says so", () => {
    const shown = view("the door", (i) => [100, 1, 3, -50][i]!);
    expect(shown.scale).toEqual({ limit: 3, signed: false });
    expect(ranks(shown.units)).toEqual([undefined, 2, 1, undefined]);
    expect(shown.notes.join()).toContain("[CLS], [SEP]");
    expect(shown.notes.join()).toContain("97 %");
    expect(shown.summary).toBe('100 % of the positive relevance for sea lies in 2 of 2 words: "door", "the".');
    expect(scaleOf(shown.units, view("the door", () => -7).units)).toEqual({ limit: 7, signed: true });
  });

  it("names the fewest words that hold 80 %, five at most", () => {
    const make = (values: number[]) =>
      values.map((value, i) => ({
        text: `w${i}`,
        start: i,
        end: i + 1,
        segment: 0 as const,
        special: false,
        value,
        tokens: [i],
      }));
    expect(summarize(make([8, 1, 0.5, 0.5, -9]), "word", "x")).toBe(
      '80 % of the positive relevance for x lies in 1 of 5 words: "w0". 100 % of the negative relevance lies in 1: "w4". In all 10 speaks for it and 9 against it.',
    );
    expect(summarize(make(Array.from({ length: 20 }, () => 1)))).toContain(
      "25 % of the positive relevance lies in 5 of 20 words",
    );
    expect(summarize(make([-1, 0]))).toBe(
      "None of the 2 words has positive relevance; all that is not zero speaks against it.",
    );
    expect(summarize(make([0]))).toBe("None of the 1 word has positive relevance.");
  });
});

describe("colours", () => {
  it("every step reads at 4.5:1 in both themes, on exact and on 256 colours", () => {
    for (const theme of ["light", "dark"] as const) {
      for (let step = -10; step <= 10; step++) {
        const exact = background(step, theme);
        expect(contrast(exact, ink(exact))).toBeGreaterThanOrEqual(4.5);
        const { rgb } = cube(exact);
        expect(contrast(rgb, cube(ink(rgb)).rgb)).toBeGreaterThanOrEqual(4.5);
      }
      const { page, text, muted } = PALETTES[theme];
      expect(contrast(page, text)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(page, muted)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

const ESCAPE = "\\u001b";
const stripAnsi = (text: string) => text.replaceAll(new RegExp(`${ESCAPE}\\[[0-9;]*m`, "g"), "");
const CONTROLS = /(?![\t\n])\p{Cc}/u;

describe("terminal", () => {
  it("shows the text as it is, whatever the colours", () => {
    const shown = view(TEXT, wave);
    for (const colors of ["24bit", "256"] as const) {
      expect(stripAnsi(toAnsi(shown, { colors }))).toContain(
        "The reader couldn't see the river, unhappily.\nA second line.",
      );
    }
    expect(toAnsi(shown, { colors: "none" })).not.toContain("\x1b");
    expect(toAnsi(shown, { colors: "none" })).toMatch(/reader\[[+−]\d\.\d\d\]/);
  });

  it("tells the sign by bold and underline", () => {
    const text = toAnsi(view("the door", (i) => [0, 1, -1, 0][i]!));
    expect(text).toMatch(new RegExp(`${ESCAPE}\\[1;[0-9;]+mthe`));
    expect(text).toMatch(new RegExp(`${ESCAPE}\\[4;[0-9;]+mdoor`));
  });

  it("does not let the text drive the terminal", () => {
    const out = toAnsi(view("the \x1b[31mred\x07 door", wave, "word", gpt, "a\x1b]0;title\x07"));
    expect(stripAnsi(out)).not.toMatch(CONTROLS);
  });
});

describe("page", () => {
  const html = toHtml(view(TEXT, wave), { caption: "vitrail explain" });

  it("needs no network and shows the text as text", () => {
    expect(html).not.toMatch(/\b(src|href)=|url\(|@import/);
    const body = html.slice(html.indexOf('class="text"'), html.indexOf('class="legend"'));
    expect(
      body
        .replaceAll(/<[^>]*>/g, "")
        .replaceAll(/^[^>]*>/g, "")
        .replace(/<div $/, ""),
    ).toContain("reader couldn't see the river");
  });

  it("gives every unit a value to hover, focus and hear; signs are not by colour alone", () => {
    const units = html.match(/<span class="u[^>]*tabindex="0"[^>]*>/g)!;
    expect(units).toHaveLength(view(TEXT, wave).units.length);
    for (const unit of units) expect(unit).toMatch(/aria-label="[^"]*relevance[^"]*".*data-v="/);
    expect(html).toContain("minus");
    expect(html).toMatch(/\.n3 \{[^}]*dashed/);
    expect(html).toMatch(/\.p3 \{[^}]*solid/);
    expect(html).toContain("prefers-color-scheme: dark");
    expect(html).toContain("print-color-adjust: exact");
  });

  it("escapes what the text, the label and the options bring", () => {
    const evil = '<img src=x onerror=alert(1)> & "quotes" </script>';
    const page = toHtml(view(evil, wave, "token", gpt, evil), { title: evil, caption: evil, lang: '"><b>' });
    expect(page).not.toContain("<img");
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(page).not.toContain("<b>");
  });

  it("several texts share one page", () => {
    const page = toHtml([view("the door", wave), view("the river", wave)]);
    expect(page.match(/<article/g)).toHaveLength(2);
    expect(page).toContain('id="text-1"');
  });
});

describe("picture", () => {
  it("no line of heading or notes is wider than the picture, whatever the label", () => {
    for (const label of ["similarity to ".repeat(12), "x".repeat(200), "絵画".repeat(60)]) {
      const svg = toSvg(view(TEXT, wave, "word", bert, label), { width: 500 });
      const lines = [...svg.matchAll(/<text x="16" y="[\d.]+" font-size="(\d+)"[^>]*>([^<]*)<\/text>/g)];
      expect(lines.length).toBeGreaterThan(3);
      for (const [, size, line] of lines) {
        const columns = [...line!.replaceAll("&quot;", '"')].reduce(
          (sum, c) => sum + (/\p{Script=Han}/u.test(c) ? 2 : 1),
          0,
        );
        expect(columns * 0.6 * Number(size), line).toBeLessThanOrEqual(500 - 2 * 16);
      }
    }
  });

  it("the second of a pair begins a line of its own", () => {
    const { texts, whole } = encode(bert, "the door", { pair: "the reader" });
    const pair = toView(texts, toUnits(texts, whole.tokens, new Float32Array(whole.tokens.length)));
    expect(toAnsi(pair, { colors: "none" }).split("\n").slice(0, 2)).toEqual([
      "<[CLS]> the door <[SEP]>",
      "the reader <[SEP]>",
    ]);
  });

  it("has every word as text, within its width", () => {
    const svg = toSvg(view(`${TEXT} ${"painters paint ".repeat(20)}`, wave), { width: 500 });
    expect(svg).toContain(">unhappily</text>");
    expect(svg).toContain("stroke-dasharray");
    for (const [, x, width] of svg.matchAll(/<text x="([\d.]+)"[^>]*textLength="([\d.]+)"/g)) {
      expect(Number(x)).toBeGreaterThanOrEqual(16);
      expect(Number(x) + Number(width)).toBeLessThanOrEqual(484.1);
    }
  });

  it("is well-formed for any text", () => {
    const strings = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom("שלום world", "a\ud800b", "]]>", "\u0000<&>"),
    );
    fc.assert(
      fc.property(strings, (text) => {
        const svg = toSvg(view(text, wave, "token", gpt));
        expect(svg).not.toMatch(/(?![\t\n\r])\p{Cc}|\p{Cs}/u);
        expect(svg.replaceAll(/<\/?[a-z][^<>]*>/g, "")).not.toMatch(/[<>]/);
      }),
      { numRuns: 200 },
    );
  });
});

describe("data", () => {
  it("JSON has text, indices, special and value", () => {
    const shown = view("the door", (i) => i / 4);
    expect(toTokensJson(shown.units)[1]).toEqual({ text: "the", start: 0, end: 3, special: false, value: 0.25 });
    expect(JSON.parse(JSON.stringify(toTokensJson(shown.units)))).toEqual(toTokensJson(shown.units));
  });

  it("CSV quotes what needs it and has a line per unit", () => {
    const csv = toCsv(view('say "x", the', (i) => i));
    const lines = csv.split("\r\n");
    expect(lines[0]).toBe("row,target,segment,start,end,special,value,text");
    expect(csv).toContain(',""""\r\n');
    expect(csv).toContain(',","\r\n');
  });
});
