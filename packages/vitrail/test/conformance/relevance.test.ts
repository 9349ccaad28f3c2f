/**
 * Relevance through every operator of the registry: nothing is made, and nothing is lost but what the rules let go, which is what
 * constants get where they are joined to data, and what reaches an output of a z+ layer that nothing speaks for.
 */
import { describe, expect, test } from "vitest";
import { random, seedFrom } from "../../../../test/support/random.js";
import { type Arrays, open } from "../../../../test/support/runtime.js";
import { importModel } from "../../src/canonicalize/import.js";
import { dataInputs, type Node, type Value } from "../../src/ir/graph.js";
import { ancestors } from "../../src/ir/traverse.js";
import { readModel } from "../../src/onnx/model.js";
import { type Role, roleOf } from "../../src/ops/operator.js";
import { operators } from "../../src/ops/registry.js";
import { chefer2021 } from "../../src/relevance/composites.js";
import { isFloat } from "../../src/tensor/element-type.js";
import { sum } from "../support/loops.js";
import { pulled } from "../support/relevance.js";
import { nodeModel } from "./node-model.js";
import type { Sample } from "./sample.js";
import { samples } from "./samples.js";

/** Movements that fill places with constants of their own. */
const FILLING = new Set(["Pad", "Trilu"]);

/** What relevance went through in the samples: in the end every role that has a rule. */
const met = new Set<Role>();
const roleAt = (node: Node): Role => roleOf(operators.get(node.operator)!, node);

const explained = ({ gradient, shape, inputs }: Sample): boolean =>
  gradient === undefined && shape !== "refused" && inputs.some((operand) => operand?.kind === "data");

for (const [operator, list] of Object.entries(samples))
  describe.runIf(list.some(explained))(operator, () => {
    for (const sample of list.filter(explained)) test(sample.title ?? "plain", () => check(operator, sample));
  });

test("every role that has a rule was met", () => {
  const ruled = Object.entries(chefer2021).flatMap(([role, rule]) => (rule === "stop" ? [] : [role]));
  expect([...met].sort()).toEqual(ruled.sort());
});

async function check(operator: string, sample: Sample): Promise<void> {
  const opset = sample.opsets?.[0] ?? 17;
  const form = (real: "float32" | "float64") => nodeModel({ operator, sample, opset, real, symbolic: false });
  const run = async (model: ReturnType<typeof form>): Promise<Arrays> => {
    const session = await open(model.bytes);
    const outputs = await session.run(model.feeds);
    await session.release();
    return outputs;
  };
  const exact = sample.single ? undefined : await run(form("float64")).catch(() => undefined);
  const model = form(exact ? "float64" : "float32");
  const outputs = exact ?? (await run(model));
  const graph = importModel(readModel(model.bytes));
  for (const from of model.outputs.filter((name) => isFloat(outputs[name]!.type))) {
    const start = random(seedFrom(`${operator} relevance`))
      .normals(outputs[from]!.values.length)
      .map(Math.abs);
    const nodes = ancestors([graph.outputs.get(from)!], dataInputs);
    if (nodes.some((node) => roleAt(node) === "opaque") || !isStatic(graph.outputs.get(from)!)) continue;
    for (const node of nodes) met.add(roleAt(node));
    const found = await pulled(
      { bytes: () => model.bytes, feeds: { ...model.feeds } },
      { from, start, wanted: model.data },
    );
    const share = sum(model.data.flatMap((name) => found[name]!)) / sum(start);
    // Behind a product of data relevance has both signs, and what is let go may be below zero.
    const most = nodes.some((node) => roleAt(node) === "bilinear") ? 0.02 : 1e-3;
    if (nodes.some(letsGo)) expect(share).toBeLessThan(1 + most);
    else expect(Math.abs(share - 1), from).toBeLessThan(1e-3);
    expect(Math.abs(share)).toBeGreaterThan(0);
  }
}

const isStatic = ({ shape }: Value): boolean => shape?.every((d) => typeof d === "number") === true;

/** A layer of so few inputs that a z+ denominator may vanish, or a movement that data and constants meet in. */
function letsGo(node: Node): boolean {
  const role = roleAt(node);
  const joined = node.inputs.some((v) => v && !v.data && isFloat(v.type));
  return role === "linear" || (role === "movement" && joined) || FILLING.has(node.operator);
}
