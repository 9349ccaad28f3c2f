/** Methods and operators of one's own, as docs/examples/own.md adds them: everything comes through the package's front door. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { vit } from "../../../test/support/vit.js";
import { compile, defineMethod, defineOp, inspect, VitrailError } from "../src/index.js";
import { createExplainer } from "../src/runtime/node/index.js";
import { explained, feedsOf, targets } from "./support/program.js";

const attentionTimesGradient = defineMethod({
  id: "attention-times-gradient",
  title: "Attention x gradient",
  citation: "an example",
  needs: ["attention", "gradient"],
  classSpecific: true,
  kind: "tokens",
  signed: false,
  options: [{ name: "power", type: "number", default: 1, description: "of each weight" }],
  build: ({ b, flow, view, options }) =>
    flow((site) => {
      const { weights, gradient } = view(site);
      const strong = b.emit("Pow", [weights, b.scalar(options.power as number)]);
      return b.relu(b.mul(strong, gradient));
    }),
});

describe("a method of one's own", () => {
  const style = { depth: 2 };
  const feeds = { ...feedsOf(style, 2), ...targets(0, 1) };

  test("is compiled and run like any other: with the same map, it is generic attention", async () => {
    const own = await explained(vit(style), { method: attentionTimesGradient }, feeds);
    const known = await explained(vit(style), { method: "generic-attention" }, feeds);
    expect(own[0]!.length).toBe(known[0]!.length);
    for (const [i, row] of own.entries())
      for (const [k, value] of row.entries()) expect(value).toBeCloseTo(known[i]![k]!, 7);
  });

  test("has options, which are checked", async () => {
    const squared = await explained(vit(style), { method: attentionTimesGradient, power: 2 }, feeds);
    const plain = await explained(vit(style), { method: attentionTimesGradient }, feeds);
    expect(squared).not.toEqual(plain);
    expect(() => compile(vit(style), { method: attentionTimesGradient, powr: 2 })).toThrow(/E011 .*"powr"/);
    const { report } = compile(vit(style), { method: attentionTimesGradient });
    expect(report.metadata).toMatchObject({ method: "attention-times-gradient", options: { power: 1 } });
  });

  test("whose map has lost the heads is refused", () => {
    const build: typeof attentionTimesGradient.build = ({ b, flow, view }) =>
      flow((site) => b.reduceMean(view(site).weights, [1], false));
    const wrong = { ...attentionTimesGradient, build };
    expect(() => compile(vit(style), { method: wrong })).toThrow(/E090[\s\S]*its map is \[.*the weights are \[/);
  });

  test("does not cross to a worker thread, and that is said", async () => {
    const asked = createExplainer(vit(style), { method: attentionTimesGradient });
    await expect(asked).rejects.toThrow(/E080[\s\S]*another thread/);
  });
});

describe("an operator of one's own", () => {
  const Cube = defineOp("my.domain::Cube", {
    role: "elementwise",
    infer: ({ node }) => ({ type: node.inputs[0]!.type, shape: node.inputs[0]!.shape }),
    gradient: ({ x: [x], dy, b }) => [b.mul(dy, b.mul(b.square(x!), 3))],
  });
  const m = new ModelWriter({ opset: 17, domains: { "my.domain": 1 } });
  const cubed = m.op("my.domain::Cube", [m.input("x", "float32", ["batch", 4])]);
  m.output(m.op("MatMul", [cubed, m.weights([1, 2, 3, 4, 5, 6, 7, 8], [4, 2])]), "float32", ["batch", 2], "y");

  test.each(["gradient-x-input", "lrp", "attn-lrp"])("is known to %s, which refuses it otherwise", (method) => {
    expect(() => compile(m.bytes(), { method })).toThrow(VitrailError);
    const { report } = compile(m.bytes(), { method, operators: [Cube] });
    expect(report.nodes.added).toBeGreaterThan(0);
    expect(inspect(m.bytes(), { method, operators: [Cube] }).diagnostics).toEqual([]);
  });
});
