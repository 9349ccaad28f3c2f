/**
 * ERASER rationales: `docs/<id>` with one sentence per line, words between spaces, and `test.jsonl` with evidence as word ranges
 * per document. Spans come back as UTF-16 positions in the document.
 */
import { type Folder, readText } from "./file.js";
import { Collector, check, isRecord, type Loaded, type LoadOptions, parseJson } from "./loaded.js";
import type { TextSample, TextSpan } from "./text-rows.js";

export async function loadEraser(folder: Folder, split = "test", options?: LoadOptions): Promise<Loaded<TextSample>> {
  const file = `${split}.jsonl`;
  const lines = (await readText(folder, file)).split(/\r?\n/);
  const known = new Set(await folder.list());
  const documents = new Map<string, string>();
  for (const line of lines) {
    for (const id of documentIds(line)) {
      if (known.has(`docs/${id}`) && !documents.has(id)) documents.set(id, await readText(folder, `docs/${id}`));
    }
  }
  const rows = new Collector<TextSample>();
  lines.forEach((line, index) => {
    if (line.trim()) rows.add({ file, at: index + 1 }, () => toSample(parseJson(line), documents));
  });
  return rows.finish(options);
}

function documentIds(line: string): string[] {
  try {
    const row = JSON.parse(line) as { annotation_id?: string; evidences?: { docid?: string }[][] };
    return [...(row.evidences?.flat().map(({ docid }) => docid ?? "") ?? []), row.annotation_id ?? ""];
  } catch {
    return [];
  }
}

function toSample(row: unknown, documents: ReadonlyMap<string, string>): TextSample {
  check(isRecord(row) && typeof row.annotation_id === "string", "has no annotation_id");
  check(Array.isArray(row.evidences), "evidences is no list");
  const evidence = (row.evidences as unknown[]).flat().filter(isRecord);
  const document = String(evidence[0]?.docid ?? row.annotation_id);
  check(
    evidence.every(({ docid }) => docid === document),
    "evidence in several documents",
  );
  const text = documents.get(document);
  check(text !== undefined, `no file docs/${document}`);
  const words = Array.from(text.matchAll(/\S+/g), ({ 0: word, index }) => ({ start: index, end: index + word.length }));
  const spans = evidence.map(({ start_token: start, end_token: end }): TextSpan => {
    check(Number.isInteger(start) && Number.isInteger(end), "evidence needs start_token and end_token");
    const [from, to] = [words[start as number], words[(end as number) - 1]];
    check(
      from && to && (start as number) < (end as number),
      `words ${start}-${end} are outside the document of ${words.length}`,
    );
    return { start: from.start, end: to.end };
  });
  return {
    id: row.annotation_id,
    text,
    ...(row.classification !== undefined && { label: String(row.classification) }),
    spans,
  };
}
