/**
 * What the axes of a tensor are made of. Exporters fold samples, heads, windows and tokens into one axis and take them apart
 * again; a layout keeps the pieces (atoms) apart, so that Reshape and Transpose cost nothing and "which sample is this" or
 * "which token is this" can be answered anywhere. Layouts are found from the output backwards, operator by operator.
 */
import { fail } from "../errors.js";
import { int } from "../ir/attribute.js";
import { type Node, place, type Value } from "../ir/graph.js";
import { equationOf } from "../ops/einsum.js";
import { permOf } from "../ops/movement.js";
import { reducedAxes } from "../ops/reduction.js";
import { type Dim, divideExactly, equal, multiply, product } from "../tensor/dim.js";
import { normalizeAxis, type Shape } from "../tensor/shape.js";

/** A piece of an axis. Channels are interchangeable for tokens: heads, features, classes. Atoms are compared by identity. */
export interface Atom {
  readonly size: Dim;
  readonly kind: "batch" | "token" | "channel";
}
export type Layout = readonly (readonly Atom[])[];

export const atom = (size: Dim, kind: Atom["kind"]): Atom => ({ size, kind });
const axisOf = (size: Dim, kind: Atom["kind"]): readonly Atom[] => (size === 1 ? [] : [atom(size, kind)]);

/** The atoms that a row keeps, in order: everything but channels. */
export const keptAtoms = (layout: Layout): readonly Atom[] => layout.flat().filter((a) => a.kind !== "channel");

/** Distributes a sequence of atoms over axes of the given extents, splitting atoms where an axis ends inside one. */
export function regroup(atoms: readonly Atom[], shape: Shape): Layout | undefined {
  const rest = [...atoms];
  const layout: Atom[][] = [];
  for (const extent of shape) {
    const axis: Atom[] = [];
    let filled: Dim = 1;
    while (!equal(filled, extent)) {
      const next = rest.shift();
      if (!next) return undefined;
      const grown = multiply(filled, next.size);
      if (divideExactly(extent, grown) !== undefined) {
        axis.push(next);
        filled = grown;
        continue;
      }
      const outer = divideExactly(extent, filled);
      const inner = outer === undefined ? undefined : divideExactly(next.size, outer);
      if (outer === undefined || inner === undefined) return undefined;
      axis.push({ size: outer, kind: next.kind });
      rest.unshift({ size: inner, kind: next.kind });
      filled = extent;
    }
    layout.push(axis);
  }
  return rest.length === 0 ? layout : undefined;
}

/**
 * As `regroup`, where some neighbouring axes have extents that cannot be compared (one that only the data decides, one that the
 * exporter replaced by a number further up, a padded size that is the unpadded one whenever the model runs): the axes around
 * them are matched from both ends. A single one gets the atoms left; several get new ones, where all that is left is tokens.
 */
function regroupAround(atoms: readonly Atom[], shape: Shape): Layout | undefined {
  const exact = regroup(atoms, shape);
  if (exact) return exact;
  for (let count = 1; count <= shape.length; count++)
    for (let axis = 0; axis + count <= shape.length; axis++)
      for (let from = 0; from <= atoms.length; from++)
        for (let to = from + 1; to <= atoms.length; to++) {
          const before = regroup(atoms.slice(0, from), shape.slice(0, axis));
          const after = before && regroup(atoms.slice(to), shape.slice(axis + count));
          const middle = after && incomparable(atoms.slice(from, to), shape.slice(axis, axis + count));
          if (middle) return [...before!, ...middle, ...after];
        }
  return undefined;
}

function incomparable(atoms: readonly Atom[], shape: Shape): Layout | undefined {
  if (shape.every((d) => typeof d === "number")) return undefined;
  if (shape.length === 1) return [atoms];
  return atoms.every((a) => a.kind === "token") ? shape.map((d) => axisOf(d, "token")) : undefined;
}

/** Element-wise operators: axes align from the right; an axis of extent 1 has no atoms. */
const aligned = (out: Layout, input: Value): Layout => {
  const shape = input.shape!;
  return shape.map((d, i) => (d === 1 ? [] : (out[out.length - shape.length + i] ?? [])));
};

/** An axis that rows were picked from, one or more per sample: samples lead, if it holds them at all. */
function pickedAxis(extent: Dim, rows: readonly Atom[]): readonly Atom[] {
  const batch = rows.find((a) => a.kind === "batch");
  const each = batch && divideExactly(extent, batch.size);
  return batch && each !== undefined ? [atom(batch.size, "batch"), ...axisOf(each, "token")] : axisOf(extent, "token");
}

/** Where two towers meet, what one of them calls classes are the samples of the other. */
const ownSamples = (layout: Layout): Layout =>
  layout.map((axis) => axis.map((a) => (a.kind === "channel" ? atom(a.size, "batch") : a)));

type AxisRule = (node: Node, index: number, out: Layout, isSite: boolean) => Layout | undefined;

const regrouped: AxisRule = (node, i, out) => regroupAround(out.flat(), node.inputs[i]!.shape!);

/** Axes keep their places; where the extent changed, an axis of channels stays one and any other gets a new atom. */
const inPlace =
  (kindOfChanged?: Atom["kind"]): AxisRule =>
  (node, i, out) =>
    node.inputs[i]!.shape!.map((d, axis) => {
      const before = node.outputs.find((v) => v.shape)!.shape![axis]!;
      if (equal(d, before)) return out[axis]!;
      const channels = out[axis]!.length > 0 && out[axis]!.every((a) => a.kind === "channel");
      return axisOf(d, kindOfChanged ?? (channels ? "channel" : "token"));
    });

const RULES: Record<string, AxisRule> = {
  Reshape: regrouped,
  Squeeze: regrouped,
  Unsqueeze: regrouped,
  Flatten: regrouped,
  Transpose: (node, i, out) => {
    const perm = permOf(node, node.inputs[i]!.rank!);
    return perm.map((_, axis) => out[perm.indexOf(axis)]!);
  },
  MatMul: (node, i, out, isSite) => {
    const shape = node.inputs[i]!.shape!;
    const other = node.inputs[1 - i]!.rank!;
    const inner = (axis: number) => axisOf(shape[axis]!, isSite ? "token" : "channel");
    if (shape.length === 1) return [inner(0)];
    const leadEnd = out.length - (other === 1 ? 1 : 2);
    const lead = shape.slice(0, -2).map((d, axis) => (d === 1 ? [] : (out[leadEnd - (shape.length - 2) + axis] ?? [])));
    const row = out[other === 1 && i === 0 ? out.length - 1 : out.length - 2] ?? [];
    const own = [...lead, i === 0 ? row : (out[out.length - 1] ?? [])];
    const towers = node.inputs.every((v) => v?.data) && !isSite && !own.flat().some((a) => a.kind === "batch");
    const free = towers ? ownSamples(own) : own;
    return i === 0
      ? [...free, inner(shape.length - 1)]
      : [...free.slice(0, -1), inner(shape.length - 2), free[free.length - 1]!];
  },
  Einsum: (node, i, out, isSite) => {
    const { operands, result } = equationOf(node);
    return [...operands[i]!].map((label, axis) => {
      const at = result.indexOf(label);
      if (node.inputs[i]!.shape![axis] === 1) return [];
      return at >= 0 ? out[at]! : axisOf(node.inputs[i]!.shape![axis]!, isSite ? "token" : "channel");
    });
  },
  Gather: (node, i, out) => {
    const shape = node.inputs[i]!.shape!;
    const axis = normalizeAxis(int(node, "axis", 0), shape.length);
    const picked = node.inputs[1]!.rank!;
    const rows = out.slice(axis, axis + picked).flat();
    const isView = rows.some((a) => a.kind === "channel") && equal(product(rows.map((a) => a.size)), shape[axis]!);
    const extent = isView ? rows : pickedAxis(shape[axis]!, rows);
    return [...out.slice(0, axis), extent, ...out.slice(axis + picked)];
  },
  GatherND: (node, i, out) => {
    const shape = node.inputs[i]!.shape!;
    const index = node.inputs[1]!.shape!;
    const depth = index[index.length - 1] as number;
    const rows = out.slice(0, index.length - 1).flat();
    const lead = shape.slice(0, depth).map((d, axis) => (axis === 0 ? pickedAxis(d, rows) : axisOf(d, "token")));
    return [...lead, ...out.slice(index.length - 1)];
  },
  GatherElements: inPlace(),
  Slice: inPlace(),
  Split: inPlace(),
  Pad: inPlace(),
  Concat: inPlace(),
  Tile: inPlace(),
  Resize: inPlace("token"),
  Conv: (node, i, out) => {
    const shape = node.inputs[i]!.shape!;
    const same = (axis: number) => equal(shape[axis]!, node.outputs[0]!.shape![axis]!);
    return shape.map((d, axis) =>
      axis === 0 ? out[0]! : axis === 1 ? axisOf(d, "channel") : same(axis) ? out[axis]! : axisOf(d, "token"),
    );
  },
  AveragePool: (node, i, out) =>
    node.inputs[i]!.shape!.map((d, axis) =>
      axis < 2 || equal(d, node.outputs[0]!.shape![axis]!) ? out[axis]! : axisOf(d, "token"),
    ),
  GlobalAveragePool: (node, i, out) =>
    node.inputs[i]!.shape!.map((d, axis) => (axis < 2 ? out[axis]! : axisOf(d, "token"))),
};
for (const name of ["ConvTranspose", "DepthToSpace", "SpaceToDepth", "com.microsoft.nchwc::Conv"])
  RULES[name] = RULES.Conv!;
RULES.MaxPool = RULES.AveragePool!;
const REDUCTIONS =
  "ReduceMean ReduceSum ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSumExp ReduceLogSum ReduceProd";
for (const name of REDUCTIONS.split(" "))
  RULES[name] = (node, i, out) => {
    const shape = node.inputs[i]!.shape!;
    const axes = reducedAxes(node, shape.length) ?? [];
    const left = [...out];
    const keep = int(node, "keepdims", 1) === 1;
    return shape.map((d, axis) => {
      if (!axes.includes(axis)) return left.shift()!;
      if (keep) left.shift();
      return axisOf(d, "token");
    });
  };

/** The layout of input `index` of a node, given its output's; undefined where it cannot be told. */
export function inputLayout(node: Node, index: number, out: Layout, isSite: boolean): Layout | undefined {
  const input = node.inputs[index];
  if (!input?.shape || node.outputs.every((v) => !v.shape)) return undefined;
  return RULES[node.operator]?.(node, index, out, isSite) ?? (RULES[node.operator] ? undefined : aligned(out, input));
}

/** As `inputLayout`, but an error where it cannot be told. */
export function layoutOrFail(node: Node, index: number, out: Layout, isSite: boolean): Layout {
  const shape = node.inputs[index]?.shape;
  const why = `the tokens cannot be followed through it (${shape?.join(" x ") ?? "unknown shape"})`;
  return inputLayout(node, index, out, isSite) ?? refuseTokens(node, why, shape);
}

/** Why the row cannot go on at a node; where sizes are open, fixing them is the first thing to try. */
export function refuseTokens(node: Node, why: string, shape?: Shape): never {
  const fixed = shape?.every((d) => typeof d === "number") ?? false;
  const other = "a method that explains the input instead of tokens, such as gradient-x-input";
  const hint = fixed ? other : `export the model with a fixed size of its input; or ${other}`;
  return fail("E031", "", { at: place(node), node: node.source, why, try: hint });
}
