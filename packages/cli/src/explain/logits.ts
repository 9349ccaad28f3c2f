/** The numbers of an explained output: of one row, of one place, the highest. */
import { type Index, type Tensor, toFloat32 } from "vitrail/node";

/** Shape of an output with the batch in front; one number per sample counts as one class. */
const shapeOf = ({ dims }: Tensor): readonly number[] => (dims.length === 1 ? [dims[0]!, 1] : dims);

const product = (dims: readonly number[]): number => dims.reduce((all, dim) => all * dim, 1);

/** Everything that the model says about one row of a batch. */
export function rowOf(logits: Tensor, row: number): Float32Array {
  const size = product(shapeOf(logits).slice(1));
  return toFloat32(logits).slice(row * size, (row + 1) * size);
}

/**
 * The scores of all classes at the place of a target.
 * @param values one row, in the shape `axes`
 * @param classAt which of the axes holds classes; without one, the value at the place is the only score
 */
export function classesAt(
  values: Float32Array,
  axes: readonly number[],
  classAt: number | undefined,
  index: Index,
): Float32Array {
  const strides = axes.map((_, i) => product(axes.slice(i + 1)));
  const start = index.reduce((sum, at, i) => sum + (i === classAt ? 0 : at * strides[i]!), 0);
  if (classAt === undefined) return values.slice(start, start + 1);
  return Float32Array.from({ length: axes[classAt]! }, (_, c) => values[start + c * strides[classAt]!]!);
}

/** The highest numbers of one row among those that fit `at` (a number for each axis that is given), as targets. */
export function topOf(
  values: ArrayLike<number>,
  axes: readonly number[],
  count: number,
  at: readonly (number | undefined)[] = [],
): Index[] {
  const best: number[] = [];
  const higher = (a: number, b: number) => values[a]! > values[b]! || (values[a] === values[b] && a < b);
  for (let i = 0; i < values.length; i++) {
    if (best.length === count && !higher(i, best.at(-1)!)) continue;
    if (at.length > 0 && !positionOf(i, axes).every((own, axis) => at[axis] === undefined || at[axis] === own))
      continue;
    const place = best.findIndex((other) => higher(i, other));
    best.splice(place < 0 ? best.length : place, 0, i);
    if (best.length > count) best.pop();
  }
  return best.map((i) => positionOf(i, axes));
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
