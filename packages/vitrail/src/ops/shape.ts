/** Shapes, constants and type changes: what exporters compute beside the data. */
import { fail } from "../errors.js";
import { int, required, tensor } from "../ir/attribute.js";
import { intsOf, numberOf, numbersOf, place, type SymbolicInts, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { type ElementType, elementTypeOf, isFloat } from "../tensor/element-type.js";
import { readNumbers } from "../tensor/tensor.js";
import { truncatedDivide } from "./arithmetic.js";
import { range } from "./builder.js";
import { BIGGEST_FOLD, entriesOf, input, vector } from "./infer.js";
import { realView } from "./integer-product.js";
import { unknownShape } from "./movement.js";
import { type CanonicalContext, defineOp, type Inferred, notCovered, type Operator } from "./operator.js";

export const Shape = defineOp("Shape", {
  role: "opaque",
  infer: (c): Inferred => {
    const shape = input(c, 0).shape;
    const part = shape?.slice(int(c.node, "start", 0), int(c.node, "end", shape.length));
    return { type: "int64", shape: part ? [part.length] : undefined, ints: part && vector(part) };
  },
});

export const Size = defineOp("Size", {
  role: "opaque",
  infer: (c): Inferred => {
    const shape = input(c, 0).shape;
    return { type: "int64", shape: [], ints: shape && { dims: [], entries: [D.product(shape)] } };
  },
});

/** Between floating-point types the cotangent needs no cast: it is always in the real type of the added part. */
export const Cast = defineOp("Cast", {
  role: "elementwise",
  verbatim: true,
  infer: (c): Inferred => {
    const x = input(c, 0);
    const type = elementTypeOf(required(c.node, "to", "int")) ?? "float32";
    const known = intsOf(x);
    const number = isFloat(x.type) && !isFloat(type) ? numberOf(x) : undefined;
    const truncated = number === undefined ? undefined : [type === "bool" ? number : Math.trunc(number)];
    const dims = x.shape?.map(() => 1) ?? [];
    const rounded = x.ratio && [truncatedDivide(x.ratio.over, x.ratio.by)];
    const entries = truncated ?? rounded;
    const exact = !isFloat(type) ? (known ?? (entries && { dims, entries })) : undefined;
    const [size] = known?.entries.length === 1 ? known.entries : [];
    return {
      type,
      shape: x.shape,
      ints: type === "bool" ? exact && truth(exact) : exact,
      number: isFloat(type) ? (numberOf(x) ?? singleInt(x)) : undefined,
      ratio: isFloat(type) ? (x.ratio ?? (typeof size === "object" ? { over: size, by: 1 } : undefined)) : undefined,
    };
  },
  // Integers that carry data become real here: a product of integers, a value that was rounded.
  canonical: ({ node, inputs: [x], b }) => {
    const type = elementTypeOf(required(node, "to", "int")) ?? "float32";
    const real = isFloat(type) && !isFloat(x!.type) ? realView(b, x!) : undefined;
    return real && [b.cast(real, type)];
  },
  gradient: ({ dy }) => [dy],
});
/** Non-zero is true; a positive symbolic extent is. */
function truth({ dims, entries }: SymbolicInts): SymbolicInts | undefined {
  const bits = entries.map((e) => (typeof e === "number" ? Number(e !== 0) : D.isPositive(e) ? 1 : undefined));
  return bits.every((b) => b !== undefined) ? { dims, entries: bits } : undefined;
}
const singleInt = (x: Value): number | undefined => {
  const entries = intsOf(x)?.entries;
  return entries?.length === 1 && typeof entries[0] === "number" ? entries[0] : undefined;
};

export const CastLike = defineOp("CastLike", {
  role: "elementwise",
  infer: (c): Inferred => ({ type: input(c, 1).type, shape: input(c, 0).shape, number: input(c, 0).number }),
  canonical: ({ inputs: [x, like], b }) => [b.cast(x!, like!.type)],
});

export const ConstantOfShape = defineOp("ConstantOfShape", {
  role: "opaque",
  infer: (c): Inferred => {
    const dims = entriesOf(c.node.inputs[0]);
    const fill = tensor(c.node, "value");
    const [entry] = (fill && readNumbers(fill)) ?? [0];
    const type: ElementType = fill?.type ?? "float32";
    const numeric = dims?.every((d) => typeof d === "number") ? (dims as readonly number[]) : undefined;
    const count = numeric?.reduce((n, d) => n * d, 1);
    const fits = count !== undefined && count <= BIGGEST_FOLD && !isFloat(type);
    return {
      type,
      shape: dims ?? unknownShape(c.node.inputs[0], c),
      ints: fits ? { dims: numeric!, entries: new Array<number>(count).fill(entry ?? 0) } : undefined,
    };
  },
});

export const Range = defineOp("Range", {
  role: "opaque",
  infer: (c): Inferred => {
    const [start, limit, delta] = c.node.inputs.map((v) => entriesOf(v)?.[0]);
    const type = input(c, 0).type;
    if (start === undefined || limit === undefined || typeof delta !== "number")
      return { type, shape: [c.fresh("range")] };
    const span = delta > 0 ? D.subtract(limit, start) : D.subtract(start, limit);
    const steps = D.floorDivide(D.add(span, Math.abs(delta) - 1), Math.abs(delta));
    const length = typeof steps === "number" ? Math.max(steps, 0) : steps;
    const fits = typeof length === "number" && length <= BIGGEST_FOLD && typeof start === "number";
    return { type, shape: [length], ints: fits ? vector(range(length).map((i) => start + i * delta)) : undefined };
  },
});

export const NonZero = defineOp("NonZero", {
  role: "opaque",
  infer: (c): Inferred => {
    const rank = input(c, 0).shape?.length;
    return { type: "int64", shape: rank === undefined ? undefined : [rank, c.fresh("nonzero")] };
  },
});

export const EyeLike = defineOp("EyeLike", {
  role: "opaque",
  infer: (c): Inferred => ({
    type: elementTypeOf(int(c.node, "dtype", 0)) ?? input(c, 0).type,
    shape: input(c, 0).shape,
  }),
});
export const TopK = defineOp("TopK", {
  role: "opaque",
  sorts: true,
  infer: (c): readonly Inferred[] => {
    const shape = input(c, 0).shape?.map(() => c.fresh("topk"));
    return [
      { type: input(c, 0).type, shape },
      { type: "int64", shape },
    ];
  },
  gradient: notCovered,
});

/** Names for what is already there: in the canonical graph they vanish. */
const alias = (name: string) =>
  ({
    name,
    role: "movement",
    infer: (c) => ({ type: input(c, 0).type, shape: input(c, 0).shape }),
    canonical: ({ inputs }) => [inputs[0]],
    gradient: ({ dy }) => [dy],
  }) satisfies Operator;
export const Identity = alias("Identity");
/** Nothing, unless it was exported in training mode: then every run drops other values. */
export const Dropout = {
  ...alias("Dropout"),
  canonical: ({ node, inputs: [x, ratio, training] }: CanonicalContext) => {
    if (x!.data && numbersOf(training)?.[0] && numbersOf(ratio)?.[0] !== 0)
      fail("E025", "Dropout", {
        at: place(node),
        why: "it was exported in training mode: every run drops other values, and no two explanations would agree",
        try: "export again after model.eval(), without training=TrainingMode.TRAINING",
      });
    return [x];
  },
} satisfies Operator;
