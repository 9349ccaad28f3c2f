import type { Feeds, Tensor } from "vitrail/node";

/** One input, ready for the model: a picture, a text, or a row of a tensor file. Feeds have batch one. */
export interface Sample {
  name: string;
  stem: string;
  sha256: string;
  kind: "picture" | "text" | "tensors";
  size: readonly number[];
  /** What the model takes: one row of feeds, several for a text that is longer than the model takes at once. */
  parts: readonly Feeds[];
  warnings?: readonly string[];
  /** Makes a part longer, for models that tell padding from tokens: then texts of different lengths share a run. */
  pad?: (part: Feeds, length: number) => Feeds;
}

/** Parts of samples that share a run, as long as the longest. */
export function padded(parts: readonly { sample: Sample; feeds: Feeds }[]): Feeds[] {
  const lengthOf = (feeds: Feeds) => Object.values(feeds)[0]?.dims[1] ?? 0;
  const longest = Math.max(...parts.map(({ feeds }) => lengthOf(feeds)));
  return parts.map(({ sample, feeds }) =>
    sample.pad && lengthOf(feeds) < longest ? sample.pad(feeds, longest) : feeds,
  );
}

/** Samples that can share a run: the same inputs in the same shapes, but for the length of those that can be padded. */
export function groupByShape<T>(
  items: readonly T[],
  feedsOf: (item: T) => Feeds,
  limit: number,
  sampleOf?: (item: T) => Sample,
): T[][] {
  const open = new Map<string, T[]>();
  const groups: T[][] = [];
  for (const item of items) {
    const free = sampleOf?.(item).pad !== undefined;
    const key = Object.entries(feedsOf(item))
      .map(([name, { type, dims }]) => `${name} ${type} ${free ? dims.toSpliced(1, 1) : dims}`)
      .join(";");
    let group = open.get(key);
    if (!group || group.length >= limit) {
      group = [];
      open.set(key, group);
      groups.push(group);
    }
    group.push(item);
  }
  return groups;
}

/** Feeds of batch one as one batch; `size` fills a fixed batch up by repeating the last sample. */
export function stack(all: readonly Feeds[], size = all.length): Feeds {
  const rows = Array.from({ length: size }, (_, index) => all[Math.min(index, all.length - 1)]!);
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, stackTensors(rows.map((feeds) => feeds[name]!))]));
}

function stackTensors(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (tensors.length === 1) return first!;
  const { type, dims, data } = first!;
  const joined = data.slice(0, 0).constructor as new (length: number) => Tensor["data"];
  const out = new joined(data.length * tensors.length);
  tensors.forEach((each, index) => {
    (out as Float32Array).set(each.data as Float32Array, index * data.length);
  });
  return { type, dims: [tensors.length, ...dims.slice(1)], data: out };
}

/** One row of a batch, as a batch of one. */
export function row(all: Feeds, index: number): Feeds {
  return Object.fromEntries(
    Object.entries(all).map(([name, { type, dims, data }]) => {
      const size = data.length / (dims[0] ?? 1);
      return [name, { type, dims: [1, ...dims.slice(1)], data: data.slice(index * size, (index + 1) * size) }];
    }),
  );
}
