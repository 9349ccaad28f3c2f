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

/** Numbers made at once. */
const blockSize = 64;

/** The sfc32 generator, keyed by any list of seeds: one stream per sample and purpose, whoever computes it. */
export function createRandom(...seeds: readonly Seed[]): Random {
  const key = hashSeed(...seeds);
  // Made in blocks, so that the state stays in registers.
  const state = Int32Array.of(key, hashSeed(key, "b"), hashSeed(key, "c"), 1);
  const block = new Float64Array(blockSize);
  const refill = (): void => {
    let [a, b, c, counter] = [state[0]!, state[1]!, state[2]!, state[3]!];
    for (let i = 0; i < blockSize; i++) {
      const t = (a + b + counter) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + t) | 0;
      counter++;
      block[i] = (t >>> 0) / 4294967296;
    }
    state.set([a, b, c, counter]);
  };
  refill();
  let position = 12;
  const next = (): number => {
    if (position === blockSize) {
      refill();
      position = 0;
    }
    return block[position++]!;
  };
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
