/** Data sets by path or name: which format lies there, its samples, what is broken in it, and a fingerprint of all of it. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type BrokenRow,
  createRandom,
  DataError,
  type Loaded,
  type PictureSample,
  plantedSamples,
  plantedSets,
  type TextSample,
} from "@vitrail/evaluation";
import { diskFolder } from "@vitrail/evaluation/node";
import { messageOf, problem } from "../problem.js";
import { type Format, formats, type Place } from "./formats.js";

/** What the command line says about data; plain, so that every worker can open the same. */
export interface DataRequest {
  readonly spec: string;
  readonly format?: string;
  readonly images?: string;
  readonly split?: string;
  readonly positions?: "utf-16" | "code-points";
  readonly skipBroken: boolean;
  readonly seed: number;
  /** Pictures or texts, chosen by the seed; a larger number keeps those of a smaller one. */
  readonly limit?: number;
}

interface Common {
  readonly name: string;
  readonly format: string;
  /** Rows of the data set, broken ones included. */
  readonly total: number;
  readonly broken: readonly BrokenRow[];
  /** SHA-256 of everything that the samples say: ids, labels, places, texts. */
  readonly fingerprint: string;
  /** Every label in the whole of the data, whatever the limit. */
  readonly labels: ReadonlySet<string>;
  /** What a reader must know of all of it. */
  readonly notes?: readonly string[];
}

export type Dataset =
  | (Common & { readonly kind: "picture"; readonly samples: readonly PictureSample[]; readonly pictures: string })
  | (Common & { readonly kind: "text"; readonly samples: readonly TextSample[] });

/** How many samples of a planted set are made when nobody says. */
const plantedCount = 200;

export async function openData(request: DataRequest): Promise<Dataset> {
  const planted = plantedSets[request.spec];
  if (planted && !existsSync(request.spec)) {
    const { kind } = planted;
    const count = request.limit ?? plantedCount;
    const common = { name: request.spec, format: "planted", total: count, broken: [] };
    const fingerprint = digest([request.spec, request.seed]);
    if (kind === "text") {
      const samples = plantedSamples(planted, request.seed, count);
      return { ...common, kind, fingerprint, samples, labels: namesOf(samples) };
    }
    const samples = plantedSamples(planted, request.seed, count);
    return { ...common, kind, fingerprint, samples, labels: namesOf(samples), pictures: "" };
  }
  const place = await placeOf(request);
  const format = chooseFormat(place, request.format);
  const options = {
    broken: request.skipBroken ? ("skip" as const) : ("fail" as const),
    ...(request.split !== undefined && { split: request.split }),
    ...(request.positions && { positions: request.positions }),
  };
  const common = { name: basename(place.path), format: format.id };
  if (format.kind === "picture") {
    const loaded = await reading(place, () => format.load(place, options));
    const pictures = request.images ?? place.folder;
    return { ...common, kind: format.kind, ...chosen(loaded, request), pictures };
  }
  const loaded = await reading(place, () => format.load(place, options));
  return { ...common, kind: format.kind, ...chosen(loaded, request) };
}

function chosen<T extends PictureSample | TextSample>(
  { samples, broken, total, notes }: Loaded<T>,
  { seed, limit }: DataRequest,
) {
  const order = createRandom(seed, "limit").shuffle(samples.keys()).slice(0, limit);
  const kept = new Set(order);
  return {
    samples: samples.filter((_, index) => kept.has(index)),
    broken,
    total,
    ...(notes && { notes }),
    fingerprint: digest(samples),
    labels: namesOf(samples),
  };
}

const namesOf = (samples: readonly (PictureSample | TextSample)[]): Set<string> => new Set(samples.flatMap(labelsOf));

/** The labels that a sample is about: those of its regions, else its own. */
export function labelsOf(sample: PictureSample | TextSample): string[] {
  if (!("regions" in sample)) return sample.label === undefined ? [] : [sample.label];
  return [...new Set(sample.regions.length > 0 ? sample.regions.map(({ label }) => label) : sample.labels)];
}

const digest = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");

async function placeOf({ spec, images }: DataRequest): Promise<Place> {
  if (!existsSync(spec)) {
    const hint = `a file, a folder, or one of ${Object.keys(plantedSets).join(", ")}`;
    throw problem("E081", { at: `--data ${spec}`, why: "there is no such file or folder", try: hint });
  }
  if (images !== undefined && !existsSync(images)) {
    throw problem("E081", { at: `--images ${images}`, why: "there is no such folder", try: "check the path" });
  }
  const isFolder = (await stat(spec)).isDirectory();
  const folder = isFolder ? spec : join(spec, "..");
  return {
    path: spec,
    folder,
    file: isFolder ? undefined : basename(spec),
    files: isFolder ? await diskFolder(spec).list() : [],
  };
}

function chooseFormat(place: Place, wanted: string | undefined): Format {
  const fitting = formats.find((format) => (wanted === undefined ? format.fits(place) : format.id === wanted));
  if (fitting) return fitting;
  const list = formats.map(({ id, title }) => `${id} (${title})`).join("; ");
  throw problem("E097", {
    at: `--data ${place.path}`,
    why: "its format was not recognised",
    try: `--data-format: ${list}`,
  });
}

/** Broken rows and unreadable files are the data's fault and are said as such. */
async function reading<T>(place: Place, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const hint =
      error instanceof DataError
        ? "mend these rows, or --skip-broken to go on without them"
        : "check the file, or --data-format";
    throw problem("E097", { at: `--data ${place.path}`, why: messageOf(error), try: hint });
  }
}
