/** ONNX element types by name, with their number in `TensorProto.DataType`. */
const NUMBERS = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
} as const;

export type ElementType = keyof typeof NUMBERS;

const NAMES = new Map<number, ElementType>(
  Object.entries(NUMBERS).map(([name, number]) => [number, name as ElementType]),
);

export const elementTypeNumber = (type: ElementType): number => NUMBERS[type];
export const elementTypeOf = (number: number): ElementType | undefined => NAMES.get(number);

/** Bits of one element; complex numbers are two. */
export function bitsOf(type: ElementType): number {
  const [number] = type.match(/\d+/) ?? ["8"];
  return Number(number);
}

/** Types whose values can carry gradients and relevance. */
export const isFloat = (type: ElementType): boolean =>
  type === "float32" || type === "float16" || type === "float64" || type === "bfloat16";

export const isInteger = (type: ElementType): boolean => /^u?int/.test(type);

/** Short names of the printed form: `f32`, `i64`, `bool`. */
export const shortName = (type: ElementType): string =>
  type.replace("bfloat", "bf").replace("float", "f").replace("uint", "u").replace("int", "i");
