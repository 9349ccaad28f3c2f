/**
 * What the axes of the explained output mean. Most end in classes; a map has them second. None has what only says where: the scores
 * of question answering ([batch, tokens], one per token for the start and one for the end of the answer), a depth ([batch, rows,
 * columns]), and the masks of queries ([batch, queries, rows, columns], a product of what the queries and the cells have read).
 */
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import { range } from "../ops/builder.js";
import type { Shape } from "../tensor/shape.js";
import { atom, inputLayout, type Layout } from "./layout.js";

/** Products with weights: rows stay what they are, columns are new features. */
const PRODUCTS = new Set(["MatMul", "Gemm", "Einsum", "Conv"]);

/** What makes a map of a map: rows and columns are its third and fourth axis. */
const MAPPING = new Set(["Conv", "com.microsoft.nchwc::Conv", "ConvTranspose", "Resize"]);

/** The axis that holds classes: channels of a picture-shaped output, else the last one; undefined where there is none. */
export function classAxis(output: Value): number | undefined {
  const rank = output.rank!;
  if (rank === 1) return undefined;
  if (rank === 2) return lastAxisIsTokens(output) ? undefined : 1;
  const made = origin(output);
  if (made && (isMap(made, rank) || isProductOfStreams(made.node))) return undefined;
  return rank === 4 ? 1 : rank - 1;
}

/** `rank`: of numbers that the model has sorted. */
export type AxisName = "class" | "token" | "query" | "row" | "column" | "position" | "rank";

/**
 * What each axis behind the batch is, in the order in which a target names them.
 * @param reads what the explained input holds
 */
export function axisNames(output: Value, reads: "tokens" | "picture" | "other"): readonly AxisName[] | undefined {
  if (output.rank === undefined) return undefined;
  const classes = classAxis(output);
  if (output.rank === 1) return ["class"];
  const axes = range(output.rank).slice(1);
  const places = axes.filter((axis) => axis !== classes);
  // Rows and columns are the last two, where there are as many.
  const mapped = reads !== "tokens" && (places.length > 2 || (places.length === 2 && classes !== output.rank - 1));
  return axes.map((axis) => {
    if (axis === classes) return "class";
    if (mapped && axis === places.at(-1)) return "column";
    if (mapped && axis === places.at(-2)) return "row";
    if (reads === "tokens") return "token";
    return reads === "picture" ? "query" : "position";
  });
}

/** The layout of the explained output: samples, then positions and classes. */
export const outputLayout = (output: Value): Layout => layoutOfShape(output.shape!, classAxis(output));

export const layoutOfShape = (shape: Shape, classes: number | undefined): Layout =>
  shape.map((d, axis) => [atom(d, axis === 0 ? "batch" : axis === classes ? "channel" : "token")]);

interface Origin {
  /** The product, convolution or resizing that the output comes of without being mixed any more. */
  readonly node: Node;
  /** Where the output's axes are in its result: by the atoms of each. */
  readonly layout: Layout;
  readonly axes: Layout;
}

function origin(output: Value): Origin | undefined {
  const axes = layoutOfShape(output.shape!, undefined);
  let layout = axes;
  for (let value = output; ; ) {
    const node = value.producer;
    const inputs = node ? dataInputs(node) : [];
    if (!node || inputs.length === 0) return undefined;
    if (PRODUCTS.has(node.operator) || MAPPING.has(node.operator)) return { node, layout, axes };
    const next = inputs.length === 1 && inputLayout(node, node.inputs.indexOf(inputs[0]!), layout, false);
    if (!next) return undefined;
    [value, layout] = [inputs[0]!, next];
  }
}

/** Whether the last axis was a row of the product with weights that made the output, and not its columns. */
function lastAxisIsTokens(output: Value): boolean {
  const made = origin(output);
  if (!made || dataInputs(made.node).length !== 1 || !PRODUCTS.has(made.node.operator)) return false;
  const [last] = made.axes[1]!;
  const { layout } = made;
  return (
    last !== undefined &&
    layout.some((axis) => axis.includes(last)) &&
    !layout.at(-1)!.includes(last) &&
    layout.length > 2
  );
}

/** [batch, rows, columns]: a map whose only channel is gone. */
function isMap({ node, layout, axes }: Origin, rank: number): boolean {
  const [, rows, columns] = axes;
  const isAt = (axis: number, own: Layout[number]) => own.some((atom) => layout[axis]!.includes(atom));
  return rank === 3 && MAPPING.has(node.operator) && layout.length === 4 && isAt(2, rows!) && isAt(3, columns!);
}

/** Both factors come of the same input: none of them is a list of classes. */
function isProductOfStreams(node: Node): boolean {
  const factors = dataInputs(node);
  if (factors.length !== 2) return false;
  const [a, c] = factors.map((v) => new Set(sourcesOf(v)));
  return [...a!].some((v) => c!.has(v));
}

const sourcesOf = (value: Value): Value[] =>
  ancestors([value], dataInputs).flatMap((n) =>
    dataInputs(n).length > 0 ? dataInputs(n).filter((v) => !v.producer) : n.outputs,
  );
