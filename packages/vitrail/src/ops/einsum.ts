/**
 * Einstein summation: y[result] = Σ x₁[labels] x₂[labels] ... over all labels that the result has not. In the canonical graph the
 * equation is explicit, has no ellipsis, no spaces and one or two operands: what every rule reads.
 */
import { fail } from "../errors.js";
import { required } from "../ir/attribute.js";
import { type Form, type Node, place, type Value } from "../ir/graph.js";
import type * as D from "../tensor/dim.js";
import { Misfit } from "../tensor/misfit.js";
import { type Builder, range } from "./builder.js";
import { input } from "./infer.js";
import { defineOp, type InferContext, type Inferred } from "./operator.js";
import { byActivity } from "./product.js";

export interface Equation {
  /** One letter per axis. */
  readonly operands: readonly string[];
  readonly result: string;
}
type Head = Pick<Node, "attributes" | "operator" | "source" | "inputs">;

export const Einsum = defineOp("Einsum", {
  role: (node) => (node.inputs.length > 1 ? byActivity(node) : sums(node) ? "mean" : "movement"),
  raise: (written) => {
    const plain = plainEquation(written);
    const given = written.attributes.equation;
    if (plain === undefined || (given?.kind === "string" && given.value === plain)) return undefined;
    return { ...written, attributes: { ...written.attributes, equation: { kind: "string", value: plain } } };
  },
  canonical: ({ node, inputs, b }) =>
    inputs.length > 2 ? [inPairs(b, equationOf(node), inputs as Value[])] : undefined,
  infer: (c): Inferred => {
    const { operands, result } = equationOf(c.node);
    const extents = extentsOf(c.node, operands);
    const shape = [...result].map((label) => extents.get(label));
    return { type: input(c, 0).type, shape: shape.every((d) => d !== undefined) ? shape : undefined };
  },
  gradient: ({ node, x, dy, b, wants }) => {
    const { operands, result } = equationOf(node);
    return operands.map((labels, i) => {
      if (!wants[i]) return undefined;
      const others = operands.filter((_, k) => k !== i);
      const reachable = new Set([result, ...others].join(""));
      const kept = [...labels].filter((l) => reachable.has(l)).join("");
      const equation = `${[result, ...others].join(",")}->${kept}`;
      const product = b.emit("Einsum", [dy, ...x.filter((_, k) => k !== i)], { equation });
      // An index that is summed over in this operand alone: all its elements get the same.
      const own = range(labels.length).filter((axis) => !reachable.has(labels[axis]!));
      return fitted(b, b.unsqueeze(product, own), x[i]!);
    });
  },
});

function sums(node: Node): boolean {
  const { operands, result } = equationOf(node);
  return [...operands.join("")].some((label) => !result.includes(label));
}

/** Summed where an axis was broadcast, repeated where it was summed. */
function fitted(b: Builder, v: Value, x: Value): Value {
  const shape = b.shape(x);
  return b.unbroadcast(
    b.expand(
      v,
      b.shape(v).map((d, i) => (d === 1 ? shape[i]! : d)),
    ),
    x,
  );
}

function extentsOf(node: InferContext["node"], operands: readonly string[]): Map<string, D.Dim> {
  const extents = new Map<string, D.Dim>();
  operands.forEach((labels, i) => {
    [...labels].forEach((label, axis) => {
      const d = node.inputs[i]!.shape?.[axis];
      if (d !== undefined && (extents.get(label) ?? 1) === 1) extents.set(label, d);
    });
  });
  return extents;
}

/** From the left: the product of the first two keeps what a later operand or the result still needs. */
function inPairs(b: Builder, { operands, result }: Equation, inputs: readonly Value[]): Value {
  const [a, c, ...rest] = operands as [string, string, ...string[]];
  const needed = new Set([...rest, result].join(""));
  const kept = rest.length === 0 ? result : [...new Set(a + c)].filter((l) => needed.has(l)).join("");
  const product = b.emit("Einsum", inputs.slice(0, 2), { equation: `${a},${c}->${kept}` });
  return rest.length === 0 ? product : inPairs(b, { operands: [kept, ...rest], result }, [product, ...inputs.slice(2)]);
}

const LETTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/**
 * An ellipsis becomes letters, aligned from the right; a result that is not given is what the ellipsis stands for and then, in
 * alphabetical order, the letters that occur once. Undefined where a rank is not known.
 */
function plainEquation({ inputs, attributes }: Form): string | undefined {
  const given = attributes.equation?.kind === "string" ? attributes.equation.value.replaceAll(" ", "") : "";
  const [left = "", right] = given.split("->");
  const operands = left.split(",");
  if (operands.length !== inputs.length) return undefined;
  const letters = LETTERS.filter((l) => !given.includes(l));
  const meant = operands.map((labels, i) => {
    if (!labels.includes("...")) return 0;
    const rank = inputs[i]?.rank;
    return rank === undefined ? undefined : rank - labels.replace("...", "").length;
  });
  if (!meant.every((n) => n !== undefined && n >= 0)) return undefined;
  const counts = meant as number[];
  const all = letters.slice(0, Math.max(...counts));
  const plain = operands.map((labels, i) => labels.replace("...", all.slice(all.length - counts[i]!).join("")));
  const named = [...operands.join("").replaceAll("...", "")];
  const once = named.filter((l) => named.filter((other) => other === l).length === 1).sort((p, q) => (p < q ? -1 : 1));
  const result = right === undefined ? [...all, ...once].join("") : right.replace("...", all.join(""));
  return `${plain.join(",")}->${result}`;
}

/** @throws VitrailError E025 where an operand has an index twice, or a rank that an ellipsis needs is not known */
export function equationOf(node: Head): Equation {
  const equation = required(node, "equation", "string");
  const [left, result] = equation.split("->");
  const operands = (left ?? "").split(",");
  const isPlain = result !== undefined && !equation.includes(".");
  if (!isPlain || operands.some((o) => new Set(o).size !== o.length))
    fail("E025", "Einsum", {
      at: place(node as Node),
      node: node.source,
      why: isPlain ? `"${equation}" takes a diagonal` : `the ranks that "${equation}" needs are not known`,
      try: "export the model with MatMul instead",
    });
  if (operands.length !== node.inputs.length || node.inputs.some((v) => !v))
    throw new Misfit(
      `"${equation}" takes ${operands.length} operands, and it has ${node.inputs.filter((v) => v).length}`,
    );
  return { operands, result };
}
