/** The files of a comparison: contact sheets, a page, JSON, the table of agreement. */
import { join } from "node:path";
import { prettyJson } from "../output/json.js";
import { fileStem } from "../output/name.js";
import { encodePng } from "../output/picture.js";
import type { View } from "../output/view.js";
import { writeWhole } from "../output/write.js";
import { problem } from "../problem.js";
import { version } from "../version.js";
import { agreementCsv, toComparison } from "./document.js";
import { comparisonPage } from "./page.js";
import { type ComparisonContext, unitsSentence } from "./say.js";
import { canDraw, drawSheets, faintNote } from "./sheet.js";
import { agreementLines, agreementSentence } from "./table.js";

export const allFormats = ["png", "html", "json", "csv"] as const;
export type ComparisonFormat = (typeof allFormats)[number];

export function readFormats(text: string | undefined): ReadonlySet<ComparisonFormat> {
  if (text === undefined) return new Set(allFormats);
  const wanted = text.split(",").map((part) => part.trim().toLowerCase());
  const unknown = wanted.filter((format) => !(allFormats as readonly string[]).includes(format));
  if (unknown.length === 0) return new Set(wanted as ComparisonFormat[]);
  const why = `${unknown.join(", ")} is no format of a comparison`;
  throw problem("E080", { at: `--format ${text}`, why, try: `some of ${allFormats.join(", ")}` });
}

export interface ComparisonPlan extends ComparisonContext {
  readonly folder: string;
  readonly formats: ReadonlySet<ComparisonFormat>;
  readonly view: View;
}

/** Writes what was asked for and gives the paths. Sheets are for pictures only. */
export async function writeComparison(plan: ComparisonPlan): Promise<string[]> {
  const { comparison, pairs, top, model, folder, formats, view } = plan;
  const { columns, rows } = comparison;
  const inputs = new Set(rows.map(({ sample }) => sample.stem));
  const stem = join(folder, inputs.size === 1 ? fileStem([...inputs][0]!, "comparison") : "comparison");
  const units = unitsSentence(comparison);
  const agreement = columns.length > 1 ? agreementSentence(rows, pairs, top) : "";
  const texts = {
    title: `${columns.length} ${columns.length === 1 ? "method" : "methods"} on ${model}`,
    caption: [faintNote(columns, rows.filter(canDraw), view), agreement, units].join(" ").trim(),
    table: columns.length > 1 ? agreementLines(columns, pairs) : [],
    provenance: provenance(plan),
  };
  const drawn = (formats.has("png") || formats.has("html")) && rows.some(canDraw);
  const sheets = drawn ? await Promise.all(drawSheets(columns, rows, view, texts).map(encodePng)) : [];
  const files: (readonly [string, Uint8Array | string])[] = [];
  if (formats.has("png")) {
    for (const [page, sheet] of sheets.entries())
      files.push([`${stem}${sheets.length > 1 ? `-${page + 1}` : ""}.png`, sheet]);
  }
  if (formats.has("html")) {
    const page = comparisonPage(comparison, pairs, { ...texts, model, agreement, units, sheets });
    files.push([`${stem}.html`, page]);
  }
  if (formats.has("json"))
    files.push([`${stem}.json`, `${prettyJson(toComparison(comparison, pairs, { model, top }))}\n`]);
  if (formats.has("csv")) files.push([`${stem}.csv`, agreementCsv(columns, pairs)]);
  for (const [path, data] of files) await writeWhole(path, data);
  return files.map(([path]) => path);
}

function provenance({ comparison, model }: ComparisonPlan): string {
  const answer = comparison.rows.flatMap(({ answers }) => answers).find((each) => each !== undefined);
  const hash = answer?.explanation.metadata.source.sha256.slice(0, 12) ?? "";
  return `${model} ${hash} · cost measured in turns with the plain model · vitrail ${version}`;
}
