/** Embeddings that go into a norm alone: there input x gradient is zero by Euler's theorem, and the norm's output is explained. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { array, run } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import { inspect } from "../src/inspect.js";
import { prepare } from "../src/prepare.js";
import { drivenExplainer, toFeeds } from "./support/driven.js";
import { distance, explained, targets } from "./support/program.js";

const [WORDS, WIDTH, TOKENS, CLASSES] = [11, 6, 4, 3];
const draw = (count: number, seed: number): number[] => random(seed).normals(count);
const GAMMA = draw(WIDTH, 4).map((g) => 1 + g / 4);
const BETA = draw(WIDTH, 5);

type Norm = (m: ModelWriter, x: string) => string;
const mean = (m: ModelWriter, x: string) =>
  m.opset < 18
    ? m.op("ReduceMean", [x], { axes: [-1], keepdims: 1 })
    : m.op("ReduceMean", [x, m.ints([-1])], { keepdims: 1 });
const root = (m: ModelWriter, square: string) => m.op("Sqrt", [m.op("Add", [square, m.scalar(1e-5)])]);
const gamma = (m: ModelWriter) => m.once("gamma", () => m.weights(GAMMA, [WIDTH]));
const beta = (m: ModelWriter) => m.once("beta", () => m.weights(BETA, [WIDTH]));
const scaled = (m: ModelWriter, x: string) => m.op("Add", [m.op("Mul", [x, gamma(m)]), beta(m)]);
const primitive: Norm = (m, x) => {
  const c = m.op("Sub", [x, mean(m, x)]);
  return scaled(m, m.op("Div", [c, root(m, mean(m, m.op("Pow", [c, m.scalar(2)])))]));
};
const layerNorms: Record<string, Norm> = {
  operator: (m, x) => m.op("LayerNormalization", [x, gamma(m), beta(m)]),
  primitive,
  "times a reciprocal": (m, x) => {
    const c = m.op("Sub", [x, mean(m, x)]);
    return scaled(m, m.op("Mul", [c, m.op("Reciprocal", [root(m, mean(m, m.op("Mul", [c, c])))])]));
  },
  "E[x²] - E[x]²": (m, x) => {
    const mu = mean(m, x);
    const variance = m.op("Sub", [mean(m, m.op("Mul", [x, x])), m.op("Mul", [mu, mu])]);
    const scale = m.op("Mul", [m.op("Reciprocal", [root(m, variance)]), gamma(m)]);
    return m.op("Add", [m.op("Mul", [x, scale]), m.op("Sub", [beta(m), m.op("Mul", [mu, scale])])]);
  },
  "scaled before": (m, x) => primitive(m, m.op("Mul", [x, m.scalar(2.5)])),
};
const rms: Norm = (m, x) => m.op("Mul", [m.op("Div", [x, root(m, mean(m, m.op("Mul", [x, x])))]), gamma(m)]);

/** What follows the norm: not linear, and each token by itself before the mean. */
function head(m: ModelWriter, x: string): void {
  const hidden = m.op("Tanh", [m.op("MatMul", [x, m.weights(draw(WIDTH * 5, 2), [WIDTH, 5])])]);
  const logits = m.op("MatMul", [hidden, m.weights(draw(5 * CLASSES, 3), [5, CLASSES])]);
  const all =
    m.opset < 18
      ? m.op("ReduceMean", [logits], { axes: [1], keepdims: 0 })
      : m.op("ReduceMean", [logits, m.ints([1])], { keepdims: 0 });
  m.output(all, "float32", ["batch", CLASSES], "logits");
}

/** ids -> embeddings -> what `build` makes of them -> logits; what it makes is an output, too. */
function model(build: Norm, opset = 17): Uint8Array {
  const m = new ModelWriter({ opset });
  const table = m.weights(draw(WORDS * WIDTH, 1), [WORDS, WIDTH]);
  const y = build(m, m.op("Gather", [table, m.input("ids", "int64", ["batch", TOKENS])]));
  m.output(y, "float32", ["batch", TOKENS, WIDTH]);
  head(m, y);
  return m.bytes();
}

const feeds = { ids: array("int64", [3, 1, 4, 10, 5, 9, 2, 6], [2, TOKENS]) };
const wanted = targets(1, 2);

/** The map by embeddings that are fed: numbers of one token summed. */
async function fed(build: Norm, method: string): Promise<number[][]> {
  const made = await run(model(build), feeds);
  const norm = Object.entries(made).find(([name]) => name !== "logits")![1];
  const m = new ModelWriter({ opset: 17 });
  head(m, m.input("embeddings", "float32", ["batch", TOKENS, WIDTH]));
  const rows = await explained(m.bytes(), { method }, { embeddings: norm, ...wanted });
  return rows.map((row) =>
    Array.from({ length: TOKENS }, (_, t) => row.slice(t * WIDTH, (t + 1) * WIDTH).reduce((a, b) => a + b)),
  );
}

describe("what the norm makes of the embeddings is explained", () => {
  for (const [name, build] of Object.entries(layerNorms))
    for (const opset of [13, 17, 18].filter((o) => o >= 17 || name !== "operator"))
      test(`${name}, opset ${opset}`, async () => {
        const expected = await fed(layerNorms.operator!, "gradient-x-input");
        const found = await explained(model(build, opset), { method: "gradient-x-input" }, { ...feeds, ...wanted });
        expect(Math.max(...found.flat().map(Math.abs))).toBeGreaterThan(1e-2);
        for (const i of [0, 1]) expect(distance(found[i]!, expected[i]!)).toBeLessThan(1e-4);
      });

  test.each(["gradient-x-input", "attn-lrp", "cp-lrp", "res-lrp"])("RMS norm, %s", async (method) => {
    const [expected] = await fed(rms, method);
    const [found] = await explained(model(rms), { method }, { ...feeds, ...wanted });
    expect(distance(found!, expected!)).toBeLessThan(1e-5);
  });

  test("integrated gradients start at zero behind the norm and add up to the difference from there", async () => {
    const { explainer } = await drivenExplainer(model(primitive), { method: "integrated-gradients" });
    const explanation = await explainer.explain(toFeeds(feeds), { target: 1 });
    expect(explanation.completeness![0]!.error).toBeLessThan(1e-3);
    expect(Math.max(...explanation.toTokens().map(Math.abs))).toBeGreaterThan(1e-2);
    await explainer.close();
  });
});

describe("and said", () => {
  test("in the metadata and in the findings, by input methods alone", () => {
    const { metadata, evidence } = compile(model(primitive), { method: "gradient-x-input" }).report;
    expect(metadata!.norm).toMatch(/Div/);
    expect(evidence.find((e) => e.finding === "input")!.evidence).toContain("whose output is explained");
    expect(inspect(model(rms), { method: "integrated-gradients" }).metadata!.norm).toMatch(/Div/);
    expect(prepare(model(rms), { method: "occlusion" }).metadata.norm).toBeUndefined();
  });

  const positions = (m: ModelWriter, x: string) =>
    m.op("Add", [x, m.weights(draw(TOKENS * WIDTH, 8), [TOKENS, WIDTH])]);
  test.each<[string, Norm]>([
    ["positions are added before", (m, x) => primitive(m, positions(m, x))],
    ["a skip goes past the norm", (m, x) => m.op("Add", [x, primitive(m, x)])],
    ["a gate, not a norm", (m, x) => m.op("Mul", [x, m.op("Sigmoid", [x])])],
    ["centred, and still as long as it was", (m, x) => m.op("Sub", [x, mean(m, x)])],
  ])("not where %s", (_, build) => {
    expect(compile(model(build), { method: "gradient-x-input" }).report.metadata!.norm).toBeUndefined();
  });
});
