/**
 * (x W) γ = x (W γ): what is done to every column of a product alike in every run is done to its weights, once, when the file is
 * loaded. The gradient of a layer norm scales and centres what it gets from the linear layer behind it.
 */
import type { Node, Value } from "../../ir/graph.js";
import { isWeight } from "../../ir/weight.js";
import type { Builder } from "../../ops/builder.js";
import { reducedAxes } from "../../ops/reduction.js";
import { neededNodes } from "../lower.js";

export function foldIntoWeights(b: Builder, roots: readonly Value[]): void {
  const nodes = neededNodes(b, roots);
  const readers = new Map<Value, Node[]>();
  for (const { node, inputs } of nodes)
    for (const v of inputs) if (v) readers.set(v, [...(readers.get(v) ?? []), node]);
  for (const { node } of nodes) {
    const [x, weights] = node.inputs;
    if (node.operator !== "MatMul" || !x || !weights || !isWeight(weights)) continue;
    b.in(node.pass, node.source, () => {
      const { y, folded } = followed(b, { y: node.outputs[0]!, folded: weights }, readers);
      if (y !== node.outputs[0]) y.writtenAs = b.matmul(x, folded);
    });
  }
}

/** What a product becomes, and the weights [inputs, columns] that give it at once. */
interface Folded {
  readonly y: Value;
  readonly folded: Value;
}

type Readers = ReadonlyMap<Value, readonly Node[]>;

function followed(b: Builder, at: Folded, readers: Readers): Folded {
  const next = scaled(b, at, readers) ?? centred(b, at, readers);
  return next ? followed(b, next, readers) : at;
}

/** y γ with a number for every column. */
function scaled(b: Builder, { y, folded }: Folded, readers: Readers): Folded | undefined {
  const [reader, ...others] = readers.get(y) ?? [];
  const factor = reader?.operator === "Mul" && others.length === 0 ? reader.inputs.find((v) => v !== y) : undefined;
  if (!factor || factor.dependent || (factor.rank ?? 2) > 1) return undefined;
  return { y: reader!.outputs[0]!, folded: b.mul(folded, factor) };
}

/** y - mean(y) over the columns. */
function centred(b: Builder, { y, folded }: Folded, readers: Readers): Folded | undefined {
  const all = readers.get(y) ?? [];
  const mean = all.find((n) => n.operator === "ReduceMean");
  const difference = all.find((n) => n.operator === "Sub" && n.inputs[1] === mean?.outputs[0]);
  if (!mean || !difference || all.length !== 2 || readers.get(mean.outputs[0]!)?.length !== 1) return undefined;
  const overColumns = mean.outputs[0]!.rank === y.rank && `${reducedAxes(mean, y.rank!)}` === `${y.rank! - 1}`;
  if (!overColumns) return undefined;
  return { y: difference.outputs[0]!, folded: b.sub(folded, b.reduceMean(folded, [1])) };
}
