/**
 * x [Wq | Wk | Wv], taken apart into x Wq and x [Wk | Wv]: where only one token's query is read on, the rows of all other queries
 * need not be followed, while keys and values are read whole. What is read of the forward pass is still what the file computes.
 */

import { int } from "../ir/attribute.js";
import { type Node, numbersOf, type Value } from "../ir/graph.js";
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

/**
 * Where all that reads `value` takes parts of it that are columns of one product, those of which a row is read and the others
 * between them get products of their own.
 */
export function unpack(b: Builder, value: Value, nodes: readonly Node[], rowParts: ReadonlySet<Value>): boolean {
  const cuts = nodes.filter((n) => n.inputs.includes(value)).map((n) => cutsOf(n, value));
  const [first, ...others] = cuts.flat().sort((a, c) => a.from - c.from);
  if (!first || cuts.some((c) => c.length === 0) || others.some((c) => c.axis !== first.axis)) return false;
  const packed = packedIn(value, first.axis);
  if (!packed) return false;
  b.source = packed.source;
  const groups = [[first]];
  for (const cut of others) {
    const group = groups.at(-1)!;
    const last = group.at(-1)!;
    if (last.to === cut.from && rowParts.has(last.part) === rowParts.has(cut.part)) group.push(cut);
    else groups.push([cut]);
  }
  for (const group of groups) take(b, packed, group);
  return true;
}

/** Makes the parts that lie beside each other of one product. */
function take(b: Builder, packed: Packed, cuts: readonly Cut[]): void {
  const [{ axis, from }] = cuts as readonly [Cut];
  const own = ownProduct(b, packed, from, cuts.at(-1)!.to);
  if (cuts.length === 1) {
    become(cuts[0]!, own, b);
    return;
  }
  const split = cuts.map((cut) => cut.to - cut.from);
  const parts = b.node("Split", [own], { axis, split }, cuts.length);
  // One node for all: what arrives at its outputs is put together once.
  const outputs = cuts.map((cut, i) => (cut.single ? parts[i]! : cut.part));
  const node = { ...parts[0]!.producer!, outputs };
  for (const v of outputs) v.producer = node;
  for (const [i, cut] of cuts.entries()) if (cut.single) become(cut, parts[i]!, b);
}

/** The part is computed as `own` is, which may have or lack the axis of extent 1 that the part is cut along. */
function become({ part, axis }: Cut, own: Value, b: Builder): void {
  const [has, wants] = [b.rank(own), b.rank(part)];
  const made = has > wants ? b.squeeze(own, [axis]) : has < wants ? b.unsqueeze(own, [axis]) : own;
  part.producer = { ...made.producer!, outputs: [part] };
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

/** The product of the columns [from, to), counted along what was split, in its shape; a single one leaves no axis. */
function ownProduct(b: Builder, packed: Packed, from: number, to: number): Value {
  const { x, weights, bias, sum, split, axis, perm } = packed;
  const [before, behind] = [split.slice(0, axis), split.slice(axis + 1)];
  const [start, end] = [from, to].map((n) => n * (product(behind) as number)) as [number, number];
  const own = b.matmul(x, b.slice(weights, 1, start, end));
  const ownBias = bias && b.slice(bias, 0, start, end);
  const ownSum = ownBias ? b.add(own, ownBias) : own;
  ownSum.emitAs = b.slice(sum, axis, start, end);
  if (ownBias) own.emitAs = b.sub(ownSum, ownBias);
  const single = to - from === 1;
  const apart = b.reshape(ownSum, [...before, ...(single ? [] : [to - from]), ...behind]);
  const order = single ? perm?.filter((p) => p !== axis).map((p) => (p > axis ? p - 1 : p)) : perm;
  return order ? b.transpose(apart, order) : apart;
}
