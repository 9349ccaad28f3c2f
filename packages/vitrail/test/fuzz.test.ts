/**
 * Random small graphs of the operator table, in float64: the gradient against central differences, relevance that is neither lost
 * nor made where the rules promise that, and the printed graph read back. A failure prints the seed and the path to the graph; FUZZ_SEED and FUZZ_RUNS choose others.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { open } from "../../../test/support/runtime.js";
import { importModel } from "../src/canonicalize/import.js";
import { compile } from "../src/compile.js";
import { readModel } from "../src/onnx/model.js";
import { sum } from "./support/loops.js";
import { printsItsPatch, readsBack } from "./support/printed.js";
import { distance } from "./support/program.js";
import { pulled, Sketch } from "./support/relevance.js";

const settings = { seed: Number(process.env.FUZZ_SEED ?? 2021), numRuns: Number(process.env.FUZZ_RUNS ?? 20) };

/** [samples, tokens, channels]; so many channels that no z+ denominator is 0 for want of a positive part. */
const [SAMPLES, TOKENS, WIDTH] = [1, 3, 34];
const DIMS = [SAMPLES, TOKENS, WIDTH];
const SIZE = SAMPLES * TOKENS * WIDTH;

type Make = (m: Sketch, x: string, other: string, draw: (count: number) => number[]) => string;

/** Steps from [samples, tokens, channels] to the same shape; `other` is an earlier value of that shape. */
const steps: Readonly<Record<string, Make>> = {
  linear: (m, x, _, draw) => m.op("MatMul", [x, m.fixed(draw(WIDTH * WIDTH), [WIDTH, WIDTH])]),
  bias: (m, x, _, draw) => m.op("Add", [m.fixed(draw(WIDTH)), x]),
  scale: (m, x, _, draw) => m.op("Mul", [x, m.fixed(draw(WIDTH))]),
  half: (m, x) => m.op("Div", [x, m.real(2)]),
  residual: (m, x, other) => m.op("Add", [x, other]),
  difference: (m, x, other) => m.op("Sub", [x, other]),
  tanh: (m, x) => m.op("Tanh", [x]),
  sigmoid: (m, x) => m.op("Sigmoid", [x]),
  exponential: (m, x) => m.op("Exp", [m.op("Tanh", [x])]),
  negative: (m, x) => m.op("Neg", [x]),
  softmax: (m, x) => m.op("Softmax", [x], { axis: -1 }),
  norm: (m, x, _, draw) => m.op("LayerNormalization", [x, m.fixed(draw(WIDTH)), m.fixed(draw(WIDTH))]),
  gate: (m, x, other) => m.op("Mul", [m.op("Sigmoid", [x]), other]),
  attention: (m, x, other) => {
    const scores = m.op("MatMul", [x, m.op("Transpose", [other], { perm: [0, 2, 1] })]);
    const weights = m.op("Softmax", [m.op("Mul", [scores, m.real(0.2)])], { axis: -1 });
    return m.op("MatMul", [weights, other]);
  },
  heads: (m, x) => {
    const shape = (dims: number[]) => m.ints(dims);
    const apart = m.op("Reshape", [x, shape([SAMPLES, TOKENS, 2, WIDTH / 2])]);
    const turned = m.op("Transpose", [apart], { perm: [0, 1, 3, 2] });
    return m.op("Reshape", [turned, shape(DIMS)]);
  },
  rotation: (m, x) => {
    const cut = (from: number, to: number) => m.op("Slice", [x, m.ints([from]), m.ints([to]), m.ints([1])]);
    return m.op("Concat", [cut(1, TOKENS), cut(0, 1)], { axis: 1 });
  },
};

/** Methods that need no attention. */
const PRINTED = ["gradient-x-input", "lrp", "attn-lrp", "libra-grad"];

interface Plan {
  readonly step: string;
  /** Which earlier value is the second operand, as a share of those there are. */
  readonly other: number;
}
const plans = fc.array(
  fc.record({ step: fc.constantFrom(...Object.keys(steps)), other: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
  { minLength: 1, maxLength: 7 },
);

function build(plan: readonly Plan[], seed: number): { sketch: Sketch; output: string; x: number[] } {
  const { normals } = random(seed);
  const sketch = new Sketch();
  const x = normals(SIZE);
  const values = [sketch.data("x", DIMS, x)];
  for (const { step, other } of plan)
    values.push(
      steps[step]!(sketch, values.at(-1)!, values[Math.floor(other * values.length)]!, (n) => normals(n, 0.4)),
    );
  return { sketch, output: values.at(-1)!, x };
}

describe("random graphs", () => {
  test("the gradient is what central differences say", async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.integer({ min: 1, max: 1e6 }), async (plan, seed) => {
        const start = random(seed + 1).normals(SIZE);
        const own = build(plan, seed);
        const found = await pulled(own.sketch, { from: own.output, start, wanted: ["x"], pass: "gradient" });
        const { sketch, output, x } = build(plan, seed);
        sketch.output(output);
        const session = await open(sketch.bytes());
        const at = async (values: number[]) => {
          const { [output]: y } = await session.run({ x: { type: "float64", dims: DIMS, values } });
          return sum(y!.values.map((v, i) => v * start[i]!));
        };
        // Along a few directions: all of the gradient has a say in each.
        for (const k of [2, 3]) {
          const direction = random(seed + k).normals(SIZE);
          const moved = (h: number) => at(x.map((v, i) => v + h * direction[i]!));
          const slope = async (h: number) => ((await moved(h)) - (await moved(-h))) / (2 * h);
          const expected = (4 * (await slope(1e-4)) - (await slope(2e-4))) / 3;
          const inner = sum(found.x!.map((g, i) => g * direction[i]!));
          const size = Math.hypot(...found.x!) * Math.hypot(...direction);
          expect(Math.abs(inner - expected)).toBeLessThan(1e-6 * Math.max(size, 1e-6));
        }
        await session.release();
      }),
      settings,
    );
  });

  test("the printed graph is read back, and is what the patch holds", () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(...PRINTED), (plan, seed, method) => {
        const { sketch, output } = build(plan, seed);
        sketch.output(output);
        const model = sketch.bytes();
        readsBack(importModel(readModel(model)));
        printsItsPatch(compile(model, { method }));
      }),
      settings,
    );
  });

  test("relevance is kept, and the same when it is compiled again", async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.integer({ min: 1, max: 1e6 }), async (plan, seed) => {
        const start = random(seed + 1)
          .normals(SIZE)
          .map(Math.abs);
        const run = async () => {
          const { sketch, output } = build(plan, seed);
          return (await pulled(sketch, { from: output, start, wanted: ["x"] })).x!;
        };
        const first = await run();
        expect(Math.abs(sum(first) / sum(start) - 1)).toBeLessThan(1e-3);
        expect(distance(await run(), first)).toBe(0);
      }),
      settings,
    );
  });
});
