/**
 * ERASER rationales: `docs/<id>` with one sentence per line, words between spaces, and `test.jsonl` with evidence as word ranges
 * per document. Spans come back as UTF-16 positions.
 *
 *   query and documents     the query is the first text and stays; the documents are the second (BoolQ, MultiRC, FEVER)
 *   two documents, no query the first and the second text, a premise before its hypothesis (e-SNLI)
 *   else                    the documents, a line end between them
 *
 * DeYoung et al. ERASER: A Benchmark to Evaluate Rationalized NLP Models. ACL 2020.
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
    for (const id of readIds(line)) {
      if (known.has(`docs/${id}`) && !documents.has(id)) documents.set(id, await readText(folder, `docs/${id}`));
    }
  }
  const rows = new Collector<TextSample>();
  const times = new Map<string, number>();
  lines.forEach((line, index) => {
    if (!line.trim()) return;
    rows.add({ file, at: index + 1 }, () => {
      const sample = toSample(parseJson(line), documents);
      const seen = times.get(sample.id) ?? 0;
      times.set(sample.id, seen + 1);
      // Several questions about one document may share its name; cases must not.
      return seen === 0 ? sample : { ...sample, id: `${sample.id} (${seen + 1})` };
    });
  });
  return rows.finish(options);
}

interface Row {
  readonly annotation_id?: unknown;
  readonly docids?: unknown;
  readonly evidences?: unknown;
}

const evidenceOf = ({ evidences }: Row): Record<string, unknown>[] =>
  Array.isArray(evidences) ? evidences.flat().filter(isRecord) : [];

/** The documents of a row: as it lists them, else those of its evidence, else the one that it is named after. */
function documentIds(row: Row): string[] {
  const listed = Array.isArray(row.docids) ? row.docids.map(String) : [];
  const ids = [...new Set([...listed, ...evidenceOf(row).map(({ docid }) => String(docid ?? row.annotation_id))])];
  if (ids.length === 0) return [String(row.annotation_id)];
  return ids.sort((a, b) => Number(isHypothesis(a)) - Number(isHypothesis(b)));
}

const isHypothesis = (id: string): boolean => /hypothesis$/i.test(id);

function readIds(line: string): string[] {
  try {
    return documentIds(JSON.parse(line) as Row);
  } catch {
    return [];
  }
}

function toSample(row: unknown, documents: ReadonlyMap<string, string>): TextSample {
  check(isRecord(row) && typeof row.annotation_id === "string", "has no annotation_id");
  check(Array.isArray(row.evidences), "evidences is no list");
  const query = row.query ?? "";
  check(typeof query === "string", "query is no text");
  const asked = query.trim() !== "";
  const ids = documentIds(row);
  const apart = !asked && ids.length === 2;
  const texts = ids.map((id) => {
    const text = documents.get(id);
    check(text !== undefined, `no file docs/${id}`);
    return text;
  });
  // Where each document begins in the text that it is a part of.
  const starts = texts.map((_, i) =>
    apart ? 0 : texts.slice(0, i).reduce((length, text) => length + text.length + 1, 0),
  );
  const spans = evidenceOf(row).map((evidence): TextSpan => {
    const index = ids.indexOf(String(evidence.docid ?? row.annotation_id));
    const { start, end } = wordRange(texts[index]!, evidence);
    const inPair = asked || (apart && index === 1);
    return { start: starts[index]! + start, end: starts[index]! + end, ...(inPair && { inPair }) };
  });
  const whole = texts.join("\n");
  return {
    id: row.annotation_id,
    ...(asked ? { text: query, pair: whole, asked } : apart ? { text: texts[0]!, pair: texts[1]! } : { text: whole }),
    ...(row.classification !== undefined && { label: String(row.classification) }),
    spans,
  };
}

function wordRange(text: string, { start_token: start, end_token: end }: Record<string, unknown>): TextSpan {
  check(Number.isInteger(start) && Number.isInteger(end), "evidence needs start_token and end_token");
  const words = Array.from(text.matchAll(/\S+/g), ({ 0: word, index }) => ({ start: index, end: index + word.length }));
  const [from, to] = [words[start as number], words[(end as number) - 1]];
  check(
    from && to && (start as number) < (end as number),
    `words ${start}-${end} are outside the document of ${words.length}`,
  );
  return { start: from.start, end: to.end };
}
