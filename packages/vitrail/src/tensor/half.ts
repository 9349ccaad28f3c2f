/** 16-bit floats as numbers. */

/** IEEE binary16 bits to a number: (-1)^s 2^(e-15) (1 + m/1024), subnormals below 2^-14. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * 2 ** (exponent - 15) * (1 + mantissa / 1024);
}

/** The nearest binary16 bits, ties to even; what is too large becomes infinite. */
export function toFloat16(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = magnitude < 2 ** -14 ? -14 : Math.floor(Math.log2(magnitude));
  return sign | (((exponent + 14) << 10) + toEven(magnitude / 2 ** (exponent - 10)));
}

function toEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);

/** bfloat16 bits: the upper half of a binary32. */
export function fromBfloat16(bits: number): number {
  word[0] = bits << 16;
  return real[0]!;
}
