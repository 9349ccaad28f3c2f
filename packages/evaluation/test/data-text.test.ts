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
      { annotation_id: "d1", evidences: [] },
    ];
    const folder = memoryFolder({
      "docs/d1": "this is\nreally bad , mate",
      "test.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
    });
    const { samples, broken } = await loadEraser(folder, "test", { broken: "skip" });
    expect(samples.map(({ id, label }) => [id, label])).toEqual([
      ["d1", "NEG"],
      ["d1", undefined],
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
});
