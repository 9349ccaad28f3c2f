import { type Index, type Tensor, toFloat32 } from "vitrail/node";

/** Shape of an output with the batch in front; one number per sample counts as one class. */
const shapeOf = ({ dims }: Tensor): readonly number[] => (dims.length === 1 ? [dims[0]!, 1] : dims);

/** Everything that the model says about one row of a batch. */
export function rowOf(logits: Tensor, row: number): Float32Array {
  const size = shapeOf(logits)
    .slice(1)
    .reduce((product, dim) => product * dim, 1);
  return toFloat32(logits).slice(row * size, (row + 1) * size);
}

/** The scores of one row's classes, at a position where the output has more axes than batch and class. */
export function classesOf(logits: Tensor, row: number, position: Index): Float32Array {
  const shape = shapeOf(logits);
  const classes = shape.at(-1)!;
  const start = [row, ...position].reduce((sum, index, axis) => sum * shape[axis]! + index, 0);
  return toFloat32(logits).slice(start * classes, (start + 1) * classes);
}

/** The highest classes; for outputs with more axes, the highest (position, class). */
export function topOf(values: ArrayLike<number>, shape: readonly number[], count: number): Index[] {
  const order = Array.from(values, (value, index) => ({ value, index })).sort((a, b) => b.value - a.value);
  return order.slice(0, count).map(({ index }) => positionOf(index, shape));
}

/** The axes after the batch. */
export const axesOf = (logits: Tensor): readonly number[] => shapeOf(logits).slice(1);

export function mean(all: readonly Float32Array[]): Float32Array {
  const [first, ...others] = all;
  return first!.map((value, index) => others.reduce((sum, each) => sum + each[index]!, value) / all.length);
}

function positionOf(index: number, shape: readonly number[]): Index {
  const position: number[] = [];
  for (const size of shape.toReversed()) {
    position.unshift(index % size);
    index = Math.floor(index / size);
  }
  return position;
}
