/**
 * x [Wq | Wk | Wv], taken apart into x Wq, x Wk and x Wv: where only one token's query is read on, the rows of all other queries
 * need not be followed, while keys and values are read whole. What is read of the forward pass is still what the file computes.
 */

import { int, type Node, numbersOf, type Value } from "../ir/graph.js";
import { isWeight } from "../ir/weight.js";
import type { Builder } from "../ops/builder.js";
import { permOf } from "../ops/movement.js";
import { sliceRanges } from "../ops/part.js";
import { product } from "../tensor/dim.js";
import { normalizeAxis, type Shape, sameShape } from "../tensor/shape.js";

/** What takes a stretch [from, to) out of a value; `single` where a stretch of one leaves no axis. */
interface Cut {
  readonly part: Value;
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly single: boolean;
}

/** x W + bias, its columns split into the axes from `axis` on, and all axes in another order. */
interface Packed {
  readonly source: string;
  readonly x: Value;
  readonly weights: Value;
  readonly bias: Value | undefined;
  /** With the bias. */
  readonly sum: Value;
  readonly split: Shape;
  readonly axis: number;
  readonly perm: readonly number[] | undefined;
}

/** Where all that reads `value` takes parts of it that are columns of one product, each part gets a product of its own. */
export function unpack(b: Builder, value: Value, nodes: readonly Node[]): boolean {
  const cuts = nodes.filter((n) => n.inputs.includes(value)).map((n) => cutsOf(n, value));
  const [first, ...others] = cuts.flat();
  if (!first || cuts.some((c) => c.length === 0) || others.some((c) => c.axis !== first.axis)) return false;
  const packed = packedIn(value, first.axis);
  if (!packed) return false;
  b.source = packed.source;
  for (const cut of [first, ...others])
    cut.part.producer = { ...ownProduct(b, packed, cut).producer!, outputs: [cut.part] };
  return true;
}

/** None where it takes anything else than a stretch of known bounds. */
function cutsOf(node: Node, { shape }: Value): readonly Cut[] {
  const [part] = node.outputs as [Value];
  const axis = normalizeAxis(int(node, "axis", 0), shape?.length ?? 0);
  const extent = shape?.[axis];
  if (node.operator === "Split" && node.outputs.every((v) => typeof v.shape?.[axis] === "number")) {
    let to = 0;
    return node.outputs.map((each) => {
      const from = to;
      to += each.shape![axis] as number;
      return { part: each, axis, from, to, single: false };
    });
  }
  if (node.operator === "Gather" && typeof extent === "number") {
    const at = numbersOf(node.inputs[1]);
    if (at?.length !== 1) return [];
    const from = at[0]! < 0 ? at[0]! + extent : at[0]!;
    return [{ part, axis, from, to: from + 1, single: node.inputs[1]!.rank === 0 }];
  }
  const [range, ...others] = node.operator === "Slice" && shape ? (sliceRanges(node, shape) ?? []) : [];
  if (!range || others.length > 0) return [];
  const [along, { start, length, step }] = range;
  if (typeof start !== "number" || typeof length !== "number" || step !== 1) return [];
  return [{ part, axis: along, from: start, to: start + length, single: false }];
}

function packedIn(value: Value, along: number): Packed | undefined {
  const turned = value.producer?.operator === "Transpose" ? value.producer : undefined;
  const perm = turned && permOf(turned, value.rank!);
  const axis = perm ? perm[along]! : along;
  const apart = turned ? turned.inputs[0]! : value;
  const sum = apart.producer?.operator === "Reshape" ? apart.producer.inputs[0]! : apart;
  const split = apart.shape;
  if (!split || !sum.shape || sum.name === undefined || sum.rank !== axis + 1) return undefined;
  if (!sameShape(sum.shape.slice(0, -1), split.slice(0, axis)) || split.slice(axis).some((d) => typeof d !== "number"))
    return undefined;
  const added = sum.producer?.operator === "Add" ? sum.producer : undefined;
  const bias = added?.inputs.find(
    (v) => v && !v.data && !v.dependent && sameShape(v.shape ?? [], sum.shape!.slice(-1)),
  );
  const linear = added ? added.inputs.find((v) => v !== bias)?.producer : sum.producer;
  const [x, weights] = linear?.operator === "MatMul" ? linear.inputs : [];
  if (!x || !weights || !isWeight(weights) || (added && !bias)) return undefined;
  return { source: linear!.source, x, weights, bias, sum, split, axis, perm };
}

function ownProduct(b: Builder, { x, weights, bias, sum, split, axis, perm }: Packed, cut: Cut): Value {
  const count = cut.to - cut.from;
  const [before, behind] = [split.slice(0, axis), split.slice(axis + 1)];
  const [start, end] = [cut.from, cut.to].map((n) => n * (product(behind) as number)) as [number, number];
  const own = b.matmul(x, b.slice(weights, 1, start, end));
  const ownBias = bias && b.slice(bias, 0, start, end);
  const ownSum = ownBias ? b.add(own, ownBias) : own;
  ownSum.emitAs = b.slice(sum, axis, start, end);
  if (ownBias) own.emitAs = b.sub(ownSum, ownBias);
  if (count > 1) {
    const apart = b.reshape(ownSum, [...before, count, ...behind]);
    return perm ? b.transpose(apart, perm) : apart;
  }
  const alone = b.reshape(ownSum, [...before, ...behind]);
  const others = perm?.filter((p) => p !== axis).map((p) => (p > axis ? p - 1 : p));
  const turned = others ? b.transpose(alone, others) : alone;
  return cut.single ? turned : b.unsqueeze(turned, [cut.axis]);
}
