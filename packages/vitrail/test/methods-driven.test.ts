/** Methods of many runs: each against its own definition in plain loops, and what it promises. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { type Arrays, array, open } from "../../../test/support/runtime.js";
import { vit } from "../../../test/support/vit.js";
import { importModel } from "../src/canonicalize/import.js";
import { compile } from "../src/compile.js";
import { methods } from "../src/index.js";
import type { Value } from "../src/ir/graph.js";
import { draw } from "../src/methods/draw.js";
import { POINT, SCORES } from "../src/methods/gradient-program.js";
import { isBuilt } from "../src/methods/method.js";
import { drawMask } from "../src/methods/rise.js";
import { readModel } from "../src/onnx/model.js";
import type { CompileOptions } from "../src/options.js";
import { prepare } from "../src/prepare.js";
import type { ExplainOptions } from "../src/runtime/explainer.js";
import { tensorOf } from "../src/tensor/tensor.js";
import { drivenExplainer, toFeeds } from "./support/driven.js";
import { distance, explained, feedsOf, sampleOf, targets } from "./support/program.js";

const driven = methods.filter((m) => !isBuilt(m)).map(({ id }) => id);
/** Few runs, so that tests stay short. */
const short: Readonly<Record<string, CompileOptions>> = {
  occlusion: {},
  rise: { masks: 40, seed: 3 },
  "integrated-gradients": { steps: 12 },
  "smooth-grad": { samples: 6, seed: 3 },
};

async function maps(model: Uint8Array, options: CompileOptions, feeds: Arrays, asked: ExplainOptions) {
  const { explainer, rows } = await drivenExplainer(model, options);
  const explanation = await explainer.explain(toFeeds(feeds), asked);
  await explainer.close();
  const each = Array.from({ length: explanation.batch }, (_, i) => [...explanation.toTokens(i)]);
  return { maps: each, explanation, rows };
}

/** The target's logit of one sample under other inputs. */
async function scorer(model: Uint8Array, feeds: Arrays, output = "logits") {
  const session = await open(model, true);
  const at = async (changed: Arrays, target: number) =>
    (await session.run({ ...feeds, ...changed }, [output]))[output]!.values[target]!;
  return { at, close: session.release };
}

const picture = { size: 16, patch: 4, depth: 2 } as const;
const model = vit(picture);
const feeds = feedsOf(picture, 1);
const pixels = feeds.pixel_values!;
const TARGET = 3;

/** The pixel's patch, row by row. */
const patchOf = (i: number) => 4 * Math.floor((i % 256) / 64) + Math.floor((i % 16) / 4);
const masked = (keep: ArrayLike<number>, fill: readonly number[]) => ({
  pixel_values: { ...pixels, values: pixels.values.map((v, i) => fill[i]! + (v - fill[i]!) * keep[patchOf(i)]!) },
});

/** logits = W · ids' embeddings: what is said of a token depends on nothing but the token. */
function bagOfWords(table: readonly number[]): Uint8Array {
  const m = new ModelWriter({ opset: 17 });
  const ids = m.input("input_ids", "int64", ["batch", "tokens"]);
  const mask = m.input("attention_mask", "int64", ["batch", "tokens"]);
  const embedded = m.op("Gather", [m.constant(tensorOf("float32", table, [table.length / 2, 2])), ids], { axis: 0 });
  const weights = m.op("Unsqueeze", [m.op("Cast", [mask], { to: 1 }), m.ints([-1])]);
  const sum = m.op("ReduceSum", [m.op("Mul", [embedded, weights]), m.ints([1])], { keepdims: 0 });
  m.output(sum, "float32", ["batch", 2], "logits");
  return m.bytes();
}

describe("every driven method", () => {
  test("has a definition that is tested here", () => expect(driven.sort()).toEqual(Object.keys(short).sort()));

  test.each(driven)("%s: a batch of two is two batches of one, and a second run is the first", async (method) => {
    const both = feedsOf(picture, 2);
    const options = { method, ...short[method] };
    const together = (await maps(model, options, both, { target: [1, 3] })).maps;
    expect((await maps(model, options, both, { target: [1, 3] })).maps).toEqual(together);
    for (const [i, target] of [1, 3].entries()) {
      const [alone] = (await maps(model, options, sampleOf(both, i), { target })).maps;
      expect(distance(together[i]!, alone!)).toBeLessThan(1e-4);
      expect(alone!.some((v) => v !== 0)).toBe(true);
    }
  });

  test.each(driven)("%s: a batch that is fixed to one gives the same", async (method) => {
    const options = { method, ...short[method] };
    const [free] = (await maps(model, options, feeds, { target: TARGET })).maps;
    const [fixed] = (await maps(vit({ ...picture, batch: 1 }), options, feeds, { target: TARGET })).maps;
    expect(distance(fixed!, free!)).toBeLessThan(1e-4);
  });

  test.each(driven)("%s: no target is the top class; weights weigh classes", async (method) => {
    const options = { method, ...short[method] };
    const free = await maps(model, { ...options, target: "predicted" }, feeds, {});
    const [[top]] = free.explanation.targets as unknown as [[number]];
    expect(free.maps).toEqual((await maps(model, options, feeds, { target: top })).maps);
    const weighted = async (weights: readonly number[]) =>
      (await maps(model, { ...options, target: "weights" }, feeds, { target: Float32Array.from(weights) })).maps[0]!;
    const [a, c] = [await weighted([0, 1, 0, 0, 0]), await weighted([0, 0, 0, 1, 0])];
    const difference = a.map((v, i) => v - c[i]!);
    expect(distance(await weighted([0, 1, 0, -1, 0]), difference)).toBeLessThan(1e-3);
  });

  test.each(driven)(
    "%s: several targets are as many explanations, and share what runs of masks they can",
    async (method) => {
      const options = { method, ...short[method] };
      const { explainer, rows } = await drivenExplainer(model, options);
      const each = await explainer.explainEach(toFeeds(feeds), [1, 4]);
      const two = { ...rows };
      const alone = await explainer.explain(toFeeds(feeds), { target: 4 });
      await explainer.close();
      expect([...each[1]!.toTokens()]).toEqual([...alone.toTokens()]);
      expect(each.map(({ targets: asked }) => asked)).toEqual([[[1]], [[4]]]);
      const one = rows.prediction - two.prediction;
      if (rows.explanation === 0) expect(two.prediction).toBe(one + 1);
    },
  );

  test.each(driven)("%s: progress is counted, and an abort stops between two runs", async (method) => {
    const options = { method, ...short[method] };
    const steps: [number, number][] = [];
    await maps(model, options, feeds, { target: 0, onProgress: (done, total) => steps.push([done, total]) });
    expect(steps.at(-1)![0]).toBe(steps.at(-1)![1]);
    expect(steps.every(([done], i) => i === 0 || done > steps[i - 1]![0])).toBe(true);
    const signal = { aborted: false };
    const onProgress = () => {
      signal.aborted = true;
    };
    await expect(maps(model, options, feeds, { target: 0, signal, onProgress })).rejects.toThrow(/E071/);
  });

  test.each(driven)("%s is no graph, and says so", (method) =>
    expect(() => compile(model, { method })).toThrow(/E017[\s\S]*createExplainer/),
  );
});

describe("occlusion", () => {
  test("is what the logit loses, patch by patch", async () => {
    const { at, close } = await scorer(model, feeds);
    const whole = await at({}, TARGET);
    const [r, g, b] = [0, 1, 2].map((c) => pixels.values.slice(256 * c, 256 * (c + 1)).reduce((x, y) => x + y) / 256);
    const means = pixels.values.map((_, i) => [r!, g!, b!][Math.floor(i / 256)]!);
    for (const fill of ["mean", "0", "0.5"]) {
      const expected: number[] = [];
      for (let patch = 0; patch < 16; patch++) {
        const keep = Array.from({ length: 16 }, (_, i) => Number(i !== patch));
        expected.push(
          whole - (await at(masked(keep, fill === "mean" ? means : pixels.values.map(() => Number(fill))), TARGET)),
        );
      }
      const {
        maps: [map],
        explanation,
      } = await maps(model, { method: "occlusion", fill }, feeds, { target: TARGET });
      expect(distance(map!, expected)).toBeLessThan(1e-3);
      expect(explanation.metadata.tokens).toEqual({ prefix: 0, grid: [4, 4], stride: null });
      expect(explanation.toGrid()!.values.length).toBe(16);
    }
    await close();
  });

  test("a fill that is neither the mean nor a number is refused", async () => {
    const asked = maps(model, { method: "occlusion", fill: "grey" }, feeds, { target: TARGET });
    await expect(asked).rejects.toThrow(/E016[\s\S]*"grey"/);
  });

  test("a cell may be any square", async () => {
    const { explanation } = await maps(model, { method: "occlusion", cell: 8 }, feeds, { target: TARGET });
    expect(explanation.metadata.tokens!.grid).toEqual([2, 2]);
  });

  test("hides real tokens alone: neither ends nor padding", async () => {
    const table = Array.from({ length: 20 }, (_, i) => i * i);
    const text: Arrays = {
      input_ids: array("int64", [1, 5, 7, 2, 0], [1, 5]),
      attention_mask: array("int64", [1, 1, 1, 1, 0], [1, 5]),
    };
    const of = async (options: CompileOptions) =>
      (await maps(bagOfWords(table), { method: "occlusion", ...options }, text, { target: 1 })).maps[0];
    const said = (id: number) => table[2 * id + 1]!;
    expect(await of({ maskToken: 3 })).toEqual([0, said(5) - said(3), said(7) - said(3), 0, 0]);
    expect(await of({ keepTokens: "7" })).toEqual([said(1) - said(0), said(5) - said(0), 0, said(2) - said(0), 0]);
    expect(await of({ keepTokens: "none" })).toEqual([...[1, 5, 7, 2].map((id) => said(id) - said(0)), 0]);
  });

  test("needs neither attention nor gradients: a network of convolutions with an operator that nobody knows", async () => {
    const m = new ModelWriter({ opset: 17 });
    const x = m.input("image", "float32", ["batch", 3, 28, 28]);
    const kernel = m.constant(tensorOf("float32", random(1).normals(8 * 3 * 9), [8, 3, 3, 3]));
    const first = m.op("Conv", [x, kernel], { kernel_shape: [3, 3], strides: [2, 2] });
    const mean = m.op("ReduceMean", [m.op("Relu", [first])], { axes: [2, 3], keepdims: 0 });
    const pooled = m.op("Add", [mean, m.op("Det", [first])]);
    m.output(
      m.op("MatMul", [pooled, m.constant(tensorOf("float32", random(2).normals(32), [8, 4]))]),
      "float32",
      ["batch", 4],
      "logits",
    );
    const cnn = m.bytes();
    expect(() => compile(cnn, { method: "gradient-x-input" })).toThrow(/E02\d/);
    // Only the middle of the picture is not grey: hiding anything else changes nothing.
    const inside = (i: number) => [Math.floor((i % 784) / 28), i % 28].every((at) => at >= 8 && at < 20);
    const values = random(3)
      .normals(3 * 784)
      .map((v, i) => (inside(i) ? v : 0));
    const input = { image: array("float32", values, [1, 3, 28, 28]) };
    const {
      maps: [map],
      explanation,
    } = await maps(cnn, { method: "occlusion", fill: "0" }, input, { target: 2 });
    expect(explanation.metadata.tokens!.grid).toEqual([14, 14]);
    const cell = (i: number) => [Math.floor(i / 14), i % 14].every((at) => at >= 4 && at < 10);
    for (const [i, v] of map!.entries()) if (!cell(i)) expect(Math.abs(v)).toBeLessThan(1e-6);
    expect(map!.filter((v) => Math.abs(v) > 1e-4).length).toBeGreaterThan(20);
  });
});

describe("RISE", () => {
  const options = { masks: 60, keep: 0.4, cells: 2, seed: 5, fill: "0" };
  const zeros = pixels.values.map(() => 0);

  test("is the mean logit over the masks that keep a patch, less that over all", async () => {
    const { at, close } = await scorer(model, feeds);
    const stream = draw(5);
    const units = {
      count: 16,
      grid: [4, 4] as const,
      removable: Array.from({ length: 16 }, (_, i) => i),
      partial: true,
    };
    const drawn = Array.from({ length: 60 }, () => drawMask(stream, units, 0.4, 2));
    const scores: number[] = [];
    for (const keep of drawn) scores.push(await at(masked(keep, zeros), TARGET));
    await close();
    const mean = scores.reduce((a, c) => a + c) / 60;
    const expected = units.removable.map((u) => {
      const weight = drawn.reduce((sum, keep) => sum + keep[u]!, 0);
      return drawn.reduce((sum, keep, i) => sum + scores[i]! * keep[u]!, 0) / weight - mean;
    });
    const {
      maps: [map],
    } = await maps(model, { method: "rise", ...options }, feeds, { target: TARGET });
    expect(distance(map!, expected)).toBeLessThan(1e-3);
    const other = await maps(model, { method: "rise", ...options, seed: 6 }, feeds, { target: TARGET });
    expect(distance(other.maps[0]!, expected)).toBeGreaterThan(0.1);
  });

  test("masks lie between 0 and 1, and keep what they should on average", () => {
    const stream = draw(1);
    const units = {
      count: 70,
      grid: [7, 10] as const,
      removable: Array.from({ length: 70 }, (_, i) => i),
      partial: true,
    };
    const sums = new Float64Array(70);
    for (let i = 0; i < 4000; i++)
      for (const [u, v] of drawMask(stream, units, 0.3, 4).entries()) {
        expect(v >= 0 && v <= 1).toBe(true);
        sums[u]! += v / 4000;
      }
    for (const v of sums) expect(Math.abs(v - 0.3)).toBeLessThan(0.03);
  });

  test("where tokens speak for themselves, its expectation is what they say, times how likely they go", async () => {
    const table = Array.from({ length: 20 }, (_, i) => (i % 2 === 1 ? i - 9 : 0));
    const text: Arrays = {
      input_ids: array("int64", [1, 5, 9, 3], [1, 4]),
      attention_mask: array("int64", [1, 1, 1, 1], [1, 4]),
    };
    const settings = { method: "rise", masks: 4000, keep: 0.75, keepTokens: "none" };
    const [map] = (await maps(bagOfWords(table), settings, text, { target: 1 })).maps;
    for (const [i, id] of [1, 5, 9, 3].entries())
      expect(Math.abs(map![i]! - 0.25 * (table[2 * id + 1]! - table[1]!))).toBeLessThan(0.25);
  });
});

describe("integrated gradients", () => {
  test("add up to what the logit gains from the baseline", async () => {
    const calm = vit({ ...picture, gain: 1 });
    const { at, close } = await scorer(calm, feeds);
    for (const baseline of [0, 0.3]) {
      const flat = { pixel_values: { ...pixels, values: pixels.values.map(() => baseline) } };
      const gained = (await at({}, TARGET)) - (await at(flat, TARGET));
      const options = { method: "integrated-gradients", baseline };
      const {
        maps: [map],
        explanation,
        rows,
      } = await maps(calm, options, feeds, { target: TARGET });
      const sum = map!.reduce((a, c) => a + c, 0);
      expect(Math.abs(sum - gained) / Math.abs(gained)).toBeLessThan(5e-3);
      const [found] = explanation.completeness!;
      expect(found!.difference).toBeCloseTo(gained, 4);
      expect(found!.sum).toBeCloseTo(sum, 4);
      expect(found!.error).toBeCloseTo(Math.abs(sum - gained) / Math.abs(gained), 4);
      expect(rows).toEqual({ explanation: 50, prediction: 2 });
    }
    await close();
  });

  test("are a sum over the path of gradients", async () => {
    const expected = pixels.values.map(() => 0);
    for (let k = 0; k < 4; k++) {
      const alpha = (k + 0.5) / 4;
      const values = pixels.values.map((v) => v * alpha);
      // x ⊙ gradient at α x, so α times what is wanted.
      const fed = { pixel_values: { ...pixels, values }, ...targets(TARGET) };
      const [product] = await explained(model, { method: "gradient-x-input" }, fed);
      for (const [i, v] of product!.entries()) expected[i]! += v / alpha / 4;
    }
    const options = { method: "integrated-gradients", steps: 4, rule: "midpoint" };
    const {
      maps: [map],
    } = await maps(model, options, feeds, { target: TARGET });
    expect(distance(map!, expected)).toBeLessThan(1e-4);
  });

  test("refuse a rule that there is not, and a path without a point", async () => {
    const of = (options: CompileOptions) =>
      maps(model, { method: "integrated-gradients", ...options }, feeds, { target: 0 });
    await expect(of({ rule: "simpson" })).rejects.toThrow(/E016[\s\S]*gauss, midpoint, right/);
    await expect(of({ steps: 0 })).rejects.toThrow(/E016/);
  });

  test("of a sum of embeddings are the embeddings", async () => {
    const table = Array.from({ length: 20 }, (_, i) => i * i);
    const text: Arrays = {
      input_ids: array("int64", [1, 5, 7, 2], [2, 2]),
      attention_mask: array("int64", [1, 1, 1, 0], [2, 2]),
    };
    const options = { method: "integrated-gradients", steps: 3, baseline: 1 };
    const { maps: found, explanation } = await maps(bagOfWords(table), options, text, { target: 1 });
    const said = (id: number) => table[2 * id + 1]! - 1;
    expect(found[0]!.map(Math.round)).toEqual([said(1), said(5)]);
    expect(found[1]!.map(Math.round)).toEqual([said(7), 0]);
    for (const { error } of explanation.completeness!) expect(error).toBeLessThan(1e-5);
  });
});

describe("SmoothGrad", () => {
  test("without noise is the gradient, and times the input the product with it", async () => {
    const [product] = await explained(model, { method: "gradient-x-input" }, { ...feeds, ...targets(TARGET) });
    const of = async (options: CompileOptions) =>
      (await maps(model, { method: "smooth-grad", samples: 3, noise: 0, ...options }, feeds, { target: TARGET }))
        .maps[0]!;
    expect(distance(await of({ timesInput: true }), product!)).toBeLessThan(1e-4);
    const gradient = await of({});
    expect(
      distance(
        gradient.map((g, i) => g * pixels.values[i]!),
        product!,
      ),
    ).toBeLessThan(1e-4);
  });

  test("is the mean of gradients at noisy points", async () => {
    const options = { samples: 3, noise: 0.2, seed: 9 };
    const { normal } = draw(9);
    const deviation = 0.2 * (Math.max(...pixels.values) - Math.min(...pixels.values));
    const expected = pixels.values.map(() => 0);
    for (let k = 0; k < 3; k++) {
      const values = pixels.values.map((v) => v + deviation * normal());
      const fed = { pixel_values: { ...pixels, values }, ...targets(TARGET) };
      const [product] = await explained(model, { method: "gradient-x-input" }, fed);
      for (const [i, v] of product!.entries()) expected[i]! += v / values[i]! / 3;
    }
    const {
      maps: [map],
    } = await maps(model, { method: "smooth-grad", ...options }, feeds, { target: TARGET });
    expect(distance(map!, expected)).toBeLessThan(1e-3);
  });
});

describe("what is run for gradients", () => {
  test("leads to nothing but them: of a text, no forward pass beside its copy", () => {
    const { original, toRun, report } = prepare(bagOfWords([1, 2, 3, 4]), { method: "integrated-gradients" });
    const graph = readModel(toRun!(original)).graph!;
    expect(graph.output.map((o) => o.name)).toEqual(["relevance", POINT, SCORES]);
    expect(report.outputs.map((o) => o.name)).toEqual(["logits"]);
    const used = new Set([...graph.output.map((o) => o.name), ...graph.node.flatMap((n) => n.input)]);
    expect(graph.node.filter((n) => !n.output.some((name) => used.has(name)))).toEqual([]);
    expect(graph.node.filter((n) => n.opType === "ReduceSum").length).toBe(1);
  });

  test("of a picture, the last block for the token that the head reads, and activations read at their ends", () => {
    const { original, toRun } = prepare(vit({ ...picture, width: 24, mlpRatio: 4 }), { method: "smooth-grad" });
    const { builder: b } = importModel(readModel(toRun!(original)));
    const hidden = b.nodes.filter((n) => n.operator === "MatMul" && `${n.inputs[1]!.shape}` === "24,96");
    const passOf = (n: { source: string }) => n.source.split("/")[1];
    expect(hidden.filter((n) => passOf(n) === "copy").map((n) => n.outputs[0]!.shape![1])).toEqual([17, 1]);
    const readers = (values: readonly Value[]) => b.nodes.filter((n) => n.inputs.some((v) => v && values.includes(v)));
    const inside = b.nodes.filter((n) => n.operator === "Erf" && passOf(n) === "copy").flatMap((n) => n.outputs);
    const gates = readers(inside).flatMap((n) => n.outputs);
    expect(readers(gates).map(passOf)).toEqual(["copy", "copy"]);
  });
});
