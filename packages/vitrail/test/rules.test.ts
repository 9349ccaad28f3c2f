/** Every relevance rule against plain loops, in float64. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { array } from "../../../test/support/runtime.js";
import { addition, guarded, matmul, product, rows, sum, zPlus } from "./support/loops.js";
import { distance } from "./support/program.js";
import { pulled, Sketch } from "./support/relevance.js";

const draw = (count: number, seed: number): number[] => random(seed).normals(count);
const EXACT = 1e-9;

/** z+ at a node y = f(x, w), with R at y. */
async function linear(build: (m: Sketch) => void, R: readonly number[]): Promise<number[]> {
  const m = new Sketch();
  build(m);
  return (await pulled(m, { from: "y", start: R, wanted: ["x"] })).x!;
}

describe("z+ for data times weights", () => {
  test.each([
    ["by magnitude, where many inputs meet", 40],
    ["by parts, where few do", 5],
  ])("%s", async (_, d) => {
    const [x, w, R] = [draw(3 * d, 1), draw(d * 4, 2), draw(12, 3)];
    const found = await linear((m) => m.op("MatMul", [m.data("x", [1, 3, d], x), m.fixed(w, [d, 4])], {}, ["y"]), R);
    const expected = zPlus(rows(x, d), rows(w, 4), rows(R, 4)).flat();
    expect(distance(found, expected)).toBeLessThan(EXACT);
    expect(sum(found)).toBeCloseTo(sum(R), 6);
  });

  test("a bias is not in the denominator", async () => {
    const [x, w, R] = [draw(80, 1), draw(160, 2), draw(8, 3)];
    const found = await linear((m) => {
      const wide = m.op("Gemm", [m.data("x", [2, 40], x), m.fixed(w, [4, 40]), m.fixed(draw(4, 4))], { transB: 1 });
      m.op("Identity", [wide], {}, ["y"]);
    }, R);
    const columns = Array.from({ length: 40 }, (_, i) => [0, 1, 2, 3].map((k) => w[40 * k + i]!));
    expect(distance(found, zPlus(rows(x, 40), columns, rows(R, 4)).flat())).toBeLessThan(EXACT);
  });

  test("whatever the bias, the relevance of a row of zeros is zero", async () => {
    const [w, bias] = [draw(160, 2), [0.3, -7, 0, 100]];
    const x = [...new Array<number>(40).fill(0), ...draw(40, 1)];
    const m = new ModelWriter({ opset: 17 });
    const wide = m.op("MatMul", [m.input("x", "float32", [1, 2, 40]), m.weights(w, [40, 4])]);
    m.op("Add", [wide, m.weights(bias, [4])], {}, ["y"]);
    const feeds = { x: array("float32", x, [1, 2, 40]) };
    const subject = { bytes: () => m.bytes(), output: (name: string) => m.output(name), feeds };
    const R = draw(8, 3);
    const { x: found } = await pulled(subject, { from: "y", start: R, wanted: ["x"] });
    expect(found!.slice(0, 40).every((r) => r === 0)).toBe(true);
    const [expected] = zPlus([x.slice(40)], rows(w, 4), [R.slice(4)]);
    expect(distance(found!.slice(40), expected!)).toBeLessThan(1e-5);
  });

  test("a sum of unknown rank beside it is no obstacle", async () => {
    const [x, w, R] = [draw(80, 1), draw(160, 2), draw(8, 3)];
    const found = await linear((m) => {
      const data = m.data("x", [1, 2, 40], x);
      m.feeds.dims = array("int64", [80], [1]);
      m.op("Add", [m.op("Reshape", [data, m.input("dims", "int64", ["rank"])]), m.real(1)]);
      m.op("MatMul", [data, m.fixed(w, [40, 4])], {}, ["y"]);
    }, R);
    expect(distance(found, zPlus(rows(x, 40), rows(w, 4), rows(R, 4)).flat())).toBeLessThan(EXACT);
  });

  test("an output that nothing speaks for loses its relevance", async () => {
    // x > 0 and w < 0 everywhere in the first column: Z = 0 there.
    const [x, w, R] = [
      [1, 2, 3],
      [-1, 1, -2, 2, -3, 1],
      [5, 7],
    ];
    const found = await linear((m) => m.op("MatMul", [m.data("x", [1, 3], x), m.fixed(w, [3, 2])], {}, ["y"]), R);
    expect(sum(found)).toBeCloseTo(7, 6);
    expect(distance(found, zPlus(rows(x, 3), rows(w, 2), rows(R, 2)).flat())).toBeLessThan(EXACT);
  });

  /** float32 as a model has it; many of a layer's inputs are zero, and a bias may lie on it. */
  const sparse = async (x: readonly number[], w: readonly number[], bias: readonly number[] | undefined, d: number) => {
    const [n, k] = [x.length / d, w.length / d];
    const m = new ModelWriter({ opset: 17 });
    const wide = m.op("MatMul", [m.input("x", "float32", [1, n, d]), m.weights(w, [d, k])]);
    m.op(bias ? "Add" : "Identity", bias ? [wide, m.weights(bias, [k])] : [wide], {}, ["y"]);
    const subject = {
      bytes: () => m.bytes(),
      output: (name: string) => m.output(name),
      feeds: { x: array("float32", x, [1, n, d]) },
    };
    // What is nearly nothing beside what cancels is a matter of rounding: nothing is asked of it.
    const clear = rows(x, d).flatMap((row) =>
      rows(w, k)[0]!.map((_, j) => {
        const parts = row.map((v, i) => v * w[i * k + j]!);
        const z = sum(parts.map((p) => Math.max(p, 0)));
        return z === 0 || z > 1e-3 * (sum(parts.map(Math.abs)) + Math.abs(bias?.[j] ?? 0));
      }),
    );
    const R = draw(n * k, 3).map((r, i) => (clear[i] ? r : 0));
    const { x: found } = await pulled(subject, { from: "y", start: R, wanted: ["x"] });
    return { found: found!, expected: zPlus(rows(x, d), rows(w, k), rows(R, k)).flat(), R };
  };

  test("where few of many inputs are not zero, an output that nothing speaks for loses its relevance", async () => {
    const cases = fc.record({
      seed: fc.integer({ min: 0, max: 1e6 }),
      d: fc.constantFrom(32, 64, 200),
      alive: fc.integer({ min: 0, max: 6 }),
      biased: fc.boolean(),
      size: fc.constantFrom(1e-3, 1, 1e3),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, d, alive, biased, size }) => {
        const [n, k] = [4, 24];
        const values = draw(n * d, seed).map((v, i) => (i % d < alive ? Math.fround(v * size) : 0));
        const w = draw(d * k, seed + 1).map(Math.fround);
        const bias = biased ? draw(k, seed + 2).map(Math.fround) : undefined;
        const { found, expected, R } = await sparse(values, w, bias, d);
        const most = Math.max(...R.map(Math.abs)) * k;
        expect(found.every((r, i) => Math.abs(r - expected[i]!) < 1e-2 * most)).toBe(true);
        expect(sum(found.map(Math.abs))).toBeLessThan(1.01 * sum(R.map(Math.abs)));
      }),
      { numRuns: 40 },
    );
  });

  test("weights first, as an Einsum", async () => {
    const [x, w, R] = [draw(6, 1), draw(12, 2), draw(8, 3)];
    const found = await linear((m) => {
      m.op("Einsum", [m.fixed(w, [4, 3]), m.data("x", [2, 3], x)], { equation: "kd,nd->nk" }, ["y"]);
    }, R);
    const columns = [0, 1, 2].map((i) => [0, 1, 2, 3].map((k) => w[3 * k + i]!));
    expect(distance(found, zPlus(rows(x, 3), columns, rows(R, 4)).flat())).toBeLessThan(EXACT);
  });
});

describe("half of x · R / z for data times data", () => {
  const [a, b, R] = [draw(12, 1), draw(20, 2), draw(15, 3)];
  const expected = product(rows(a, 4), rows(b, 5), rows(R, 5));
  const scaled = async (build: (m: Sketch, a: string, b: string) => string) => {
    const m = new Sketch();
    const y = build(m, m.data("a", [1, 3, 4], a), m.data("b", [1, 4, 5], b));
    return pulled(m, { from: y, start: R, wanted: ["a", "b"] });
  };

  test("both operands, and nothing is lost", async () => {
    const found = await scaled((m, p, q) => m.op("MatMul", [p, q]));
    expect(distance(found.a!, expected.a.flat())).toBeLessThan(EXACT);
    expect(distance(found.b!, expected.b.flat())).toBeLessThan(EXACT);
    expect(sum(found.a!) + sum(found.b!)).toBeCloseTo(sum(R), 6);
  });

  test.each([1e-3, 1e3])("a factor of %d on an operand or after the product changes nothing", async (factor) => {
    // Products of 1e-8 and less: there the guard decides.
    const tiny = { a: a.map((x) => x * 1e-5), b: b.map((x) => x * 1e-4) };
    const run = async (build: (m: Sketch, p: string, q: string) => string) => {
      const m = new Sketch();
      const y = build(m, m.data("a", [1, 3, 4], tiny.a), m.data("b", [1, 4, 5], tiny.b));
      return pulled(m, { from: y, start: R, wanted: ["a", "b"] });
    };
    const { a: toA, b: toB } = product(rows(tiny.a, 4), rows(tiny.b, 5), rows(R, 5));
    for (const build of [
      (m: Sketch, p: string, q: string) => m.op("MatMul", [p, q]),
      (m: Sketch, p: string, q: string) => m.op("Mul", [m.op("MatMul", [p, q]), m.real(factor)]),
      (m: Sketch, p: string, q: string) => m.op("MatMul", [m.op("Mul", [p, m.real(factor)]), q]),
      (m: Sketch, p: string, q: string) => {
        const turned = m.op("Transpose", [m.op("Div", [q, m.real(factor)])], { perm: [0, 2, 1] });
        return m.op("MatMul", [m.op("Mul", [m.real(factor), p]), m.op("Transpose", [turned], { perm: [0, 2, 1] })]);
      },
    ]) {
      const found = await run(build);
      expect(distance(found.a!, toA.flat())).toBeLessThan(1e-6);
      expect(distance(found.b!, toB.flat())).toBeLessThan(1e-6);
    }
  });
});

describe("the normalised addition", () => {
  const [a, b, R] = [draw(24, 1), draw(24, 2), draw(24, 3)];
  const perSample = (p: readonly number[], q: readonly number[], width = 12) => {
    const parts = rows(p, width).map((_, i) => {
      const at = (v: readonly number[]) => v.slice(i * width, (i + 1) * width);
      return addition(at(p), at(q), at(R));
    });
    return { a: parts.flatMap((s) => s[0]), b: parts.flatMap((s) => s[1]) };
  };
  const added = (build: (m: Sketch, p: string, q: string) => string) => {
    const m = new Sketch();
    const y = build(m, m.data("a", [2, 3, 4], a), m.data("b", [2, 3, 4], b));
    return pulled(m, { from: y, start: R, wanted: ["a", "b"] });
  };

  test("shares the total of each sample by itself", async () => {
    const found = await added((m, p, q) => m.op("Add", [p, q]));
    const expected = perSample(a, b);
    expect(distance(found.a!, expected.a)).toBeLessThan(1e-6);
    expect(distance(found.b!, expected.b)).toBeLessThan(1e-6);
    for (const i of [0, 1]) {
      const one = (v: readonly number[]) => sum(v.slice(12 * i, 12 * i + 12));
      expect(one(found.a!) + one(found.b!), "nothing is lost").toBeCloseTo(one(R), 5);
    }
  });

  test("of a difference: the second operand counts with its sign", async () => {
    const found = await added((m, p, q) => m.op("Sub", [p, q]));
    const expected = perSample(
      a,
      b.map((x) => -x),
    );
    expect(distance(found.a!, expected.a)).toBeLessThan(1e-6);
    expect(distance(found.b!, expected.b)).toBeLessThan(1e-6);
  });

  test("where samples are folded into an axis with something else", async () => {
    const found = await added((m, p, q) => {
      const flat = (v: string) => m.op("Reshape", [v, m.ints([6, 4])]);
      return m.op("Reshape", [m.op("Add", [flat(p), flat(q)]), m.ints([2, 3, 4])]);
    });
    const expected = perSample(a, b);
    expect(distance(found.a!, expected.a)).toBeLessThan(1e-6);
    expect(distance(found.b!, expected.b)).toBeLessThan(1e-6);
  });

  test("where samples are the second axis", async () => {
    const found = await added((m, p, q) => {
      const turned = (v: string) => m.op("Transpose", [v], { perm: [1, 0, 2] });
      return m.op("Transpose", [m.op("Add", [turned(p), turned(q)])], { perm: [1, 0, 2] });
    });
    expect(distance(found.a!, perSample(a, b).a)).toBeLessThan(1e-6);
  });

  test("with a stabiliser: R / (z + s(z) ε mean|z|)", async () => {
    const m = new Sketch();
    const y = m.op("Add", [m.data("a", [2, 3, 4], a), m.data("b", [2, 3, 4], b)]);
    const found = await pulled(m, { from: y, start: R, wanted: ["a"], stabilizer: 0.1 });
    const expected = [0, 1].flatMap((i) => {
      const at = (v: readonly number[]) => v.slice(12 * i, 12 * i + 12);
      const z = at(a).map((x, k) => x + at(b)[k]!);
      const shift = (0.1 * sum(z.map(Math.abs))) / 12;
      const s = at(R).map((r, k) => r / (z[k]! + (z[k]! < 0 ? -shift : shift)));
      const [ra, rb] = [at(a), at(b)].map((v) => v.map((x, k) => x * s[k]!)) as [number[], number[]];
      const [A, B] = [sum(ra), sum(rb)];
      return ra.map((x) => (x * Math.abs(A) * sum(at(R))) / ((Math.abs(A) + Math.abs(B)) * A));
    });
    expect(distance(found.a!, expected)).toBeLessThan(1e-6);
  });

  test("with a ridge: R z / (z² + (ε mean|z|)²)", async () => {
    const m = new Sketch();
    const y = m.op("Add", [m.data("a", [2, 3, 4], a), m.data("b", [2, 3, 4], b)]);
    const found = await pulled(m, { from: y, start: R, wanted: ["a"], ridge: 0.3 });
    const expected = [0, 1].flatMap((i) => {
      const at = (v: readonly number[]) => v.slice(12 * i, 12 * i + 12);
      const z = at(a).map((x, k) => x + at(b)[k]!);
      const guard = (0.3 * sum(z.map(Math.abs))) / 12;
      const s = at(R).map((r, k) => (r * z[k]!) / (z[k]! ** 2 + guard ** 2));
      const [ra, rb] = [at(a), at(b)].map((v) => v.map((x, k) => x * s[k]!)) as [number[], number[]];
      const [A, B] = [sum(ra), sum(rb)];
      return ra.map((x) => (x * Math.abs(A) * sum(at(R))) / ((Math.abs(A) + Math.abs(B)) * A));
    });
    expect(distance(found.a!, expected)).toBeLessThan(1e-6);
  });

  test("a ridge moves quotients by the square of what a shift does, and takes a vanished sum", async () => {
    const run = async (options: object, values = b) => {
      const m = new Sketch();
      const y = m.op("Add", [m.data("a", [2, 3, 4], a), m.data("b", [2, 3, 4], values)]);
      return (await pulled(m, { from: y, start: R, wanted: ["a"], ...options })).a!;
    };
    const exact = await run({});
    const moved = async (options: object) => distance(await run(options), exact);
    expect((await moved({ ridge: 1e-4 })) / (await moved({ ridge: 1e-3 }))).toBeLessThan(0.015);
    expect((await moved({ stabilizer: 1e-4 })) / (await moved({ stabilizer: 1e-3 }))).toBeGreaterThan(0.05);
    const opposite = b.map((x, i) => (i === 5 ? -a[5]! : x));
    const [kept, blown] = [await run({ ridge: 1e-3 }, opposite), await run({}, opposite)];
    expect(Math.abs(kept[5]!)).toBeLessThan(1e-9);
    expect(Math.abs(blown[5]!)).toBeGreaterThan(0.9);
  });
});

describe("what passes relevance on", () => {
  const R = draw(6, 9);
  const one = async (build: (m: Sketch, x: string) => string, x = draw(6, 1), dims = [1, 2, 3], start = R) => {
    const m = new Sketch();
    return (await pulled(m, { from: build(m, m.data("x", dims, x)), start, wanted: ["x"] })).x!;
  };

  test.each([
    ["a constant added", (m: Sketch, x: string) => m.op("Add", [x, m.fixed(draw(3, 2))])],
    ["a constant subtracted", (m: Sketch, x: string) => m.op("Sub", [m.fixed(draw(3, 2)), x])],
    ["a scale", (m: Sketch, x: string) => m.op("Mul", [m.fixed(draw(3, 2)), x])],
    ["a divisor", (m: Sketch, x: string) => m.op("Div", [x, m.real(8)])],
    ["softmax", (m: Sketch, x: string) => m.op("Softmax", [x], { axis: -1 })],
    ["tanh", (m: Sketch, x: string) => m.op("Tanh", [x])],
    ["relu", (m: Sketch, x: string) => m.op("Relu", [x])],
    ["clip", (m: Sketch, x: string) => m.op("Clip", [x, m.real(-1), m.real(1)])],
    ["layer norm", (m: Sketch, x: string) => m.op("LayerNormalization", [x, m.fixed([1, 2, 3]), m.fixed([0, 1, 0])])],
    ["L2 norm", (m: Sketch, x: string) => m.op("LpNormalization", [x], { axis: -1, p: 2 })],
    ["a negative", (m: Sketch, x: string) => m.op("Neg", [x])],
    ["a cast", (m: Sketch, x: string) => m.op("Cast", [m.op("Cast", [x], { to: 1 })], { to: 11 })],
    ["masked scores", (m: Sketch, x: string) => m.op("Add", [x, m.fixed([0, -1e4, 0])])],
  ])("%s leaves it unchanged", async (_, build) => {
    expect(distance(await one(build), R)).toBeLessThan(1e-7);
  });

  test("where a constant was broadcast it is summed", async () => {
    const start = draw(12, 4);
    const found = await one((m, x) => m.op("Add", [x, m.fixed(draw(12, 2), [1, 4, 3])]), draw(3, 1), [1, 1, 3], start);
    expect(
      distance(
        found,
        [0, 1, 2].map((i) => sum([0, 1, 2, 3].map((t) => start[3 * t + i]!))),
      ),
    ).toBeLessThan(EXACT);
  });

  test("moves go by index; what constants got is gone", async () => {
    expect(await one((m, x) => m.op("Transpose", [x], { perm: [0, 2, 1] }))).toEqual(
      [0, 2, 4, 1, 3, 5].map((i) => R[i]),
    );
    const picked = await one((m, x) => m.op("Gather", [x, m.ints([1])], { axis: 1 }), draw(6, 1), [1, 2, 3], [1, 2, 3]);
    expect(picked).toEqual([0, 0, 0, 1, 2, 3]);
    const joined = await one(
      (m, x) => m.op("Concat", [m.fixed([7, 7, 7], [1, 1, 3]), x], { axis: 1 }),
      draw(6, 1),
      [1, 2, 3],
      [9, 9, 9, ...R],
    );
    expect(joined).toEqual(R);
  });

  test("several uses are summed", async () => {
    const found = await one(
      (m, x) => m.op("Concat", [m.op("Tanh", [x]), m.op("Exp", [x])], { axis: 1 }),
      draw(6, 1),
      [1, 2, 3],
      [...R, ...R],
    );
    expect(
      distance(
        found,
        R.map((r) => 2 * r),
      ),
    ).toBeLessThan(EXACT);
  });

  test.each([
    ["mean", "ReduceMean", 1 / 2],
    ["sum", "ReduceSum", 1],
  ] as const)("a %s over tokens shares by what each contributed", async (_, operator, weight) => {
    const x = draw(6, 1);
    const start = draw(3, 4);
    const found = await one(
      (m, v) =>
        operator === "ReduceSum"
          ? m.op(operator, [v, m.ints([1])], { keepdims: 0 })
          : m.op(operator, [v], { axes: [1], keepdims: 0 }),
      x,
      [1, 2, 3],
      start,
    );
    const expected = x.map((v, i) => v * weight * guarded(start[i % 3]!, weight * (x[i % 3]! + x[3 + (i % 3)]!)));
    expect(distance(found, expected)).toBeLessThan(EXACT);
    expect(sum(found)).toBeCloseTo(sum(start), 6);
  });
});

test("a gate hands half to each side", async () => {
  const m = new Sketch();
  const y = m.op("Mul", [m.data("a", [1, 2, 3], draw(6, 1)), m.data("b", [1, 1, 3], draw(3, 2))]);
  const R = draw(6, 3);
  const found = await pulled(m, { from: y, start: R, wanted: ["a", "b"] });
  expect(
    distance(
      found.a!,
      R.map((r) => r / 2),
    ),
  ).toBeLessThan(EXACT);
  expect(
    distance(
      found.b!,
      [0, 1, 2].map((i) => (R[i]! + R[3 + i]!) / 2),
    ),
  ).toBeLessThan(EXACT);
});

describe("rotary positions are one linear map", () => {
  const [q, cos, sin, R] = [draw(8, 1), draw(4, 2), draw(4, 3), draw(8, 4)];
  /** y = q cos + rotate(q) sin with rotate([a, b]) = [-b, a], over [1, 2 tokens, width 4]. */
  const source = (i: number) => (i % 4 < 2 ? { at: i + 2, sign: -1 } : { at: i - 2, sign: 1 });
  const y = q.map((v, i) => v * cos[i % 4]! + source(i).sign * q[source(i).at]! * sin[i % 4]!);
  const expected = q.map((v, i) => {
    let back = cos[i % 4]! * guarded(R[i]!, y[i]!);
    for (let k = 0; k < 8; k++) if (source(k).at === i) back += source(k).sign * sin[k % 4]! * guarded(R[k]!, y[k]!);
    return v * back;
  });
  const half = (m: Sketch, x: string, from: number) =>
    m.op("Slice", [x, m.ints([from]), m.ints([from + 2]), m.ints([2])]);
  const turn = (m: Sketch, x: string) => m.op("Concat", [m.op("Neg", [half(m, x, 2)]), half(m, x, 0)], { axis: 2 });

  test.each([
    ["slices and a concat", turn],
    [
      "a split",
      (m: Sketch, x: string) => {
        const [first, second] = m.ops("Split", [x], { axis: 2 }, 2);
        return m.op("Concat", [m.op("Neg", [second!]), first!], { axis: 2 });
      },
    ],
  ] as const)("by %s", async (_, rotate) => {
    const m = new Sketch(13);
    const x = m.data("q", [1, 2, 4], q);
    const out = m.op("Add", [m.op("Mul", [x, m.fixed(cos)]), m.op("Mul", [rotate(m, x), m.fixed(sin)])]);
    const found = await pulled(m, { from: out, start: R, wanted: ["q"] });
    expect(distance(found.q!, expected)).toBeLessThan(EXACT);
    expect(sum(found.q!)).toBeCloseTo(sum(R), 6);
  });

  test("in front of the other factor too", async () => {
    const m = new Sketch();
    const x = m.data("q", [1, 2, 4], q);
    const out = m.op("Add", [m.op("Mul", [m.fixed(sin), turn(m, x)]), m.op("Mul", [m.fixed(cos), x])]);
    expect(distance((await pulled(m, { from: out, start: R, wanted: ["q"] })).q!, expected)).toBeLessThan(EXACT);
  });
});

test("attention as a whole: scores, scale, softmax and average against loops", async () => {
  const [q, k, v, R] = [draw(12, 1), draw(12, 2), draw(12, 3), draw(12, 4)];
  const m = new Sketch();
  const [Q, K, V] = [m.data("q", [1, 3, 4], q), m.data("k", [1, 3, 4], k), m.data("v", [1, 3, 4], v)];
  const scores = m.op("MatMul", [Q, m.op("Transpose", [K], { perm: [0, 2, 1] })]);
  const A = m.op("Softmax", [m.op("Mul", [scores, m.real(0.5)])], { axis: -1 }, ["A"]);
  const found = await pulled(m, { from: m.op("MatMul", [A, V]), start: R, wanted: ["q", "k", "v", "A"] });
  const turned = rows(k, 4)[0]!.map((_, i) => rows(k, 4).map((row) => row[i]!));
  const raw = matmul(rows(q, 4), turned);
  const weights = raw.map((row) => {
    const e = row.map((s) => Math.exp(0.5 * s));
    return e.map((x) => x / sum(e));
  });
  const top = product(weights, rows(v, 4), rows(R, 4));
  const below = product(rows(q, 4), turned, top.a);
  expect(distance(found.A!, top.a.flat())).toBeLessThan(1e-7);
  expect(distance(found.v!, top.b.flat())).toBeLessThan(1e-7);
  expect(distance(found.q!, below.a.flat())).toBeLessThan(1e-6);
  expect(
    distance(
      found.k!,
      rows(k, 4).flatMap((row, t) => row.map((_, i) => below.b[i]![t]!)),
    ),
  ).toBeLessThan(1e-6);
});
