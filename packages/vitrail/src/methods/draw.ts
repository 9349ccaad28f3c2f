/** A seeded stream of random numbers (sfc32): the same on every machine, whatever the batch. */
export interface Draw {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
  /** Standard normal (Box and Muller). */
  readonly normal: () => number;
}

export function draw(seed: number): Draw {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9 | 0, Math.floor(seed / 4294967296) | 0, 1];
  const bits = (): number => {
    const t = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  // Seeds that differ in one bit take some rounds to part.
  for (let i = 0; i < 16; i++) bits();
  const uniform = () => bits() / 4294967296;
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()) };
}
