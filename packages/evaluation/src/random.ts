/** A seeded stream of random numbers. Equal seeds give equal streams on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** Standard normal. */
  normal(): number;
  pick<T>(items: readonly T[]): T;
  /** A new array with the items in random order (Fisher and Yates). */
  shuffle<T>(items: Iterable<T>): T[];
}

export type Seed = string | number;

/** Thirty-two bits of hash for a list of seeds (FNV-1a over their text, then mixed). */
export function hashSeed(...seeds: readonly Seed[]): number {
  let hash = 0x811c9dc5;
  for (const seed of seeds) {
    for (const character of `${seed}\u0000`) {
      hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** The sfc32 generator, keyed by any list of seeds: one stream per sample and purpose, whoever computes it. */
export function createRandom(...seeds: readonly Seed[]): Random {
  const key = hashSeed(...seeds);
  // Whole numbers of 32 bits: as plain variables of a closure they would be boxed at every draw.
  const state = Int32Array.of(key, hashSeed(key, "b"), hashSeed(key, "c"), 1);
  const bits = (): number => {
    const [b, c, counter] = [state[1]!, state[2]!, state[3]!];
    const t = (state[0]! + b + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + t;
    state[3] = counter + 1;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) bits();
  const next = (): number => bits() / 4294967296;
  const int = (n: number): number => Math.floor(next() * n);
  return {
    next,
    int,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: (items) => items[int(items.length)]!,
    shuffle: (items) => {
      const result = [...items];
      for (let i = result.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [result[i], result[j]] = [result[j]!, result[i]!];
      }
      return result;
    },
  };
}
