/** A final softmax or sigmoid, in any spelling and behind any moves: the map is that of the scores, the share is the file's own. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Ending, withEnding } from "../../../test/support/ending.js";
import { run } from "../../../test/support/runtime.js";
import { type VitStyle, vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { inspect } from "../src/inspect.js";
import { readingOf, scoresFrom, sharesOf } from "../src/runtime/reading.js";
import { drivenExplainer, toFeeds } from "./support/driven.js";
import { distance, explained, feedsOf, targets } from "./support/program.js";

const style: VitStyle = { depth: 2, gain: 1, classes: 5, opset: 17 };
const model = vit(style);
const feeds = feedsOf(style, 2);

const real =
  (x: number) =>
  (m: Parameters<Ending>[0]): string =>
    m.scalar(x);
/** Of [batch, classes] by the last axis. */
const functions: Record<string, { ends: Ending; of: "softmax" | "sigmoid"; log?: true }> = {
  Softmax: { of: "softmax", ends: (m, x) => m.op("Softmax", [x], { axis: -1 }) },
  "exp x / Σ exp x": {
    of: "softmax",
    ends: (m, x) => {
      const powers = m.op("Exp", [x]);
      return m.op("Div", [powers, m.op("ReduceSum", [powers, m.ints([-1])], { keepdims: 1 })]);
    },
  },
  LogSoftmax: { of: "softmax", log: true, ends: (m, x) => m.op("LogSoftmax", [x], { axis: -1 }) },
  "log of Softmax": { of: "softmax", log: true, ends: (m, x) => m.op("Log", [m.op("Softmax", [x], { axis: -1 })]) },
  "exp of LogSoftmax": { of: "softmax", ends: (m, x) => m.op("Exp", [m.op("LogSoftmax", [x], { axis: -1 })]) },
  Sigmoid: { of: "sigmoid", ends: (m, x) => m.op("Sigmoid", [x]) },
  "1 / (1 + exp -x)": {
    of: "sigmoid",
    ends: (m, x) => m.op("Div", [real(1)(m), m.op("Add", [real(1)(m), m.op("Exp", [m.op("Neg", [x])])])]),
  },
  "(1 + tanh x/2) / 2": {
    of: "sigmoid",
    ends: (m, x) => {
      const half = m.op("Tanh", [m.op("Mul", [x, real(0.5)(m)])]);
      return m.op("Mul", [m.op("Add", [half, real(1)(m)]), real(0.5)(m)]);
    },
  },
  "log of Sigmoid": { of: "sigmoid", log: true, ends: (m, x) => m.op("Log", [m.op("Sigmoid", [x])]) },
  "-softplus -x": {
    of: "sigmoid",
    log: true,
    ends: (m, x) => m.op("Neg", [m.op("Softplus", [m.op("Neg", [x])])]),
  },
  "a clipped Sigmoid": {
    of: "sigmoid",
    ends: (m, x) => m.op("Clip", [m.op("Sigmoid", [x]), real(1e-6)(m), real(1)(m)]),
  },
};

/** Moves that leave [batch, classes] as it is. */
const moves: Record<string, Ending> = {
  Identity: (m, x) => m.op("Identity", [x]),
  "Unsqueeze and Squeeze": (m, x) => m.op("Squeeze", [m.op("Unsqueeze", [x, m.ints([1])]), m.ints([1])]),
  "Reshape and back": (m, x) => m.op("Reshape", [m.op("Reshape", [x, m.ints([-1, 1, 5, 1])]), m.ints([-1, 5])]),
  "Transpose twice": (m, x) => m.op("Transpose", [m.op("Transpose", [x], { perm: [1, 0] })], { perm: [1, 0] }),
  Flatten: (m, x) => m.op("Flatten", [x], { axis: 1 }),
  "Cast to double and back": (m, x) => m.op("Cast", [m.op("Cast", [x], { to: 11 })], { to: 1 }),
  "Gather of all": (m, x) => m.op("Gather", [x, m.ints([0, 1, 2, 3, 4])], { axis: 1 }),
  "Slice of all": (m, x) => m.op("Slice", [x, m.ints([0]), m.ints([5]), m.ints([1])]),
};
interface Case {
  name: string;
  before: string[];
  after: string[];
  method: string;
}
const last = <T>(all: readonly T[]): T => all.at(-1)!;

describe("any final activation behind any moves", () => {
  const methods = ["generic-attention", "gradient-x-input", "transformer-attribution"];
  test("has the map of its scores and says its own shares", async () => {
    const own = new Map<string, number[][]>();
    for (const method of methods) own.set(method, await explained(model, { method }, { ...feeds, ...targets(3, 1) }));
    const { logits } = await run(model, feeds);
    const shape = fc.record({
      name: fc.constantFrom(...Object.keys(functions)),
      before: fc.array(fc.constantFrom(...Object.keys(moves)), { maxLength: 2 }),
      after: fc.array(fc.constantFrom(...Object.keys(moves)), { maxLength: 3 }),
      method: fc.constantFrom(...methods),
    });
    const check = async ({ name, before, after, method }: Case) => {
      const { ends, of, log } = functions[name]!;
      const chain =
        (names: string[]): Ending =>
        (m, x) =>
          names.reduce((v, move) => moves[move]!(m, v), x);
      const ended = withEnding(model, (m, x) => chain(after)(m, ends(m, chain(before)(m, x))));
      const { metadata } = compile(ended, { method }).report;
      expect(metadata!.from).toBe("logit");
      expect(metadata!.activation).toMatchObject({
        function: `${log ? "log-" : ""}${of}`,
        exclusive: of === "softmax",
      });
      const map = await explained(ended, { method }, { ...feeds, ...targets(3, 1) });
      for (const [i, row] of map.entries()) expect(distance(row, own.get(method)![i]!)).toBeLessThan(1e-3);
      const { ended: given } = await run(ended, feeds);
      const reading = readingOf(metadata!);
      const scores = scoresFrom(Float32Array.from(given!.values.slice(0, 5)), reading);
      const truth = sharesOf(logits!.values.slice(0, 5), { kind: of === "softmax" ? "exclusive" : "independent" })!;
      for (const [i, share] of sharesOf(scores, reading)!.entries()) expect(share).toBeCloseTo(truth[i]!, 4);
    };
    await fc.assert(fc.asyncProperty(shape, check), {
      numRuns: 25,
      examples: Object.keys(functions).map((name): [Case] => [
        { name, before: [], after: [], method: "generic-attention" },
      ]),
    });
  });

  test("of some classes only, each is a probability by itself", async () => {
    const second: Ending = (m, x) =>
      m.op("Slice", [m.op("Softmax", [x], { axis: -1 }), m.ints([1]), m.ints([2]), m.ints([1])]);
    const ended = withEnding(model, second);
    const { metadata } = compile(ended, { method: "generic-attention" }).report;
    expect(metadata!.activation).toMatchObject({ function: "softmax", exclusive: false });
    const [map] = await explained(ended, { method: "generic-attention" }, { ...feeds, ...targets(0, 0) });
    const [own] = await explained(model, { method: "generic-attention" }, { ...feeds, ...targets(1, 1) });
    expect(distance(map!, own!)).toBeLessThan(1e-3);
    const { ended: given } = await run(ended, feeds);
    const reading = readingOf(metadata!);
    const [share] = sharesOf(scoresFrom(Float32Array.from(given!.values), reading), reading)!;
    expect(share).toBeCloseTo(given!.values[0]!, 5);
  });

  test.each([
    ["a product behind it", (m, x) => m.op("MatMul", [m.op("Sigmoid", [x]), m.weights(Array(10).fill(0.5), [5, 2])])],
    ["a Tanh", (m, x) => m.op("Tanh", [x])],
    ["shares of a hundred", (m, x) => m.op("Mul", [m.op("Softmax", [x], { axis: -1 }), m.scalar(100)])],
  ] as [string, Ending][])("%s is none", (_, ending) => {
    const { metadata } = compile(withEnding(model, ending), { method: "generic-attention" }).report;
    expect(metadata!.activation).toBeNull();
  });
});

describe("where it starts", () => {
  const saturated = withEnding(model, (m, x) => m.op("Softmax", [m.op("Mul", [x, m.scalar(300)])], { axis: -1 }));
  const method = "gradient-x-input";

  test("a sure answer has the map of its scores; from the probability there is nothing left", async () => {
    const { logits } = await run(model, feeds);
    const top = (i: number) => {
      const row = logits!.values.slice(5 * i, 5 * i + 5);
      return row.indexOf(Math.max(...row));
    };
    const target = targets(top(0), top(1));
    const own = await explained(model, { method }, { ...feeds, ...target });
    const cosine = (a: readonly number[], b: readonly number[]) => {
      const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
      return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b) || 1);
    };
    const scores = await explained(saturated, { method }, { ...feeds, ...target });
    const shares = await explained(saturated, { method, from: "probability" }, { ...feeds, ...target });
    for (const i of [0, 1]) {
      expect(cosine(scores[i]!, own[i]!)).toBeGreaterThan(0.999);
      expect(Math.abs(cosine(shares[i]!, own[i]!))).toBeLessThan(0.9);
    }
  });

  test("is noted and found in what is inspected", () => {
    const from = (options: object) => {
      const { metadata, evidence } = inspect(saturated, { method, ...options });
      return [metadata!.from, evidence.find(({ finding }) => finding === "start")?.state];
    };
    expect(from({})).toEqual(["logit", "derived"]);
    expect(from({ from: "probability" })).toEqual(["probability", "given"]);
    expect(inspect(model, { method }).evidence.some(({ finding }) => finding === "start")).toBe(false);
  });

  test("without a probability there is none to start at", () => {
    expect(() => compile(model, { method, from: "probability" })).toThrow(/E043 no probability to start at/);
    expect(() => compile(model, { method, from: "loss" as never })).toThrow(/E016.*"from"/);
  });

  test("of probabilities beside their scores the scores are explained", () => {
    const both = withEnding(model, (m, x) => m.op("Softmax", [x], { axis: -1 }), { keep: true });
    expect(inspect(both, { method }).metadata!.output).toBe("logits");
    expect(inspect(both, { method, output: "ended" }).metadata!.output).toBe("ended");
  });

  test("the predicted class is that of the file", async () => {
    const ended = withEnding(model, (m, x) => m.op("Softmax", [x], { axis: -1 }));
    const own = await explained(model, { method, target: "predicted" }, feeds);
    const map = await explained(ended, { method, target: "predicted" }, feeds);
    expect(distance(map.flat(), own.flat())).toBeLessThan(1e-3);
  });
});

describe("methods of many runs", () => {
  const sure = withEnding(model, (m, x) => m.op("Softmax", [x], { axis: -1 }));
  test.each(["occlusion", "rise", "integrated-gradients", "smooth-grad"])("%s asks for the scores", async (method) => {
    const maps: Float32Array[] = [];
    for (const file of [model, sure]) {
      const { explainer } = await drivenExplainer(file, { method });
      const { relevance, completeness } = await explainer.explain(toFeeds(feeds), { target: [3, 1] });
      maps.push(relevance.data as Float32Array);
      for (const { error } of completeness ?? []) expect(error).toBeLessThan(0.2);
      await explainer.close();
    }
    expect(distance([...maps[1]!], [...maps[0]!])).toBeLessThan(1e-3);
  });
});

test("what float32 cannot tell from 0 or 1 stays finite", () => {
  const shares = Float32Array.of(0, 1);
  for (const kind of ["exclusive", "independent"] as const) {
    const scores = scoresFrom(shares, { kind, given: "shares" });
    expect([...scores].every(Number.isFinite)).toBe(true);
    expect(last(sharesOf(scores, { kind })!)).toBeGreaterThan(0.999);
  }
});
