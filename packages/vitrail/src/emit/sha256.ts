/** SHA-256 (FIPS 180-4), synchronous. The platform's own is used where it can be reached without waiting (Node). */

const K = Uint32Array.from({ length: 64 }, (_, i) => fraction(Math.cbrt(prime(i))));
const H0 = Uint32Array.from({ length: 8 }, (_, i) => fraction(Math.sqrt(prime(i))));

function prime(n: number): number {
  let found = 0;
  for (let candidate = 2; ; candidate++) {
    let divisor = 2;
    while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor++;
    if (divisor * divisor > candidate && found++ === n) return candidate;
  }
}
/** The first 32 bits of the fractional part. */
function fraction(x: number): number {
  return Math.floor((x - Math.floor(x)) * 2 ** 32);
}

interface NodeCrypto {
  createHash(name: string): { update(bytes: Uint8Array): { digest(encoding: "hex"): string } };
}

export function sha256(bytes: Uint8Array): string {
  const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  const crypto = host?.getBuiltinModule?.("node:crypto") as NodeCrypto | undefined;
  return crypto ? crypto.createHash("sha256").update(bytes).digest("hex") : sha256Portable(bytes);
}

/** The same in plain arithmetic. */
export function sha256Portable(bytes: Uint8Array): string {
  const state = H0.slice();
  const words = new Uint32Array(64);
  const whole = bytes.length - (bytes.length % 64);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += 64) block(state, words, view, at);
  const tail = new Uint8Array(bytes.length - whole < 56 ? 64 : 128);
  tail.set(bytes.subarray(whole));
  tail[bytes.length - whole] = 0x80;
  const end = new DataView(tail.buffer);
  end.setBigUint64(tail.length - 8, BigInt(bytes.length) * 8n);
  for (let at = 0; at < tail.length; at += 64) block(state, words, end, at);
  return [...state].map((x) => x.toString(16).padStart(8, "0")).join("");
}

const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

function block(state: Uint32Array, w: Uint32Array, view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const [x, y] = [w[i - 15]!, w[i - 2]!];
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const t1 = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
    const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((x, i) => {
    state[i] = state[i]! + x;
  });
}
