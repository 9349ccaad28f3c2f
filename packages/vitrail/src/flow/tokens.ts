/**
 * Which token stands where: how many special tokens lead the sequence, and on which grid of patches the rest lies. Found by
 * following the tokens down to the tensor with rows and columns that they were cut from.
 */
import { int } from "../ir/attribute.js";
import { dataInputs, type Node, numbersOf, type Value } from "../ir/graph.js";
import type { Dim } from "../tensor/dim.js";
import { normalizeAxis } from "../tensor/shape.js";
import { type Patches, patchesOf } from "./patches.js";

export interface TokenLayout {
  /** Leading special tokens (class, distillation, register). */
  readonly prefix: number;
  readonly patches: Patches;
  readonly count: Dim | undefined;
}

const NOWHERE: Patches = { grid: null, stride: null };

export function tokenLayout(tokens: Value): TokenLayout {
  let prefix = 0;
  let at: Value | undefined = tokens;
  const count = tokens.shape && tokens.shape.length >= 3 ? tokens.shape[tokens.shape.length - 2] : undefined;
  while (at) {
    if (at.rank === 4 && isPicture(at))
      return { prefix, count, patches: at.producer ? patchesOf(at) : cut(at, prefix, count) };
    const node: Node | undefined = at.producer;
    if (!node) break;
    if (node.operator === "ScatterND" || node.operator === "Softmax") break;
    const joined: ReturnType<typeof joinedTokens> = node.operator === "Concat" ? joinedTokens(node, at) : undefined;
    prefix += (joined?.before ?? 0) - cutTokens(node, at);
    at = joined ? joined.main : spine(dataInputs(node));
  }
  return { prefix, count, patches: NOWHERE };
}

/** Joined along the tokens: the part with the most of them, and how many stand before it. */
function joinedTokens(node: Node, y: Value): { main: Value; before: number } | undefined {
  const axis = normalizeAxis(int(node, "axis", 0), y.rank ?? 0);
  if (axis === (y.rank ?? 0) - 1) return undefined;
  const extents = node.inputs.map((v) => {
    const extent = v?.shape?.[axis];
    return typeof extent === "number" ? extent : Number.POSITIVE_INFINITY;
  });
  const data = node.inputs.map((v, i) => (v?.data ? extents[i]! : -1));
  const at = data.indexOf(Math.max(...data));
  const before = extents.slice(0, at).reduce((sum, n) => sum + n, 0);
  return { main: node.inputs[at]!, before: Number.isFinite(before) ? before : 0 };
}

/** How many leading tokens a slice drops: registers are put between a class token and patches that were together before. */
function cutTokens(node: Node, y: Value): number {
  if (node.operator !== "Slice") return 0;
  const [starts, , axes, steps] = node.inputs.slice(1).map(numbersOf);
  const axis = axes?.length === 1 ? normalizeAxis(axes[0]!, y.rank ?? 0) : -1;
  const whole = starts?.length === 1 && starts[0]! > 0 && (!steps || steps[0] === 1);
  return whole && axis > 0 && axis < (y.rank ?? 0) - 1 ? starts[0]! : 0;
}

/** Of several operands the one with the most elements: positions and biases are smaller or equal, and come second. */
const spine = (values: readonly Value[]): Value | undefined => values[0];

/** Channels first, and made by a convolution (or the picture itself). */
const isPicture = (v: Value): boolean => v.producer === undefined || isConvolution(v.producer) || isBias(v.producer);
const isBias = (node: Node): boolean =>
  node.operator === "Add" && node.inputs.some((v) => v?.producer && isConvolution(v.producer));
const isConvolution = ({ operator }: Node): boolean => operator === "Conv" || operator === "com.microsoft.nchwc::Conv";

/** The picture itself, with no convolution between: patches were unfolded out of it, as square ones. */
function cut(picture: Value, prefix: number, count: Dim | undefined): Patches {
  const [rows, columns] = picture.shape!.slice(2);
  if (typeof rows !== "number" || typeof columns !== "number" || typeof count !== "number") return NOWHERE;
  const side = Math.sqrt((rows * columns) / (count - prefix));
  return rows % side === 0 && columns % side === 0 ? { grid: [rows / side, columns / side], stride: null } : NOWHERE;
}
