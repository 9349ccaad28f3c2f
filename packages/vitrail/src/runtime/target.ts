import type { AxisName } from "../flow/output.js";
import type { Metadata } from "../metadata.js";
import type { TargetMode } from "../seed.js";
import { type Classes, classNamed } from "./labels.js";
import { failure, problem } from "./problem.js";
import { sizeOf, type Tensor, tensor, toFloat32 } from "./tensor.js";

/**
 * What to explain, in numbers. A number is one class for every sample; a list holds one entry per sample, which is a class or, where
 * the explained output has more axes than batch and class, one index per axis after the batch. Weights (mode `weights`)
 * have the explained output's shape, or that of one sample of it.
 */
export type Target = number | readonly number[] | readonly (readonly number[])[] | Float32Array;

/** A target in which a class may be named: "cat" for every sample, a name per sample, or [["cat", row, column]]. */
export type NamedTarget = Target | string | readonly (number | string)[] | readonly (readonly (number | string)[])[];

/** Classes by name in place of their numbers. */
export function numbered(target: NamedTarget | undefined, classes: Classes): Target | undefined {
  if (target === undefined || isWeights(target)) return target;
  const number = (entry: number | string) => (typeof entry === "string" ? classNamed(entry, classes) : entry);
  if (typeof target === "number" || typeof target === "string") return number(target);
  return (target as readonly (number | string | readonly (number | string)[])[]).map((entry) =>
    typeof entry === "object" ? entry.map(number) : number(entry),
  ) as Target;
}

export const hasNames = (target: NamedTarget | undefined): boolean =>
  typeof target === "string" || (Array.isArray(target) && target.flat().some((entry) => typeof entry === "string"));

/** One sample's target: an index per axis of the explained output after the batch. */
export type Index = readonly number[];

export const isWeights = (target: NamedTarget | undefined): target is Float32Array => target instanceof Float32Array;

/** `dims` is the explained output's shape with the batch in front. */
export function indicesOf(
  target: Exclude<Target, Float32Array>,
  dims: readonly number[],
  names: readonly AxisName[] = [],
): Index[] {
  const [batch, ...axes] = withClasses(dims);
  const entries = typeof target === "number" ? Array.from({ length: batch }, () => target) : target;
  if (entries.length !== batch) {
    throw wrong(`${entries.length} targets for ${batch} samples`, `give one number for all, or ${batch} of them`);
  }
  return entries.map((entry) => {
    const index = typeof entry === "number" ? [entry] : entry;
    if (index.length !== axes.length) {
      const why = `the explained output is [${dims.join(", ")}]: a target has ${axes.length} indices, not ${index.length}`;
      const one = axes.map((_, axis) => names[axis] ?? (axis === axes.length - 1 ? "class" : "token"));
      throw wrong(why, `give one index per axis after the batch: [[${one.join(", ")}]]`);
    }
    index.forEach((value, axis) => {
      const size = axes[axis]!;
      if (Number.isInteger(value) && value >= 0 && value < size) return;
      const name = names[axis] ?? "class";
      const all = name === "class" ? "classes" : name === "query" ? "queries" : `${name}s`;
      throw wrong(`target ${value} is not one of the ${size} ${all}`, `give a whole number from 0 to ${size - 1}`);
    });
    return index;
  });
}

/** The tensor for a compiled model's target input; `dims` as above. */
export function targetTensor(
  target: Target,
  mode: TargetMode,
  dims: readonly number[],
  names?: readonly AxisName[],
): Tensor {
  const [batch, ...axes] = withClasses(dims);
  const size = sizeOf(axes);
  if (mode === "weights") {
    const weights = new Float32Array(batch * size);
    if (isWeights(target)) {
      if (target.length !== size && target.length !== batch * size) {
        const why = `${target.length} weights for an explained output of shape [${dims.join(", ")}]`;
        throw wrong(why, `give ${size} weights for every sample alike, or ${batch * size}`);
      }
      for (let start = 0; start < weights.length; start += target.length) weights.set(target, start);
    } else {
      indicesOf(target, dims, names).forEach((index, sample) => {
        weights[sample * size + flat(index, axes)] = 1;
      });
    }
    return tensor(weights, dims);
  }
  if (isWeights(target)) {
    throw wrong("this model was compiled for class indices, not weights", 'compile it with { target: "weights" }');
  }
  const indices = indicesOf(target, dims, names);
  return tensor(BigInt64Array.from(indices.flat(), BigInt), axes.length === 1 ? [batch] : [batch, axes.length]);
}

/** Target tensors of one run as one tensor with a leading axis. */
export function stacked(seeds: readonly Tensor[]): Tensor {
  const size = sizeOf(seeds[0]!.dims);
  const data =
    seeds[0]!.data instanceof BigInt64Array
      ? new BigInt64Array(seeds.length * size)
      : new Float32Array(seeds.length * size);
  for (const [i, seed] of seeds.entries()) data.set(seed.data as never, i * size);
  return tensor(data, [seeds.length, ...seeds[0]!.dims]);
}

/** Part `at` of a tensor with a leading axis. */
export function partOf({ type, dims, data }: Tensor, at: number): Tensor {
  const own = dims.slice(1);
  const size = sizeOf(own);
  return { type, dims: own, data: data.slice(at * size, (at + 1) * size) };
}

/** One sample's values of the explained output. */
export function rowOf(logits: Tensor, sample: number): Float32Array {
  const size = sizeOf(withClasses(logits.dims).slice(1));
  return toFloat32(logits).subarray(sample * size, (sample + 1) * size);
}

/** The value that an index stands for. */
export const valueAt = (logits: Tensor, sample: number, index: Index): number | undefined =>
  rowOf(logits, sample)[flat(index, withClasses(logits.dims).slice(1))];

/** The largest entry of each sample: the top class, or the top (position, class). */
export function topIndices(logits: Tensor): Index[] {
  const [batch, ...axes] = withClasses(logits.dims);
  const size = sizeOf(axes);
  const values = toFloat32(logits);
  return Array.from({ length: batch }, (_, sample) => {
    let best = 0;
    for (let i = 1; i < size; i++) if (values[sample * size + i]! > values[sample * size + best]!) best = i;
    return unflat(best, axes);
  });
}

/** The indices that were asked for, one per sample; they were checked before. */
export function targetIndices(target: Exclude<Target, Float32Array>, logits: Tensor): Index[] {
  const entries = typeof target === "number" ? Array.from({ length: logits.dims[0] ?? 1 }, () => target) : target;
  return entries.map((entry) => (typeof entry === "number" ? [entry] : entry));
}

/** What the numbers of a target mean; files that do not say so hold classes in their last axis, maps in their first. */
export function axesOf({ target }: Pick<Metadata, "target">, rank: number): readonly AxisName[] {
  const places = Array.from({ length: Math.max(0, rank - 2) }, (): AxisName => "position");
  return target.axes ?? (rank === 4 ? ["class", "row", "column"] : [...places, "class"]);
}

/** Which number of a target is the class (of question answering the token); undefined where there are only places. */
export function classPosition(metadata: Pick<Metadata, "target">, rank: number): number | undefined {
  const axes = axesOf(metadata, rank);
  const at = axes.indexOf("class");
  return at >= 0 ? at : axes.length === 1 && axes[0] !== "rank" ? 0 : undefined;
}

/** An output without a class axis (one number per sample) is treated as if it had one class. */
const withClasses = ([batch = 1, ...axes]: readonly number[]): [number, ...number[]] => [
  batch,
  ...(axes.length === 0 ? [1] : axes),
];

const flat = (index: Index, axes: readonly number[]): number =>
  index.reduce((position, value, axis) => position * axes[axis]! + value, 0);

function unflat(position: number, axes: readonly number[]): Index {
  const index: number[] = [];
  for (const size of axes.toReversed()) {
    index.unshift(position % size);
    position = Math.floor(position / size);
  }
  return index;
}

const wrong = (why: string, hint: string) => failure(problem("E064", { why, try: hint }));
