/** Arithmetic of symbolic dimensions against numbers put in for the symbols. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../../test/support/dimension.js";
import * as D from "../src/tensor/dim.js";
import { broadcast, broadcastDim } from "../src/tensor/shape.js";

const SYMBOLS = ["batch", "height", "n"] as const;
const environment = fc.record({
  batch: fc.integer({ min: 1, max: 12 }),
  height: fc.integer({ min: 1, max: 12 }),
  n: fc.integer({ min: 1, max: 12 }),
});
const small = fc.integer({ min: -6, max: 6 });
/** Sums of products of symbols and numbers. */
const polynomial: fc.Arbitrary<D.Dim> = fc
  .array(fc.tuple(small, fc.array(fc.constantFrom(...SYMBOLS), { maxLength: 3 })), { maxLength: 4 })
  .map((terms) => terms.map(([c, names]) => D.product([c, ...names.map(D.symbol)])).reduce(D.add, 0));

const agrees = (f: (a: D.Dim, b: D.Dim) => D.Dim, g: (a: number, b: number) => number) =>
  fc.assert(
    fc.property(polynomial, polynomial, environment, (a, b, env) => {
      const [x, y] = [evaluate(a, env)!, evaluate(b, env)!];
      expect(evaluate(f(a, b), env)! + 0).toBe(g(x, y) + 0);
    }),
  );

describe("polynomials", () => {
  test("add", () => agrees(D.add, (x, y) => x + y));
  test("subtract", () => agrees(D.subtract, (x, y) => x - y));
  test("multiply", () => agrees(D.multiply, (x, y) => x * y));

  test("equal sums are equal, in whatever order they were made", () =>
    fc.assert(
      fc.property(polynomial, polynomial, polynomial, (a, b, c) => {
        expect(D.equal(D.add(D.add(a, b), c), D.add(a, D.add(c, b)))).toBe(true);
        expect(D.equal(D.multiply(a, D.add(b, c)), D.add(D.multiply(c, a), D.multiply(a, b)))).toBe(true);
        expect(D.subtract(a, a)).toBe(0);
      }),
    ));

  test("different polynomials are not equal", () =>
    fc.assert(
      fc.property(polynomial, small, (a, k) => {
        fc.pre(k !== 0);
        expect(D.equal(a, D.add(a, k))).toBe(false);
        expect(D.equal(a, D.add(a, D.multiply(D.symbol("n"), k)))).toBe(false);
      }),
    ));

  test("a product divides exactly by its factors", () =>
    fc.assert(
      fc.property(polynomial, polynomial, (a, b) => {
        fc.pre(!D.equal(b, 0));
        expect(D.equal(D.divideExactly(D.multiply(a, b), b)!, a)).toBe(true);
      }),
    ));

  test("an exact quotient is one for every value", () =>
    fc.assert(
      fc.property(polynomial, polynomial, environment, (a, b, env) => {
        const quotient = D.divideExactly(a, b);
        if (quotient === undefined) return;
        expect(evaluate(quotient, env)! * evaluate(b, env)! + 0).toBe(evaluate(a, env)! + 0);
      }),
    ));

  test("floor division agrees with numbers", () =>
    fc.assert(
      fc.property(polynomial, fc.integer({ min: 1, max: 9 }), environment, (a, by, env) => {
        expect(evaluate(D.floorDivide(a, by), env)! + 0).toBe(Math.floor(evaluate(a, env)! / by) + 0);
      }),
    ));

  test("floor division by a polynomial agrees where it is positive", () =>
    fc.assert(
      fc.property(polynomial, polynomial, environment, (a, b, env) => {
        fc.pre(evaluate(b, env)! > 0);
        expect(evaluate(D.floorDivide(a, b), env)! + 0).toBe(Math.floor(evaluate(a, env)! / evaluate(b, env)!) + 0);
      }),
    ));

  test("minimum and maximum agree with numbers", () =>
    fc.assert(
      fc.property(polynomial, polynomial, environment, (a, b, env) => {
        const [x, y] = [evaluate(a, env)!, evaluate(b, env)!];
        expect(evaluate(D.minimum(a, b), env)! + 0).toBe(Math.min(x, y) + 0);
        expect(evaluate(D.maximum(a, b), env)! + 0).toBe(Math.max(x, y) + 0);
        expect(D.equal(D.minimum(a, b), D.minimum(b, a))).toBe(true);
      }),
    ));

  test("minimum and maximum are decided where they can be", () => {
    const n = D.symbol("n");
    expect(D.minimum(1, n)).toBe(1);
    expect(D.maximum(D.add(n, -1), 0)).toEqual(D.add(n, -1));
    expect(String(D.minimum(n, 100))).toBe("min(100,n)");
    expect(D.minimum(D.add(D.multiply(n, n), 5), 5)).toBe(5);
    // A quotient may be zero.
    expect(String(D.minimum(1, D.floorDivide(n, 16)))).toBe("min(1,⌊(n)/16⌋)");
  });

  test("what is called positive is positive", () =>
    fc.assert(
      fc.property(polynomial, environment, (a, env) => {
        if (D.isPositive(a)) expect(evaluate(a, env)).toBeGreaterThan(0);
      }),
    ));

  test("division by zero is nothing", () => {
    expect(D.divideExactly(4, 0)).toBeUndefined();
    expect(D.divideExactly(D.symbol("n"), 0)).toBeUndefined();
  });

  test("names are readable", () => {
    const [n, h] = [D.symbol("n"), D.symbol("h")];
    expect(String(D.add(D.multiply(n, D.add(n, -2)), D.multiply(3, h)))).toBe("n*n+3*h-2*n");
    expect(String(D.floorDivide(D.add(D.multiply(4, h), D.add(n, 1)), 2))).toBe("2*h+⌊(n+1)/2⌋");
    expect(D.symbolsOf(D.multiply(n, h))).toEqual(["h", "n"]);
  });
});

/** Sizes as exporters compute them: quotients, remainders, minima and maxima of one another, to some depth. */
const sizes = fc.letrec<{ size: D.Dim }>((tie) => ({
  size: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    polynomial,
    fc.tuple(tie("size"), fc.integer({ min: 1, max: 6 })).map(([a, by]) => D.floorDivide(a, by)),
    fc.tuple(tie("size"), fc.integer({ min: 1, max: 6 })).map(([a, by]) => D.modulo(a, by)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => D.minimum(a, b)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => D.maximum(a, b)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => D.add(a, b)),
  ),
})).size;

describe("quotients, remainders, minima and maxima of one another", () => {
  const divisor = fc.integer({ min: 1, max: 9 });
  const floor = (x: number, y: number) => Math.floor(x / y) + 0;

  test("agree with numbers", () =>
    fc.assert(
      fc.property(sizes, divisor, environment, (a, by, env) => {
        const x = evaluate(a, env)!;
        expect(evaluate(D.floorDivide(a, by), env)! + 0).toBe(floor(x, by));
        expect(evaluate(D.ceilDivide(a, by), env)! + 0).toBe(Math.ceil(x / by) + 0);
        expect(evaluate(D.modulo(a, by), env)! + 0).toBe(x - by * floor(x, by) + 0);
      }),
      { numRuns: 1000 },
    ));

  test("divisors may be computed too", () =>
    fc.assert(
      fc.property(sizes, sizes, environment, (a, b, env) => {
        const y = evaluate(b, env)!;
        fc.pre(y > 0);
        expect(evaluate(D.floorDivide(a, b), env)! + 0).toBe(floor(evaluate(a, env)!, y));
      }),
      { numRuns: 1000 },
    ));

  test("are never below what is called the least", () =>
    fc.assert(
      fc.property(sizes, environment, (a, env) => {
        expect(evaluate(a, env)!).toBeGreaterThanOrEqual(D.least(a));
      }),
      { numRuns: 1000 },
    ));

  test("numbers put in for symbols give what was computed with numbers", () =>
    fc.assert(
      fc.property(sizes, environment, (a, env) => {
        expect(D.substitute(a, new Map(Object.entries(env)))).toBe(evaluate(a, env)! + 0);
      }),
    ));

  test("a size padded to whole windows divides by the window, whichever way it is written", () => {
    const [height, window] = [D.symbol("height"), D.minimum(D.symbol("n"), D.symbol("batch"))];
    for (const size of [height, D.floorDivide(height, 4), D.floorDivide(D.add(height, 3), 4)])
      for (const by of [2, 3, 4, 7, window]) {
        const amounts = [
          D.modulo(D.subtract(by, D.modulo(size, by)), by),
          D.modulo(D.negate(size), by),
          D.subtract(D.multiply(by, D.ceilDivide(size, by)), size),
          D.subtract(D.multiply(by, D.floorDivide(D.add(size, D.subtract(by, 1)), by)), size),
        ];
        const padded = amounts.map((p) => D.add(size, p));
        for (const p of padded) {
          expect(D.equal(p, padded[0]!), `${p} and ${padded[0]}`).toBe(true);
          expect(D.equal(D.multiply(D.divideExactly(p, by)!, by), p)).toBe(true);
        }
      }
  });

  test("nested quotients are one", () => {
    const h = D.symbol("h");
    expect(String(D.floorDivide(D.floorDivide(h, 4), 4))).toBe("⌊(h)/16⌋");
    // Convolutions of stride 2, kernel 3 and padding 1, three times.
    const halved = (d: D.Dim) => D.add(D.floorDivide(D.subtract(d, 1), 2), 1);
    expect(String(halved(halved(halved(h))))).toBe("⌊(h+7)/8⌋");
    expect(D.equal(halved(halved(halved(h))), D.ceilDivide(h, 8))).toBe(true);
    expect(String(D.floorDivide(D.add(D.multiply(4, h), 5), 10))).toBe("⌊(2*h+2)/5⌋");
  });

  test("an equation gives the number of a computed size, never of a size of the input", () => {
    const window = D.minimum(D.symbol("h"), D.symbol("w"));
    expect(D.solve(D.multiply(window, window), 16)).toEqual([String(window), 4]);
    expect(D.solve(D.multiply(2, window), 7)).toBeUndefined();
    expect(D.solve(D.multiply(window, window), 15)).toBeUndefined();
    expect(D.solve(D.multiply(window, D.symbol("h")), 16)).toBeUndefined();
    expect(D.solve(D.add(window, 1), 5)).toBeUndefined();
    expect(D.solve(D.symbol("h"), 5)).toBeUndefined();
  });
});

describe("broadcasting", () => {
  const n = D.symbol("n");
  test.each([
    [
      [2, 1, 4],
      [3, 1],
      [2, 3, 4],
    ],
    [[], [2, 3], [2, 3]],
    [
      [n, 4],
      [1, 4],
      [n, 4],
    ],
    [
      [n, 4],
      [n, 1],
      [n, 4],
    ],
    [[1], [n], [n]],
    [
      [0, 1],
      [1, 3],
      [0, 3],
    ],
  ] as [D.Dim[], D.Dim[], D.Dim[]][])("[%s] with [%s] is [%s]", (a, b, expected) => {
    expect(broadcast(a, b)).toEqual(expected);
    expect(broadcast(b, a)).toEqual(expected);
  });
  test("a known extent wins over a symbol", () => {
    expect(broadcastDim(n, 4)).toBe(4);
    expect(broadcastDim(4, n)).toBe(4);
  });
});
