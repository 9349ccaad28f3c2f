import { type Feeds, type Findings, type Tensor, tensor } from "vitrail/node";

/** Inputs of the smallest usual size: zeros, except for masks, which let everything through. */
export function blankFeeds({ inputs, metadata }: Findings): Feeds {
  const own = inputs.filter(({ name }) => name !== metadata.target?.name);
  return Object.fromEntries(own.map(({ name, type, dims }) => [name, blank(type, dims)]));
}

function blank(type: string, dims: readonly (number | string)[]): Tensor {
  // A dynamic axis: one sample, sixteen tokens, a picture of 224.
  const usual = dims.length === 4 ? [1, 3, 224, 224] : [1, 16, 16, 16];
  const shape = dims.map((dim, axis) => (typeof dim === "number" ? dim : (usual[axis] ?? 1)));
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (type === "int64") return tensor(new BigInt64Array(size).fill(1n), shape);
  if (type === "int32") return tensor(new Int32Array(size).fill(1), shape);
  if (type === "bool") return tensor(new Uint8Array(size).fill(1), shape, "bool");
  if (type === "float16") return tensor(new Uint16Array(size), shape, "float16");
  if (type === "float64") return tensor(new Float64Array(size), shape);
  return tensor(new Float32Array(size), shape);
}
