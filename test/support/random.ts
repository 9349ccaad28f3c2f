/** Seeded random numbers: every test and benchmark that draws names its seed. */
export interface Random {
  /** In [0, 1). */
  readonly uniform: () => number;
  /** Standard normal. */
  readonly normal: () => number;
  /** Whole number in [0, below). */
  readonly integer: (below: number) => number;
  readonly normals: (count: number, deviation?: number) => number[];
}

/** mulberry32. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return {
    uniform,
    normal,
    integer: (below) => Math.floor(uniform() * below),
    normals: (count, deviation = 1) => Array.from({ length: count }, () => deviation * normal()),
  };
}

/** A seed from a name, so that a test's numbers do not depend on its neighbours (FNV-1a). */
export const seedFrom = (name: string): number =>
  [...name].reduce((hash, c) => Math.imul(hash ^ c.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5);
