/**
 * What holds of a graph after every pass. A break is a mistake of ours, never of the file: E090 with the pass and the node.
 *
 *   1. A value is an output of its producer; inputs come before the nodes that read them; nothing reads what nobody makes.
 *   2. The operands that a pass gives an operator are of one precision. The shape and element type of a value are those that its operator gives for the operands that it has now.
 *   3. What is computed in place of a value has its type and shape.
 */
import { fail, messageOf, VitrailError } from "../errors.js";
import { type ElementType, isFloat } from "../tensor/element-type.js";
import { contradicts, type Shape, shownShape as shown } from "../tensor/shape.js";
import { type Node, place, type Value } from "./graph.js";
import { ancestors } from "./traverse.js";

export interface Verified {
  /** The pass that has just ended, or the part of it. */
  readonly pass: string;
  /** What is fed: no node makes it. Inputs of the file have names and need not be listed. */
  readonly inputs: ReadonlySet<Value>;
  /** Types and shapes that the node's operator gives for its operands; throws where they do not fit each other. */
  readonly infer: (node: Node) => readonly { readonly type: ElementType; readonly shape: Shape | undefined }[];
}

/** @throws VitrailError E090 at the first break, producers first */
export function verify(roots: readonly Value[], { pass, inputs, infer }: Verified): void {
  const isFed = (v: Value): boolean =>
    v.constant !== undefined || v.name !== undefined || v.type === "string" || inputs.has(v);
  const made = new Set<Value>();
  for (const node of ancestors(roots, withStandIns)) {
    for (const v of node.inputs) {
      if (!v || made.has(v)) continue;
      if (v.producer?.outputs.includes(v)) broken(pass, node, "it reads a value before that is computed");
      if (v.producer) broken(pass, node, `it reads a value that its producer, ${place(v.producer)}, does not give`);
      if (!isFed(v)) broken(pass, node, "it reads a value that nothing computes");
    }
    for (const v of node.outputs) made.add(v);
    if (node.pass !== "") verifyOperands(pass, node);
    verifyOutputs(pass, node, infer);
  }
  for (const v of roots)
    if (!made.has(v) && !isFed(v)) fail("E090", "", { at: pass, why: "nothing computes a result" });
}

/** Operands, and what is computed in place of the results: both have to be sound. */
const withStandIns = (node: Node): (Value | undefined)[] => [
  ...node.inputs,
  ...node.outputs.flatMap((v) => [v.writtenAs, v.emitAs]),
];

/** What passes write computes in one precision: no operator that they use takes two. */
function verifyOperands(pass: string, node: Node): void {
  const types = new Set(node.inputs.flatMap((v) => (v && isFloat(v.type) ? [v.type] : [])));
  if (types.size > 1) broken(pass, node, `its operands are ${[...types].join(" and ")}`);
}

function verifyOutputs(pass: string, node: Node, infer: Verified["infer"]): void {
  const inferred = inferredOf(pass, node, infer);
  for (const [i, v] of node.outputs.entries()) {
    const { type, shape } = inferred[i] ?? v;
    if (type !== v.type) broken(pass, node, `output ${i} is taken for ${v.type}, and the operator gives ${type}`);
    if (contradicts(shape, v.shape))
      broken(pass, node, `output ${i} is taken for ${shown(v.shape)}, and the operator gives ${shown(shape)}`);
    for (const other of [v.writtenAs, v.emitAs]) {
      if (other && other.type !== v.type) broken(pass, node, `${v.type} is computed as ${other.type}`);
      if (other && contradicts(other.shape, v.shape))
        broken(pass, node, `${shown(v.shape)} is computed as ${shown(other.shape)}`);
    }
  }
}

function inferredOf(pass: string, node: Node, infer: Verified["infer"]) {
  try {
    return infer(node);
  } catch (error) {
    if (error instanceof VitrailError) throw error;
    return broken(pass, node, messageOf(error));
  }
}

/** The map of an explanation: [batch, tokens], or the shape of what is explained. */
export function verifyMap(pass: string, map: Value, kind: "tokens" | "input", explained: Value): void {
  const perToken = kind === "tokens" || explained.lookup !== undefined;
  const wanted = perToken ? "[batch, tokens]" : shown(explained.shape);
  const fits = perToken ? map.rank === 2 : map.rank === explained.rank && !contradicts(map.shape, explained.shape);
  if (!fits)
    fail("E090", "", { at: `pass "${pass}"`, why: `the map is ${shown(map.shape)}, and ${wanted} is asked for` });
}

/** A mistake of ours in a pass, at a node. */
export function broken(pass: string, node: Pick<Node, "operator" | "source">, why: string): never {
  fail("E090", "", {
    at: `pass "${pass}", at node "${node.source || "?"}" (${node.operator})`,
    node: node.source,
    why,
    try: "report it, with the file if you may share it, or what vitrail inspect says of it",
  });
}
