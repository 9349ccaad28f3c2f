/** `compat: "reference"`: the authors' sums over a whole batch, against plain loops, and against the default where they agree. */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { vit } from "../../../test/support/vit.js";
import { addition, type Matrix, matmul, product, rows, sum, transposed, zPlus } from "./support/loops.js";
import { distance, explained, feedsOf, sampleOf, targets } from "./support/program.js";
import { pulled, Sketch } from "./support/relevance.js";

const [BATCH, TOKENS, WIDTH, CLASSES] = [2, 3, 4, 3];
const draw = (count: number, seed: number): number[] => random(seed).normals(count);
const weights = { q: 1, k: 2, v: 3, o: 4, up: 5, down: 6 } as const;
// With branches that pull in opposite directions: where both sums have the sign of the total, all scopes give the same.
const x = draw(BATCH * TOKENS * WIDTH, 9);
const head = draw(WIDTH * CLASSES, 8);
const start = [1, 0, 0, 0, 0, 1];

/** One block, attention and a feed-forward of one layer, and a head that reads token 0; relevance of the attention weights. */
async function ofWeights(wholeBatch: boolean): Promise<number[]> {
  const m = new Sketch();
  const into = m.data("x", [BATCH, TOKENS, WIDTH], x);
  const linear = (v: string, name: keyof typeof weights) =>
    m.op("MatMul", [v, m.fixed(draw(WIDTH * WIDTH, weights[name]), [WIDTH, WIDTH])]);
  const keys = m.op("Transpose", [linear(into, "k")], { perm: [0, 2, 1] });
  const scores = m.op("MatMul", [linear(into, "q"), keys]);
  const A = m.op("Softmax", [scores], { axis: -1 }, ["A"]);
  const y = m.op("Add", [into, linear(m.op("MatMul", [A, linear(into, "v")]), "o")]);
  const z = m.op("Add", [y, linear(m.op("Tanh", [linear(y, "up")]), "down")]);
  const read = m.op("Gather", [z, m.ints([0])], { axis: 1 });
  const logits = m.op("MatMul", [m.op("Squeeze", [read, m.ints([1])]), m.fixed(head, [WIDTH, CLASSES])]);
  return (await pulled(m, { from: logits, start, wanted: ["A"], wholeBatch })).A!;
}

/** The same in loops. `split` says over which rows of [samples x tokens] one sum of the addition goes. */
function slowly(split: number): number[] {
  const W = (name: keyof typeof weights): Matrix => rows(draw(WIDTH * WIDTH, weights[name]), WIDTH);
  const X = rows(x, WIDTH);
  const bySample = <T>(v: readonly T[]) => [v.slice(0, TOKENS), v.slice(TOKENS)];
  const plus = (a: Matrix, b: Matrix) => a.map((row, i) => row.map((v, k) => v + b[i]![k]!));
  const softmax = (row: readonly number[]) => {
    const e = row.map(Math.exp);
    return e.map((v) => v / sum(e));
  };
  const added = (a: Matrix, b: Matrix, R: Matrix): [Matrix, Matrix] => {
    const parts = Array.from({ length: a.length / split }, (_, i) => {
      const at = (v: Matrix) => v.slice(i * split, (i + 1) * split).flat();
      return addition(at(a), at(b), at(R));
    });
    return [0, 1].map((side) =>
      rows(
        parts.flatMap((p) => p[side]!),
        WIDTH,
      ),
    ) as [Matrix, Matrix];
  };
  const projected = (name: keyof typeof weights): Matrix[] => bySample(matmul(X, W(name)));
  const [Q, K, V] = [projected("q"), projected("k"), projected("v")];
  const A = Q.map((q, i) => matmul(q, transposed(K[i]!)).map(softmax));
  const mixed = A.flatMap((a, i) => matmul(a, V[i]!));
  const out = matmul(mixed, W("o"));
  const y = plus(X, out);
  const hidden = matmul(y, W("up")).map((row) => row.map(Math.tanh));
  const fed = matmul(hidden, W("down"));
  const z = plus(y, fed);

  const read = [z[0]!, z[TOKENS]!];
  const atRead = zPlus(read, rows(head, CLASSES), rows(start, CLASSES));
  const nothing = () => Array.from({ length: TOKENS - 1 }, () => new Array<number>(WIDTH).fill(0));
  const Rz = [atRead[0]!, ...nothing(), atRead[1]!, ...nothing()];
  const [toStream, toFed] = added(y, fed, Rz);
  const Ry = plus(toStream, zPlus(y, W("up"), zPlus(hidden, W("down"), toFed)));
  const [, toOut] = added(X, out, Ry);
  const Rmixed = bySample(zPlus(mixed, W("o"), toOut));
  return A.flatMap((a, i) => product(a, V[i]!, Rmixed[i]!).a.flat());
}

describe("sums of the normalised addition", () => {
  test("over the whole batch, as the authors' code does", async () => {
    expect(distance(await ofWeights(true), slowly(BATCH * TOKENS))).toBeLessThan(1e-6);
  });
  test("by default over each sample", async () => {
    expect(distance(await ofWeights(false), slowly(TOKENS))).toBeLessThan(1e-6);
    expect(distance(slowly(TOKENS), slowly(BATCH * TOKENS))).toBeGreaterThan(0.01);
  });
});

const style = { depth: 2 } as const;
const model = vit(style);
const together = { ...feedsOf(style, 2), ...targets(2, 4) };
describe.each([
  ["transformer-attribution", {}],
  ["transformer-attribution", { stabilizer: 1e-3 }],
  ["lrp", { conserving: true }],
])("%s %o", (method, more) => {
  const maps = (options: object, feeds = together) => explained(model, { method, ...more, ...options }, feeds);
  const reference = { compat: "reference" };

  test("one sample at a time is the default, to the last bit", async () => {
    for (const i of [0, 1]) {
      const one = sampleOf(together, i);
      expect(await maps(reference, one)).toEqual(await maps({}, one));
    }
  });
  test("in a batch a map depends on the others", async () => {
    const [own, joint] = [await maps({}), await maps(reference)];
    for (const i of [0, 1]) expect(distance(joint[i]!, own[i]!)).toBeGreaterThan(1e-3);
  });
  test("several targets in one run are those one by one", async () => {
    const both = { ...together, target: { ...together.target!, dims: [2, 2], values: [2, 4, 1, 0] } };
    const [first, second] = await maps({ ...reference, severalTargets: true }, both);
    const single = async (a: number, b: number) => (await maps(reference, { ...together, ...targets(a, b) })).flat();
    expect(distance(first!, await single(2, 4))).toBeLessThan(1e-3);
    expect(distance(second!, await single(1, 0))).toBeLessThan(1e-3);
  });
});

test.each(["partial-lrp", "lrp"])("%s: the baseline's additions take no sums", async (method) => {
  const maps = (options: object) => explained(model, { method, ...options }, together);
  expect(await maps({ compat: "reference" })).toEqual(await maps({}));
});
