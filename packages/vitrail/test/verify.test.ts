/** Breaks in a graph are found at the pass and node that made them. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { vit } from "../../../test/support/vit.js";
import { append, compile } from "../src/compile.js";
import type { Node, Value } from "../src/ir/graph.js";
import type { BuiltMethod } from "../src/methods/method.js";
import { rawAttention } from "../src/methods/raw-attention.js";
import { Builder } from "../src/ops/builder.js";
import { operators } from "../src/ops/registry.js";
import { resolveOptions } from "../src/options.js";

/** x [batch 2, 17, 8] and what a pass called "test" builds on it. */
function begun() {
  const b = new Builder(17, operators);
  const x = b.value("float32", [2, 17, 8]);
  x.name = "x";
  b.pass = "test";
  b.source = "/block/Add";
  return { b, x };
}
const edit = (value: Value, change: Partial<Node>): void => {
  value.producer = { ...value.producer!, ...change };
};

describe("after a pass", () => {
  test("a sound graph passes", () => {
    const { b, x } = begun();
    const target = b.value("int64", [2]);
    const y = b.reduceSum(b.mul(b.emit("Gather", [x, target], { axis: 1 }), 2), [2]);
    expect(() => b.verify("test", [y], [target])).not.toThrow();
  });

  test("a value that nothing computes", () => {
    const { b, x } = begun();
    const y = b.add(x, b.value("float32", [8]));
    expect(() => b.verify("test", [y])).toThrow(
      /E090.*\n.*pass "test", at node "\/block\/Add" \(Add\)\n.*nothing comp/,
    );
    expect(() => b.verify("test", [b.value("float32", [8])])).toThrow(/nothing computes a result/);
  });

  test("a producer that does not give the value", () => {
    const { b, x } = begun();
    const y = b.relu(x);
    edit(y, { outputs: [b.value("float32", [2, 17, 8])] });
    expect(() => b.verify("test", [b.neg(y)])).toThrow(/its producer, .*\(Relu\), does not give/);
  });

  test("a circle", () => {
    const { b, x } = begun();
    const y = b.add(x, 1);
    const z = b.relu(y);
    edit(y, { inputs: [z, b.scalar(1)] });
    expect(() => b.verify("test", [z])).toThrow(/reads a value before that is computed/);
  });

  test("a shape or an element type that the operator does not give", () => {
    const { b, x } = begun();
    const y = b.transpose(x, [0, 2, 1]);
    y.shape = [2, 17, 8];
    expect(() => b.verify("test", [b.relu(y)])).toThrow(/taken for \[2, 17, 8\], and the operator gives \[2, 8, 17\]/);
    const c = b.cast(x, "float16");
    edit(c, { inputs: [x], attributes: { to: { kind: "int", value: 1 } } });
    expect(() => b.verify("test", [c])).toThrow(/taken for float16, and the operator gives float32/);
  });

  test("operands of two precisions", () => {
    const { b, x } = begun();
    const y = b.add(x, b.cast(x, "float64"));
    expect(() => b.verify("test", [y])).toThrow(/its operands are float32 and float64/);
  });

  test("what stands for a value has its shape", () => {
    const { b, x } = begun();
    const y = b.relu(x);
    y.writtenAs = b.reduceSum(x, [1]);
    expect(() => b.verify("test", [y])).toThrow(/\[2, 17, 8\] is computed as \[2, 1, 8\]/);
    y.writtenAs = b.add(x, b.value("float32", [8]));
    expect(() => b.verify("test", [y])).toThrow(/nothing computes/);
  });

  test("operands that do not broadcast are found when the node is made", () => {
    const { b, x } = begun();
    const other = b.value("float32", [2, 1]);
    other.name = "other";
    expect(() => b.add(x, other)).toThrow(/E090.*\n.*pass "test", at node "\/block\/Add" \(Add\)\n.*17 against 2/);
  });
});

describe("a method that is wrong", () => {
  const wrong = (build: BuiltMethod["build"]): BuiltMethod => ({ ...rawAttention, id: "wrong", build });
  const compiled = (method: BuiltMethod) => () =>
    append(vit({ depth: 1 }), method, resolveOptions({ method: "raw-attention" }));

  test("with a mean over the wrong axis does not compile", () => {
    const method = wrong((c) => {
      const right = rawAttention.build(c);
      const [site] = c.analysis.sites;
      const weights = c.b.reduceMean(c.view(site!).weights, [1, 2], false);
      return { ...right, relevance: c.b.mul(right.relevance, c.b.slice(weights, 1, 0, 2)) };
    });
    expect(compiled(method)).toThrow(/E090.*\n.*pass "aggregate"[\s\S]*against 2 does not broadcast/);
  });

  test("nor with a map that is not [batch, tokens]", () => {
    const method = wrong((c) => {
      const right = rawAttention.build(c);
      return { ...right, relevance: c.b.unsqueeze(right.relevance, [2]) };
    });
    expect(compiled(method)).toThrow(/E090.*\n.*pass "wrong"\n.*the map is .*\[batch, tokens\] is asked for/);
  });
});

test("operands of the file that do not fit are the file's", () => {
  const m = new ModelWriter({ opset: 17 });
  const x = m.input("x", "float32", ["batch", 17]);
  m.output(m.op("Add", [x, m.weights([1, 2], [2])]));
  expect(() => compile(m.bytes(), { method: "gradient-x-input" })).toThrow(/E001.*\n.*Add[\s\S]*17 against 2/);
});
