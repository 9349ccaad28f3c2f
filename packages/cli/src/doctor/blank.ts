import { type Feeds, type Findings, type Tensor, tensor } from "vitrail/node";

/** Sizes for the axes that a model leaves open. */
export interface BlankSizes {
  readonly batch?: number;
  readonly tokens?: number;
  /** Side of a picture. */
  readonly size?: number;
}

/** Inputs of the smallest usual size: a gentle wave, and ones for ids and for masks, which let everything through. */
export function blankFeeds(
  { inputs, metadata }: Pick<Findings, "inputs"> & { metadata?: Findings["metadata"] },
  sizes: BlankSizes = {},
): Feeds {
  const own = inputs.filter(({ name }) => name !== metadata?.target?.name);
  return Object.fromEntries(own.map(({ name, type, dims }) => [name, blank(type, dims, sizes)]));
}

function blank(
  type: string,
  dims: readonly (number | string)[],
  { batch = 1, tokens = 16, size: side = 224 }: BlankSizes,
): Tensor {
  const usual = dims.length === 4 ? [batch, 3, side, side] : [batch, tokens, 16, 16];
  const shape = dims.map((dim, axis) => (typeof dim === "number" ? dim : (usual[axis] ?? 1)));
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (type === "int64") return tensor(new BigInt64Array(size).fill(1n), shape);
  if (type === "int32") return tensor(new Int32Array(size).fill(1), shape);
  if (type === "bool") return tensor(new Uint8Array(size).fill(1), shape, "bool");
  if (type === "float16") return tensor(new Uint16Array(size), shape, "float16");
  if (type === "float64") return tensor(new Float64Array(size), shape);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.37)),
    shape,
  );
}
