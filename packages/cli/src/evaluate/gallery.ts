/** The best and the worst samples of each method under the first metric, drawn for the report. */
import { type EvaluationSummary, extremes, type GalleryItem, type ResultRow } from "@vitrail/evaluation";
import { colorAt, defaultColormap, makeScale, position } from "@vitrail/picture";
import type { Shown } from "./bench.js";
import type { Crew } from "./crew.js";

export async function galleryOf(
  crew: Crew,
  summary: EvaluationSummary,
  rows: readonly ResultRow[],
  count: number,
): Promise<GalleryItem[]> {
  const [metric] = summary.metrics.filter(({ name }) =>
    summary.cells.some((cell) => cell.metric === name && !cell.baseline),
  );
  if (!metric || count === 0) return [];
  const judged = summary.methods.filter((method) =>
    summary.cells.some((cell) => cell.method === method && !cell.baseline),
  );
  const items: GalleryItem[] = [];
  for (const extreme of judged.flatMap((method) => extremes(rows, metric, method, count))) {
    const shown = await crew.show({ case: extreme.case, method: extreme.method });
    items.push({ ...extreme, title: titleOf(extreme.case), ...(await drawn(shown)) });
  }
  return items;
}

/** "scene-4#red triangle" as a person says it. */
function titleOf(id: string): string {
  const [, sample, target] = /^(.*)#([^#]*)$/s.exec(id) ?? [];
  return target === undefined ? id : `${target}, ${sample}`;
}

async function drawn(shown: Shown): Promise<Pick<GalleryItem, "picture" | "words">> {
  if (shown.kind === "text") return { words: shown.words };
  const { width, height, rgb, rows, columns, values } = shown;
  const scale = makeScale({ rows, columns, values });
  const colours = defaultColormap(scale.signed);
  const map = Uint8Array.from(Array.from(values, (value) => colorAt(colours, position(scale, value))).flat());
  return { picture: { image: await url(rgb, width, height), map: await url(map, columns, rows), width, height } };
}

async function url(rgb: Uint8Array, width: number, height: number): Promise<string> {
  const { default: sharp } = await import("sharp");
  const png = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}
