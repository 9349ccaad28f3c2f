/** What an operator is told as an attribute or, from some opset on, as an input is the same thing: no opset changes a map. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { distance } from "./support/program.js";
import { type PassRequest, pulled, Sketch } from "./support/relevance.js";

const DIMS = [2, 3, 4];
const draw = (count: number, seed: number): number[] => random(seed).normals(count);
/** From which opset on the parameter is an input. */
const INPUT_SINCE = { ReduceSum: 13, Squeeze: 13, Unsqueeze: 13, Split: 13 } as Record<string, number>;

/** An operator with its axes (or sizes) where its opset has them, or as an input that the graph itself computes. */
function told(m: Sketch, operator: string, x: string, name: string, values: readonly number[], rest = {}): string[] {
  const asInput = m.opset >= (INPUT_SINCE[operator] ?? 18);
  const outputs = operator === "Split" ? values.length : 1;
  if (asInput) return m.ops(operator, [x, m.ints(values)], rest, outputs);
  return m.ops(operator, [x], { ...rest, [name]: values }, outputs);
}

interface Case {
  readonly operator: string;
  readonly axes: readonly number[];
  readonly join: string;
}

/** x (joined with) a reduction of x over some axes, spread again: a norm over the last axes only where it is over those. */
async function reduced(opset: number, { operator, axes, join }: Case, pass: PassRequest["pass"]): Promise<number[]> {
  const m = new Sketch(opset);
  const x = m.data("x", DIMS, draw(24, 1));
  const [over] = told(m, operator, m.op("Mul", [x, x]), "axes", axes, { keepdims: 1 });
  const from = m.op(join, [x, over!]);
  const found = await pulled(m, { from, start: draw(24, 2), wanted: ["x"], pass: pass! });
  return found.x!;
}

/** Cut, put together the other way round, an axis taken away and put back. */
async function moved(opset: number, axis: number, pass: PassRequest["pass"]): Promise<number[]> {
  const m = new Sketch(opset);
  const x = m.data("x", DIMS, draw(24, 1));
  const wide = told(m, "Unsqueeze", x, "axes", [axis]);
  const [narrow] = told(m, "Squeeze", m.op("Mul", [wide[0]!, m.real(2)]), "axes", [axis]);
  const [a, b] = told(m, "Split", narrow!, "split", [1, 3], { axis: 2 });
  const from = m.op("Concat", [b!, m.op("Tanh", [a!])], { axis: 2 });
  const found = await pulled(m, { from, start: draw(24, 2), wanted: ["x"], pass: pass! });
  return found.x!;
}

const pass = fc.constantFrom<PassRequest["pass"]>("relevance", "gradient");
const opset = fc.integer({ min: 12, max: 22 });

test("any reduction over any axes, in any opset", async () => {
  const linear = ["ReduceMean", "ReduceSum", "ReduceMax"];
  const cases = (how: PassRequest["pass"]) =>
    fc.record({
      operator: fc.constantFrom(...(how === "gradient" ? [...linear, "ReduceL2", "ReduceSumSquare"] : linear)),
      axes: fc.constantFrom([0], [1], [2], [-1], [-2], [1, 2], [0, 1], [-1, 1], [0, 1, 2]),
      join: fc.constantFrom("Sub", "Mul", "Div"),
    });
  await fc.assert(
    fc.asyncProperty(
      pass.chain((how) => fc.tuple(fc.constant(how), cases(how))),
      opset,
      async ([how, each], later) => {
        expect(distance(await reduced(later, each, how), await reduced(11, each, how))).toBeLessThan(1e-12);
      },
    ),
    { numRuns: 60 },
  );
});

test("Squeeze, Unsqueeze and Split, in any opset", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: -4, max: 3 }), opset, pass, async (axis, later, how) => {
      const expected = await moved(11, axis, how);
      expect(distance(await moved(later, axis, how), expected)).toBeLessThan(1e-12);
    }),
    { numRuns: 20 },
  );
});

test("a difference from the mean over another axis than the last is no norm", async () => {
  const over = (axes: readonly number[], opset: number) =>
    reduced(opset, { operator: "ReduceMean", axes, join: "Sub" }, "relevance");
  const start = draw(24, 2);
  for (const opset of [11, 17, 18, 22]) {
    expect(distance(await over([1], opset), start), `opset ${opset}`).toBeGreaterThan(0.1);
    expect(distance(await over([2], opset), start), `opset ${opset}`).toBe(0);
  }
});
