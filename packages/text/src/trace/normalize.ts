import type { Normalizer, StageConfig } from "./library.js";
import { concat, inserted, replaceAll, replaced, slice, type Tracked } from "./tracked.js";

/** Runs a normalizer and keeps the spans. */
export function normalize(t: Tracked, step: Normalizer, config: StageConfig): Tracked {
  if (config.type === "Sequence") {
    const steps = (step as unknown as { normalizers: Normalizer[] }).normalizers;
    const configs = config.normalizers as StageConfig[];
    return steps.reduce<Tracked>((text, each, i) => normalize(text, each, configs[i]!), t);
  }
  const out = step.normalize(t.text);
  if (out === t.text) return t;
  const direct = byKind(t, step, config);
  return direct && direct.text === out ? direct : aligned(t, (text) => step.normalize(text));
}

/** Steps that look at more than one character and its accents. */
function byKind(t: Tracked, step: Normalizer, config: StageConfig): Tracked | undefined {
  switch (config.type) {
    case "Prepend":
      return concat([inserted(String(config.prepend), t.starts[0] ?? 0), t]);
    case "Strip": {
      const left = config.strip_left ? t.text.length - t.text.trimStart().length : 0;
      const right = config.strip_right ? t.text.trimEnd().length : t.text.length;
      return slice(t, left, Math.max(left, right));
    }
    case "Replace": {
      const { pattern } = step as unknown as { pattern: RegExp | null };
      return pattern ? replaceAll(t, pattern, String(config.content ?? "")) : undefined;
    }
    default:
      return undefined;
  }
}

/** A character with the marks that follow it: what lower-casing, accent stripping and Unicode normal forms act on. */
const CLUSTER = /\P{M}\p{M}*|\p{M}+/gu;

/**
 * Aligns `f(t.text)` with `t` for a function that acts on clusters. Where it looks further (a final sigma, Hangul letters
 * that combine), the text is halved until the place is found, and that place is aligned in proportion.
 */
export function aligned(t: Tracked, f: (text: string) => string): Tracked {
  const clusters = t.text.match(CLUSTER) ?? [];
  const images = new Map<string, string>();
  const image = (cluster: string): string => {
    const found = images.get(cluster) ?? f(cluster);
    images.set(cluster, found);
    return found;
  };
  const offsets = [0];
  for (const cluster of clusters) offsets.push(offsets.at(-1)! + cluster.length);

  const visit = (from: number, to: number, whole: string): Tracked[] => {
    const parts = clusters.slice(from, to);
    if (parts.map(image).join("") === whole) {
      return parts.map((part, i) => rewritten(slice(t, offsets[from + i]!, offsets[from + i + 1]!), image(part)));
    }
    for (const middle of cutsNear((from + to) >> 1, from, to)) {
      const left = f(t.text.slice(offsets[from]!, offsets[middle]!));
      const right = f(t.text.slice(offsets[middle]!, offsets[to]!));
      if (left + right === whole) return [...visit(from, middle, left), ...visit(middle, to, right)];
    }
    return [replaced(slice(t, offsets[from]!, offsets[to]!), whole)];
  };
  return concat(visit(0, clusters.length, f(t.text)));
}

/** A cluster that stays one keeps its places unit by unit; of one that becomes several characters, each comes from all of it. */
function rewritten(cluster: Tracked, text: string): Tracked {
  const [own] = text.match(CLUSTER) ?? [];
  if (own === text && text.length === cluster.text.length) return replaced(cluster, text);
  const length = text.length;
  const [start, end] = [cluster.starts[0] ?? 0, Math.max(...cluster.ends)];
  return { text, starts: new Array<number>(length).fill(start), ends: new Array<number>(length).fill(end) };
}

/** Places to cut between `from` and `to`, the middle first. */
function cutsNear(middle: number, from: number, to: number): number[] {
  const cuts = Array.from({ length: 17 }, (_, i) => middle + (i % 2 ? -1 : 1) * ((i + 1) >> 1));
  return cuts.filter((cut) => cut > from && cut < to);
}
