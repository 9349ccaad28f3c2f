/** Movement: every element of the result is an element of the input or a constant. The gradient puts elements back. */
import { fail } from "../errors.js";
import { flag, int, ints, required, text } from "../ir/attribute.js";
import { intsOf, type Node, numbersOf, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { Misfit } from "../tensor/misfit.js";
import { broadcast, normalizeAxis, type Shape } from "../tensor/shape.js";
import { elementCount } from "../tensor/tensor.js";
import { type Builder, range } from "./builder.js";
import { BIGGEST_FOLD, entriesOf, foldInts, input, pickInts } from "./infer.js";
import { defineOp, type GradientContext, type InferContext, type Inferred } from "./operator.js";
import { inputSince } from "./parameter.js";

const backToInput = ({ x: [x], dy, b }: GradientContext): Value[] => [b.reshapeLike(dy, x!)];

export const Reshape = defineOp("Reshape", {
  role: "movement",
  verbatim: true,
  infer: (c) => {
    const x = input(c, 0);
    const target = entriesOf(c.node.inputs[1]);
    const shape = target ? reshapeTo(x.shape, target, c) : unknownShape(c.node.inputs[1], c);
    const entries = entriesOf(x);
    const dims = shape?.every((d) => typeof d === "number") ? (shape as readonly number[]) : undefined;
    return { type: x.type, shape, ints: entries && dims ? { dims, entries } : undefined, number: x.number };
  },
  gradient: backToInput,
});

/** Resolves 0 (copy) and -1 (the rest) of a Reshape target. */
function reshapeTo(from: Shape | undefined, target: readonly D.Dim[], c: InferContext): Shape {
  const allowZero = flag(c.node, "allowzero");
  const copied = target.map((d, i) => (d === 0 && !allowZero ? (from?.[i] ?? c.fresh("copied")) : d));
  const at = copied.indexOf(-1);
  if (at < 0) return copied;
  const known = D.product(copied.filter((_, i) => i !== at));
  const total = from && D.product(from);
  const rest = total === undefined ? undefined : D.divideExactly(total, known);
  copied[at] = rest ?? (total === undefined ? c.fresh("rest") : D.floorDivide(total, known));
  return copied;
}

/** No runtime has tensors of more axes. */
const MOST_AXES = 64;

/** The rank of a shape tensor is known even where its entries are not. */
export function unknownShape(shape: Value | undefined, c: InferContext): Shape | undefined {
  const rank = shape?.shape?.[0];
  if (typeof rank !== "number") return undefined;
  if (rank > MOST_AXES) throw new Misfit(`it makes a tensor of ${rank} axes`);
  return range(rank).map(() => c.fresh("dim"));
}

export const Transpose = defineOp("Transpose", {
  role: "movement",
  verbatim: true,
  infer: (c) => {
    const x = input(c, 0);
    if (!x.shape) return { type: x.type, shape: undefined };
    const perm = permOf(c.node, x.shape.length);
    const shape = perm.map((p) => x.shape![p]!);
    return { type: x.type, shape, ints: pickInts(x, shape, (at) => perm.map((_, i) => at[perm.indexOf(i)]!)) };
  },
  gradient: ({ node, x: [x], dy, b }) => {
    const perm = permOf(node, b.rank(x!));
    return [
      b.transpose(
        dy,
        range(perm.length).map((i) => perm.indexOf(i)),
      ),
    ];
  },
});
/** @throws Misfit where it does not name each axis once */
export function permOf(node: Pick<Node, "attributes">, rank: number): readonly number[] {
  const perm = ints(node, "perm") ?? range(rank).reverse();
  if (perm.length !== rank || range(rank).some((axis) => !perm.includes(axis)))
    throw new Misfit(`its perm [${perm}] does not name each of ${rank} axes once`);
  return perm;
}

const axesInput = (c: { node: Pick<Node, "attributes" | "inputs"> }): readonly number[] | undefined =>
  ints(c.node, "axes") ?? numbersOf(c.node.inputs[1]);

export const Unsqueeze = defineOp("Unsqueeze", {
  role: "movement",
  verbatim: true,
  infer: (c): Inferred => {
    const x = input(c, 0);
    const axes = axesInput(c);
    if (!x.shape || !axes) return { type: x.type, shape: undefined, number: x.number };
    const rank = x.shape.length + axes.length;
    const added = new Set(axes.map((a) => normalizeAxis(a, rank)));
    const rest = [...x.shape];
    const shape = range(rank).map((i) => (added.has(i) ? 1 : rest.shift()!));
    return { type: x.type, shape, ints: relabel(x, shape), number: x.number };
  },
  gradient: backToInput,
  ...inputSince("axes", 13),
});

export const Squeeze = defineOp("Squeeze", {
  role: "movement",
  verbatim: true,
  infer: (c): Inferred => {
    const x = input(c, 0);
    const axes = axesInput(c);
    const rank = x.shape?.length;
    if (!x.shape || rank === undefined) return { type: x.type, shape: undefined };
    const removed = new Set(axes?.map((a) => normalizeAxis(a, rank)));
    const shape = x.shape.filter((d, i) => (axes ? !removed.has(i) : d !== 1));
    return { type: x.type, shape, ints: relabel(x, shape), number: x.number };
  },
  gradient: backToInput,
  ...inputSince("axes", 13),
});

const relabel = (x: Value, shape: Shape) => {
  const known = intsOf(x);
  return known && shape.every((d) => typeof d === "number")
    ? { dims: shape as readonly number[], entries: known.entries }
    : undefined;
};

export const Flatten = defineOp("Flatten", {
  role: "movement",
  verbatim: true,
  infer: (c): Inferred => {
    const x = input(c, 0);
    const [given, rank] = [int(c.node, "axis", 1), x.shape?.length ?? 0];
    const axis = given === rank ? rank : normalizeAxis(given, rank);
    return { type: x.type, shape: x.shape && [D.product(x.shape.slice(0, axis)), D.product(x.shape.slice(axis))] };
  },
  gradient: backToInput,
});

export const Expand = defineOp("Expand", {
  role: "movement",
  verbatim: true,
  infer: (c): Inferred => {
    const x = input(c, 0);
    const target = entriesOf(c.node.inputs[1]);
    const shape = target ? x.shape && broadcast(x.shape, target) : unknownShape(c.node.inputs[1], c);
    const flat = shape && foldInts([x], (d) => d);
    return {
      type: x.type,
      shape,
      ints: flat && sameNumbers(flat.dims, shape) ? flat : expandInts(x, shape),
      number: undefined,
    };
  },
  gradient: ({ x: [x], dy, b }) => [b.unbroadcast(dy, x!)],
});
const sameNumbers = (a: readonly number[], s: Shape): boolean => a.length === s.length && a.every((d, i) => d === s[i]);
function expandInts(x: Value, shape: Shape | undefined) {
  if (!intsOf(x) || !shape?.every((d) => typeof d === "number")) return undefined;
  const dims = shape as readonly number[];
  const count = elementCount(dims);
  if (count > BIGGEST_FOLD) return undefined;
  const like = { ints: { dims, entries: new Array(count).fill(0) } } as unknown as Value;
  return foldInts([x, like], (d) => d);
}

export const Tile = defineOp("Tile", {
  role: "movement",
  infer: (c): Inferred => {
    const x = input(c, 0);
    const repeats = entriesOf(c.node.inputs[1]);
    return { type: x.type, shape: x.shape?.map((d, i) => (repeats ? D.multiply(d, repeats[i]!) : c.fresh("tiled"))) };
  },
  gradient: ({ node, x: [x], dy, b }) => {
    const repeats = entriesOf(node.inputs[1]);
    if (!repeats) fail("E025", "Tile", { at: place(node), why: "its repeats are computed from data" });
    const split = b.reshape(
      dy,
      b.shape(x!).flatMap((d, i) => [repeats[i]!, d]),
    );
    return [
      b.reduceSum(
        split,
        repeats.map((_, i) => 2 * i),
        false,
      ),
    ];
  },
});

export const Trilu = defineOp("Trilu", {
  role: "movement",
  infer: (c) => ({ type: input(c, 0).type, shape: input(c, 0).shape }),
  gradient: ({ node, dy, b }) => [b.emit("Trilu", [dy, ...node.inputs.slice(1)], node.attributes)],
});

const blocks = (name: string, inverse: string, grow: boolean) =>
  defineOp(name, {
    role: "movement",
    infer: (c): Inferred => {
      const x = input(c, 0);
      const size = required(c.node, "blocksize", "int");
      const [n, ch, h, w] = x.shape ?? [];
      if (n === undefined) return { type: x.type, shape: undefined };
      const area = size * size;
      return {
        type: x.type,
        shape: grow
          ? [n, D.floorDivide(ch!, area), D.multiply(h!, size), D.multiply(w!, size)]
          : [n, D.multiply(ch!, area), D.floorDivide(h!, size), D.floorDivide(w!, size)],
      };
    },
    gradient: ({ node, x: [x], dy, b }) => {
      if (text(node, "mode") === "CRD") return [fromPixels(b, dy, b.shape(x!), required(node, "blocksize", "int"))];
      return [b.emit(inverse, [dy], { blocksize: required(node, "blocksize", "int") })];
    },
  });

/** Channels that became r x r pixels, channel by channel (a pixel shuffle), come back: [n, c, h r, w r] -> [n, c r r, h, w]. */
function fromPixels(b: Builder, dy: Value, shape: Shape, r: number): Value {
  const [n, channels, h, w] = shape;
  const apart = b.reshape(dy, [n!, D.floorDivide(channels!, r * r), h!, r, w!, r]);
  return b.reshape(b.transpose(apart, [0, 1, 3, 5, 2, 4]), shape);
}
export const DepthToSpace = blocks("DepthToSpace", "SpaceToDepth", true);
export const SpaceToDepth = blocks("SpaceToDepth", "DepthToSpace", false);
