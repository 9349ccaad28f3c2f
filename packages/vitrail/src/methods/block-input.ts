/** Where a block begins: what its attention reads of the token stream, before and after the norm. */
import type { Analysis } from "../analysis.js";
import type { AttentionSite } from "../canonicalize/attention-site.js";
import { unitInput } from "../canonicalize/unit.js";
import { fail } from "../errors.js";
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { roleOf } from "../ops/operator.js";

export interface BlockInput {
  /** The stream, which the skip keeps. */
  readonly stream: Value;
  /** What queries, keys and values are made of; the stream itself where the norm comes after the addition. */
  readonly normed: Value;
}

/** Follows the values of a site back to the product that made them, and from there through the norm. */
export function blockInput({ model, units }: Analysis, site: AttentionSite): BlockInput {
  const { operators } = model.builder;
  const role = (node: Node) => roleOf(operators.get(node.operator)!, node);
  const made = back(site.values, (node) => role(node) !== "linear");
  if (!made.producer)
    fail("E031", "", {
      why: "no product with weights makes the values of an attention",
      try: "occlusion, which asks for no structure",
    });
  // Arranged for the product (tokens first, samples and tokens folded), the same numbers still.
  const normed = back(dataInputs(made.producer)[0]!, (node) => REARRANGING.has(node.operator));
  const end = back(
    normed,
    (node) => dataInputs(node).length === 1 && (role(node) === "affine" || node.operator === "Cast"),
  );
  if (end.producer && role(end.producer) === "normalization") return { stream: dataInputs(end.producer)[0]!, normed };
  // A norm in primitive operators is a unit within a unit: x - mean, then that over its deviation.
  let stream = end;
  for (let inner = unitOf(stream); inner; inner = unitOf(stream)) stream = inner;
  return { stream: stream === end ? normed : stream, normed };

  function unitOf({ producer }: Value): Value | undefined {
    return producer && dataInputs(producer).length > 1 ? unitInput(units, producer) : undefined;
  }
}

const REARRANGING = new Set(["Transpose", "Reshape", "Squeeze", "Unsqueeze", "Cast"]);

/** Back along first data inputs while `through` allows. */
function back(value: Value, through: (node: Node) => boolean): Value {
  let at = value;
  while (at.producer && dataInputs(at.producer).length > 0 && through(at.producer)) at = dataInputs(at.producer)[0]!;
  return at;
}
