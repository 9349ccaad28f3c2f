import { describe, expect, it } from "vitest";
import { csvField, loadEraser, loadTextCsv, loadTextJsonl, memoryFolder, parseCsv } from "../src/index.js";

describe("CSV", () => {
  it("reads quotes, line ends inside them, empty fields and the line of each row", () => {
    expect(parseCsv('a,b\r\n"x ""y"", z",\n"two\nlines",3\n\nlast,')).toEqual([
      { fields: ["a", "b"], line: 1 },
      { fields: ['x "y", z', ""], line: 2 },
      { fields: ["two\nlines", "3"], line: 3 },
      { fields: ["last", ""], line: 6 },
    ]);
    expect(() => parseCsv('a\n"open')).toThrow("line 2 is never closed");
  });

  it("writes what it reads", () => {
    const fields = ["plain", 'q"uote', "com,ma", "two\nlines", ""];
    expect(parseCsv(`x,${fields.map(csvField).join(",")}`)[0]!.fields.slice(1)).toEqual(fields);
  });
});

describe("sentences", () => {
  it("come from CSV with spans in either spelling", () => {
    const csv = 'text,label,spans\n"Good, not bad",pos,0-4;6-13\nbad film,neg,"[[0,3]]"\nplain,,\n';
    expect(loadTextCsv(csv).samples).toEqual([
      {
        id: "2",
        text: "Good, not bad",
        label: "pos",
        spans: [
          { start: 0, end: 4 },
          { start: 6, end: 13 },
        ],
      },
      { id: "3", text: "bad film", label: "neg", spans: [{ start: 0, end: 3 }] },
      { id: "4", text: "plain", spans: [] },
    ]);
    expect(() => loadTextCsv("sentence\nx")).toThrow('no column "text"');
  });

  it("come from JSONL, counted in UTF-16 or in whole characters", () => {
    const row = JSON.stringify({ id: "a", text: "😀 bad", label: 1, spans: [{ start: 2, end: 5 }] });
    expect(loadTextJsonl(row, { positions: "code-points" }).samples[0]).toEqual({
      id: "a",
      text: "😀 bad",
      label: "1",
      spans: [{ start: 3, end: 6 }],
    });
    expect(loadTextJsonl(row).samples[0]!.spans).toEqual([{ start: 2, end: 5 }]);
  });

  it("have a second text, and what is not read is said", () => {
    const rows = [
      { text: "a", text_pair: "b", query: "q" },
      { text: "c", query: "" },
      { text: "d", url: 1, query: "r" },
    ];
    const { samples, notes } = loadTextJsonl(rows.map((row) => JSON.stringify(row)).join("\n"));
    expect(samples.map(({ text, pair }) => [text, pair])).toEqual([
      ["a", "b"],
      ["c", undefined],
      ["d", undefined],
    ]);
    const unread = (name: string, count: number) =>
      `the field "${name}" of ${count} of 3 rows is not read: the model does not see it`;
    expect(notes).toEqual([unread("query", 2), unread("url", 1)]);
    expect(loadTextCsv("text,url\na,b\n").notes?.[0]).toContain('"url" of 1 of 1 rows');
    expect(loadTextCsv("text,label\na,b\n").notes).toBeUndefined();
  });

  it("report broken rows with line and reason, all at once", () => {
    const jsonl = [
      '{"text":"ok"}',
      "{",
      '{"text":""}',
      "",
      '{"text":"abc","spans":[[1,9]]}',
      '{"text":"abc","spans":[[2,2]]}',
      '{"text":"abc","spans":["x"]}',
      "[]",
    ].join("\n");
    const { samples, broken, total } = loadTextJsonl(jsonl, { broken: "skip" });
    expect([samples.length, total]).toEqual([1, 7]);
    expect(broken.map(({ at, reason }) => [at, reason.replace(/JSON: .*/, "JSON")])).toEqual([
      [2, "no valid JSON"],
      [3, "has no text"],
      [5, "span 1-9 is outside the text"],
      [6, "span 2-2 is empty"],
      [7, 'span "x" needs two whole numbers'],
      [8, "no object"],
    ]);
    expect(() => loadTextJsonl(jsonl)).toThrow(/6 of 7 rows are broken\n {2}data.jsonl:2 {2}no valid JSON/);
    expect(loadTextCsv("text,label\na\n", { broken: "skip" }).broken[0]).toEqual({
      file: "data.csv",
      at: 2,
      reason: "1 fields under 2 columns",
    });
  });
});

describe("ERASER", () => {
  it("turns word ranges of a document into positions", async () => {
    const evidence = (start_token: number, end_token: number, docid = "d1") => [
      { docid, start_token, end_token, text: "" },
    ];
    const rows = [
      { annotation_id: "d1", classification: "NEG", evidences: [evidence(2, 4), evidence(5, 6)] },
      { annotation_id: "x", evidences: [evidence(4, 9)] },
      { annotation_id: "y", evidences: [evidence(0, 1, "d2")] },
      { annotation_id: "d1", evidences: [], query: null },
    ];
    const folder = memoryFolder({
      "docs/d1": "this is\nreally bad , mate",
      "test.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
    });
    const { samples, broken } = await loadEraser(folder, "test", { broken: "skip" });
    expect(samples.map(({ id, label }) => [id, label])).toEqual([
      ["d1", "NEG"],
      ["d1 (2)", undefined],
    ]);
    expect(samples[0]!.spans.map(({ start, end }) => samples[0]!.text.slice(start, end))).toEqual([
      "really bad",
      "mate",
    ]);
    expect(broken).toEqual([
      { file: "test.jsonl", at: 2, reason: "words 4-9 are outside the document of 6" },
      { file: "test.jsonl", at: 3, reason: "no file docs/d2" },
    ]);
  });

  it("keeps queries, and lays evidence over several documents", async () => {
    const evidence = (docid: string, start_token: number, end_token: number) => ({ docid, start_token, end_token });
    const rows = [
      { annotation_id: "boolq", query: "is it bad ?", evidences: [[evidence("p", 2, 3)]] },
      {
        annotation_id: "esnli",
        query: "",
        evidences: [[evidence("x_hypothesis", 1, 2)], [evidence("x_premise", 0, 1)]],
      },
      { annotation_id: "one", docids: ["p", "x_premise"], query: "who ?", evidences: [[evidence("x_premise", 1, 2)]] },
      { annotation_id: "three", docids: ["p", "q", "r"], evidences: [[evidence("q", 0, 1), evidence("r", 0, 2)]] },
      { annotation_id: "odd", query: ["who"], evidences: [[evidence("p", 0, 1)]] },
    ];
    const folder = memoryFolder({
      "docs/p": "it is bad",
      "docs/q": "and dull",
      "docs/r": "a bore",
      "docs/x_premise": "A man sleeps .",
      "docs/x_hypothesis": "A cat runs .",
      "val.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
    });
    const { samples, broken } = await loadEraser(folder, "val", { broken: "skip" });
    expect(broken).toEqual([{ file: "val.jsonl", at: 5, reason: "query is no text" }]);
    expect(samples.map(({ text, pair, asked }) => [text, pair, asked])).toEqual([
      ["is it bad ?", "it is bad", true],
      ["A man sleeps .", "A cat runs .", undefined],
      ["who ?", "it is bad\nA man sleeps .", true],
      ["it is bad\nand dull\na bore", undefined, undefined],
    ]);
    const marked = samples.map(({ text, pair, spans }) =>
      spans.map(({ start, end, inPair }) => (inPair ? pair! : text).slice(start, end)),
    );
    expect(marked).toEqual([["bad"], ["cat", "A"], ["man"], ["and", "a bore"]]);
  });
});
