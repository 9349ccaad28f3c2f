/**
 * Embeddings that go into a norm alone (ModernBERT, DeBERTa, BLOOM). A norm forgets how long its input is, f(c x) = f(x), and so
 * x · ∇f(x) = 0 (Euler): input x gradient at the looked-up embeddings is rounding noise. What is explained there is the norm's output,
 * with the scale and shift that belong to it, whatever its spelling.
 */
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import { roleOf } from "../ops/operator.js";
import { type UnitFinder, unitInput } from "./unit.js";

export interface LoneNorm {
  /** What the norm makes of the value. */
  readonly output: Value;
  /** Name of the norm's node in the file; of one in primitive operators, of its division. */
  readonly node: string;
}

/** The norm that `value` goes into and into nothing else; `nodes` are those that the output depends on, producers first. */
export function loneNorm(f: UnitFinder, nodes: readonly Node[], value: Value): LoneNorm | undefined {
  const usersOf = (v: Value): Node[] => nodes.filter((n) => n.inputs.includes(v));
  const role = (node: Node) => {
    const entry = f.operators.get(node.operator);
    return entry && roleOf(entry, node);
  };
  let at = value;
  for (;;) {
    const users = usersOf(at);
    const [only] = users;
    if (!only) return undefined;
    if (users.length === 1 && role(only) === "normalization")
      return only.inputs[0] === at ? { output: only.outputs[0]!, node: only.source } : undefined;
    if (users.length > 1 || !keepsDirection(only)) break;
    at = only.outputs[0]!;
  }
  const norm = primitiveNorm(at);
  return norm && { output: scaled(norm.outputs[0]!), node: norm.source };

  /** Moved or scaled, a vector points where it did. */
  function keepsDirection(node: Node): boolean {
    if (dataInputs(node).length !== 1 || node.outputs.length !== 1) return false;
    const isScale = role(node) === "affine" && (node.operator === "Mul" || node.operator === "Div");
    return role(node) === "movement" || node.operator === "Cast" || (isScale && withVector(node));
  }

  /** The first division (or product with a reciprocal) of `from` by a reduction of itself. */
  function primitiveNorm(from: Value): Node | undefined {
    const users = usersOf(from);
    return nodes.find((node) => {
      if (role(node) !== "gate" || !isUnitOf(node, from)) return false;
      const inside = between(from, node);
      // Divided by a reduction of what it divides: the squares of a variance are products, too.
      const own = between(unitInput(f, node)!, node);
      return users.every((n) => inside.includes(n)) && own.some((n) => n.operator.startsWith("Reduce"));
    });
  }

  /** Whether a unit, or one within it, passes all to `from`. */
  function isUnitOf(node: Node, from: Value): boolean {
    let input = dataInputs(node).length > 1 ? unitInput(f, node) : undefined;
    while (input && input !== from) {
      const inner: Node | undefined = input.producer;
      if (inner && dataInputs(inner).length === 1 && inner.operator === "Cast") [input] = dataInputs(inner);
      else input = inner && dataInputs(inner).length > 1 ? unitInput(f, inner) : undefined;
    }
    return input !== undefined;
  }

  /** Behind the division: the norm's own scale and shift, which may be made of its statistics (E[x²] - E[x]²). */
  function scaled(from: Value): Value {
    let end = from;
    for (;;) {
      const users = usersOf(end);
      const [only] = users;
      const own = only && role(only) === "affine" && withVector(only);
      const belongs = own || (only && dataInputs(only).length > 1 && isUnitOf(only, at));
      if (users.length !== 1 || !belongs) return end;
      end = only.outputs[0]!;
    }
  }
}

const between = (from: Value, node: Node): Node[] =>
  ancestors(node.outputs, (n) => dataInputs(n).filter((v) => v !== from));

/** With a constant that is one number or a vector. */
function withVector(node: Node): boolean {
  const others = node.inputs.filter((v) => v && !v.data);
  return (
    dataInputs(node).length === 1 &&
    others.every((v) => v && !v.dependent && (v.shape?.filter((d) => d !== 1).length ?? 2) < 2)
  );
}
