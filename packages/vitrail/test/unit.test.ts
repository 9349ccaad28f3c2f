/** Norms and activations in primitive operators are found by meaning, in every spelling; what only looks like one is not. */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { distance } from "./support/program.js";
import { passesUnchanged, pulled, Sketch } from "./support/relevance.js";

type Build = (m: Sketch, x: string) => string;
const draw = (count: number, seed: number): number[] => random(seed).normals(count);
const DIMS = [2, 3, 4];
const R = draw(24, 9);

/** Relevance at x of a graph above it. */
async function at(build: Build, opset = 17, wanted = ["x"]): Promise<Record<string, number[]>> {
  const m = new Sketch(opset);
  return pulled(m, { from: build(m, m.data("x", DIMS, draw(24, 1))), start: R, wanted });
}

const mean: Build = (m, x) =>
  m.opset < 18
    ? m.op("ReduceMean", [x], { axes: [-1], keepdims: 1 })
    : m.op("ReduceMean", [x, m.ints([-1])], { keepdims: 1 });
const centred: Build = (m, x) => m.op("Sub", [x, mean(m, x)]);
const squared: Build = (m, c) => m.op("Pow", [c, m.real(2)]);
const guardedRoot: Build = (m, variance) => m.op("Sqrt", [m.op("Add", [variance, m.real(1e-5)])]);
const affine: Build = (m, x) => m.op("Add", [m.op("Mul", [x, m.fixed([1, 2, 3, 4])]), m.fixed([0, 1, 0, 1])]);
const half = 0.5;
const gelu = (m: Sketch, x: string, gate: string) =>
  m.op("Mul", [m.op("Mul", [x, m.op("Add", [gate, m.real(1)])]), m.real(half)]);

const units: Record<string, Build> = {
  "layer norm: divided by the deviation": (m, x) => {
    const c = centred(m, x);
    return affine(m, m.op("Div", [c, guardedRoot(m, mean(m, squared(m, c)))]));
  },
  "layer norm: centred twice, as PyTorch's exporter did": (m, x) =>
    affine(m, m.op("Div", [centred(m, x), guardedRoot(m, mean(m, squared(m, centred(m, x))))])),
  "layer norm: times the reciprocal deviation, squares as products": (m, x) => {
    const c = centred(m, x);
    return affine(m, m.op("Mul", [c, m.op("Reciprocal", [guardedRoot(m, mean(m, m.op("Mul", [c, c])))])]));
  },
  "layer norm: E[x²] - E[x]², as TensorFlow's exporter does": (m, x) => {
    const mu = mean(m, x);
    const variance = m.op("Sub", [mean(m, m.op("Mul", [x, x])), m.op("Mul", [mu, mu])]);
    const scale = m.op("Mul", [m.op("Reciprocal", [guardedRoot(m, variance)]), m.fixed([1, 2, 3, 4])]);
    const shift = m.op("Sub", [m.fixed([0, 1, 0, 1]), m.op("Mul", [mu, scale])]);
    return m.op("Add", [m.op("Mul", [x, scale]), shift]);
  },
  "RMS norm: x times 1 / root": (m, x) =>
    m.op("Mul", [
      m.op("Mul", [x, m.op("Div", [m.real(1), guardedRoot(m, mean(m, squared(m, x)))])]),
      m.fixed([1, 2, 3, 4]),
    ]),
  "RMS norm: x divided by the root": (m, x) => m.op("Div", [x, guardedRoot(m, mean(m, m.op("Mul", [x, x])))]),
  "RMS norm: reciprocal, through float32": (m, x) => {
    const wide = m.op("Cast", [x], { to: 1 });
    const square = m.op("ReduceMean", [m.op("Mul", [wide, wide])], { axes: [-1] });
    const root = m.op("Reciprocal", [m.op("Sqrt", [m.op("Add", [square, m.scalar(1e-5, "float32")])])]);
    return m.op("Cast", [m.op("Mul", [wide, root])], { to: 11 });
  },
  "L2 norm: ReduceL2, clipped and expanded": (m, x) => {
    const length = m.op("Clip", [m.op("ReduceL2", [x], { axes: [-1], keepdims: 1 }), m.real(1e-12)]);
    return m.op("Div", [x, m.op("Expand", [length, m.op("Shape", [x])])]);
  },
  "L2 norm: root of a sum of squares": (m, x) =>
    m.op("Div", [x, m.op("Sqrt", [m.op("ReduceSum", [squared(m, x), m.ints([-1])], { keepdims: 1 })])]),
  "L2 norm: a power of -1/2": (m, x) =>
    m.op("Mul", [x, m.op("Pow", [m.op("ReduceSum", [squared(m, x), m.ints([-1])], { keepdims: 1 }), m.real(-0.5)])]),
  "GELU: erf": (m, x) => gelu(m, x, m.op("Erf", [m.op("Div", [x, m.real(Math.SQRT2)])])),
  "GELU: erf, half of x first": (m, x) =>
    m.op("Mul", [
      m.op("Mul", [x, m.real(half)]),
      m.op("Add", [m.op("Erf", [m.op("Mul", [x, m.real(Math.SQRT1_2)])]), m.real(1)]),
    ]),
  "GELU: tanh with a cube": (m, x) => {
    const cube = m.op("Mul", [m.op("Pow", [x, m.real(3)]), m.real(0.044715)]);
    return gelu(m, x, m.op("Tanh", [m.op("Mul", [m.op("Add", [x, cube]), m.real(0.79788)])]));
  },
  "GELU: tanh with products": (m, x) => {
    const inner = m.op("Add", [m.op("Mul", [m.op("Mul", [x, x]), m.real(0.044715)]), m.real(1)]);
    return gelu(m, x, m.op("Tanh", [m.op("Mul", [m.op("Mul", [x, inner]), m.real(0.79788)])]));
  },
  "quick GELU": (m, x) => m.op("Mul", [x, m.op("Sigmoid", [m.op("Mul", [x, m.real(1.702)])])]),
  SiLU: (m, x) => m.op("Mul", [x, m.op("Sigmoid", [x])]),
  "SiLU by Exp": (m, x) => m.op("Div", [x, m.op("Add", [m.op("Exp", [m.op("Neg", [x])]), m.real(1)])]),
  Mish: (m, x) => m.op("Mul", [x, m.op("Tanh", [m.op("Softplus", [x])])]),
  "leaky ReLU by Max": (m, x) => m.op("Max", [x, m.op("Mul", [x, m.real(0.1)])]),
};

describe("a unit leaves relevance unchanged", () => {
  for (const [name, build] of Object.entries(units))
    for (const opset of name.startsWith("layer") ? [11, 17, 18] : [17])
      test(`${name}, opset ${opset}`, () => {
        const m = new Sketch(opset);
        expect(passesUnchanged(m, build(m, m.data("x", DIMS, [])), "x")).toBe(true);
      });
});

describe("what only looks like a unit", () => {
  const product: Build = (m, x) => m.op("MatMul", [x, m.fixed(draw(16, 5), [4, 4])]);
  const part = (m: Sketch, x: string, from: number) =>
    m.op("Slice", [x, m.ints([from]), m.ints([from + 2]), m.ints([2])]);

  test("a residual addition over a token-wise layer divides its relevance", async () => {
    const found = await at((m, x) => m.op("Add", [x, product(m, x)]));
    expect(distance(found.x!, R)).toBeGreaterThan(0.1);
  });

  test("a gate of two halves of one product: half to each side", async () => {
    const m = new Sketch();
    const packed = m.data("x", DIMS, draw(24, 1));
    const [a, b] = [part(m, packed, 0), m.op("Sigmoid", [part(m, packed, 2)], {}, ["gate"])];
    const start = draw(12, 3);
    const found = await pulled(m, { from: m.op("Mul", [a, b]), start, wanted: ["x", "gate"] });
    expect(
      distance(
        found.gate!,
        start.map((r) => r / 2),
      ),
    ).toBeLessThan(1e-9);
    const expected = [0, 1, 2, 3, 4, 5].flatMap((t) => [0, 1, 0, 1].map((i) => start[2 * t + i]! / 2));
    expect(distance(found.x!, expected)).toBeLessThan(1e-9);
  });

  test("a gate of two products", async () => {
    const m = new Sketch();
    const x = m.data("x", DIMS, draw(24, 1));
    const gate = m.op("Sigmoid", [m.op("MatMul", [x, m.fixed(draw(16, 6), [4, 4])], {}, ["g"])]);
    const value = m.op("MatMul", [x, m.fixed(draw(16, 5), [4, 4])], {}, ["v"]);
    const found = await pulled(m, { from: m.op("Mul", [value, gate]), start: R, wanted: ["g", "v"] });
    expect(
      distance(
        found.g!,
        R.map((r) => r / 2),
      ),
    ).toBeLessThan(1e-9);
    expect(
      distance(
        found.v!,
        R.map((r) => r / 2),
      ),
    ).toBeLessThan(1e-9);
  });

  test("the sum of two positions of one tensor", async () => {
    const m = new Sketch();
    const x = m.data("x", [1, 2, 4], draw(8, 1));
    const row = (i: number) => m.op("Gather", [x, m.ints([i])], { axis: 1 });
    const start = draw(4, 3);
    const found = await pulled(m, { from: m.op("Add", [row(0), row(1)]), start, wanted: ["x"] });
    const total = (v: readonly number[]) => v.reduce((s, r) => s + r, 0);
    expect(total(found.x!)).toBeCloseTo(total(start), 6);
    expect(Math.abs(total(found.x!.slice(0, 4)))).not.toBeCloseTo(Math.abs(total(start)), 3);
  });

  test("a mean over tokens inside is no norm", async () => {
    // x - mean over tokens: a difference of data, not a norm over features.
    const found = await at((m, x) => m.op("Sub", [x, m.op("ReduceMean", [x], { axes: [1], keepdims: 1 })]));
    expect(distance(found.x!, R)).toBeGreaterThan(0.1);
  });
});
