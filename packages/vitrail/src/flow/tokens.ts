/**
 * Which token stands where: how many special tokens lead the sequence, and on which grid of patches the rest lies. Found by
 * following the tokens down to the tensor with rows and columns that they were cut from.
 */
import { dataInputs, int, type Node, type Value } from "../ir/graph.js";
import type { Dim } from "../tensor/dim.js";
import { normalizeAxis } from "../tensor/shape.js";

export interface TokenLayout {
  /** Leading special tokens (class, distillation, register). */
  readonly prefix: number;
  /** Rows and columns of patches, where they are known. */
  readonly grid?: readonly [number, number];
  /** Pixels per patch, where the picture's size is dynamic. */
  readonly stride?: readonly [number, number];
  readonly count: Dim | undefined;
}

export function tokenLayout(tokens: Value): TokenLayout {
  let prefix = 0;
  let at: Value | undefined = tokens;
  const count = tokens.shape && tokens.shape.length >= 3 ? tokens.shape[tokens.shape.length - 2] : undefined;
  while (at) {
    if (at.rank === 4 && isPicture(at)) return { prefix, count, ...place(at) };
    const node: Node | undefined = at.producer;
    if (!node) break;
    if (node.operator === "Concat") {
      const axis = normalizeAxis(int(node, "axis", 0), at.rank ?? 0);
      const first = node.inputs.findIndex((v) => v?.data);
      if (axis !== (at.rank ?? 0) - 1)
        for (const v of node.inputs.slice(0, first)) prefix += (v?.shape?.[axis] as number | undefined) ?? 0;
    }
    if (node.operator === "ScatterND" || node.operator === "Softmax") break;
    at = spine(dataInputs(node));
  }
  return { prefix, count };
}

/** Of several operands the one with the most elements: positions and biases are smaller or equal, and come second. */
const spine = (values: readonly Value[]): Value | undefined => values[0];

/** Channels first, and made by a convolution (or the picture itself). */
const isPicture = (v: Value): boolean =>
  v.producer === undefined || v.producer.operator === "Conv" || isBias(v.producer);
const isBias = (node: Node): boolean =>
  node.operator === "Add" && node.inputs.some((v) => v?.producer?.operator === "Conv");

function place(v: Value): Pick<TokenLayout, "grid" | "stride"> {
  const [, , rows, columns] = v.shape!;
  if (typeof rows === "number" && typeof columns === "number") return { grid: [rows, columns] };
  let conv: Node | undefined = v.producer;
  while (conv && conv.operator !== "Conv") conv = conv.inputs.find((x) => x?.data)?.producer;
  const strides = conv?.attributes.strides as readonly number[] | undefined;
  return strides?.length === 2 ? { stride: [strides[0]!, strides[1]!] } : {};
}
