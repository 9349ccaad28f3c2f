/**
 * Two streams: the row that walks backwards against the update rules of Chefer et al. 2021b (ICCV), which build matrices forwards.
 *
 *     self-attention of s:      R_ss += A R_ss      R_sq += A R_sq                    (eq. 6, 7)
 *     s attends to q:           R_sq += L A N       R_ss += A R_qs                    (eq. 10, 11)
 *
 * In the paper L is the transpose of R_ss and N is R_qq, the added parts of both with rows that sum to one. The walk has L = I and
 * N = R_qq: the same rule as for one stream, and what conventions for encoder-decoders ask for. How far apart that leads is
 * bounded here too, so that nobody takes one for the other.
 */
import { describe, expect, test } from "vitest";
import { walked } from "./support/flow.js";
import { type Matrix, matmul, transposed } from "./support/loops.js";
import { distance } from "./support/program.js";
import { BATCH, draw, range, Transformer, WIDTH } from "./support/transformer.js";

const TARGET = { values: [0, 1], dims: [2] };
const identity = (n: number): Matrix => range(n).map((i) => range(n).map((k) => Number(i === k)));
const zeros = (n: number, m: number): Matrix => range(n).map(() => range(m).map(() => 0));
const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((v, k) => v + b[i]![k]!));

/** I + the rest with rows that sum to one (eq. 8, 9). */
function normalized(R: Matrix): Matrix {
  return R.map((row, i) => {
    const added = row.map((v, k) => v - Number(i === k));
    const total = added.reduce((sum, v) => sum + v, 0);
    return added.map((v, k) => (total === 0 ? 0 : v / total) + Number(i === k));
  });
}

/** R of two streams of n and m tokens. `paper` says which rule cross-attention follows. */
class Streams {
  ss: Matrix;
  sq: Matrix;
  qq: Matrix;
  qs: Matrix;
  constructor(
    n: number,
    m: number,
    private readonly paper = false,
  ) {
    [this.ss, this.sq, this.qq, this.qs] = [identity(n), zeros(n, m), identity(m), zeros(m, n)];
  }
  selfS(A: Matrix): void {
    [this.ss, this.sq] = [plus(this.ss, matmul(A, this.ss)), plus(this.sq, matmul(A, this.sq))];
  }
  selfQ(A: Matrix): void {
    [this.qq, this.qs] = [plus(this.qq, matmul(A, this.qq)), plus(this.qs, matmul(A, this.qs))];
  }
  /** s attends to q, and where B is given q attends to s in the same step. */
  cross(A: Matrix, B?: Matrix): void {
    const add = (own: Matrix, map: Matrix, other: Matrix) =>
      this.paper ? matmul(transposed(normalized(own)), matmul(map, normalized(other))) : matmul(map, other);
    const { ss, sq, qq, qs } = this;
    [this.sq, this.ss] = [plus(sq, add(ss, A, qq)), plus(ss, matmul(A, qs))];
    if (B) [this.qs, this.qq] = [plus(qs, add(qq, B, ss)), plus(qq, matmul(B, sq))];
  }
}

const cosine = (a: readonly number[], b: readonly number[]): number => {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

describe("an encoder and a decoder", () => {
  test("the encoder's tokens get row R_sq, and the paper's own rule points the same way", async () => {
    const m = new Transformer();
    let encoded = m.tokens(5);
    for (const _ of range(2)) encoded = m.block(encoded, BATCH, 5);
    let decoded = m.data("y", [BATCH, 3, WIDTH], draw(BATCH * 3 * WIDTH, 2));
    for (const _ of range(2)) {
      decoded = m.block(decoded, BATCH, 3);
      decoded = m.op("Add", [decoded, m.linear(m.attention(decoded, encoded, BATCH, 3, 5))]);
    }
    const [e0, e1, s0, c0, s1, c1] = m.sites.map(({ name }) => name);
    const found = await walked(m, m.head(m.token(decoded, 1)), m.sites, TARGET, { explains: "x" });
    for (const sample of range(BATCH)) {
      const at = (name: string | undefined) => found.E[name!]![sample]!;
      const [own, paper] = [false, true].map((rule) => {
        const R = new Streams(3, 5, rule);
        for (const layer of [e0, e1]) R.selfQ(at(layer));
        for (const [self, cross] of [
          [s0, c0],
          [s1, c1],
        ]) {
          R.selfS(at(self));
          R.cross(at(cross));
        }
        return R.sq[1]!;
      });
      expect(distance(found.relevance[sample]!, own!)).toBeLessThan(1e-9);
      expect(distance(own!, paper!)).toBeGreaterThan(0.01);
      expect(cosine(own!, paper!)).toBeGreaterThan(0.95);
    }
  });
});

describe("two streams that attend to each other", () => {
  test.each(["x", "y"])("what is read of x, explained by %s", async (explains) => {
    const m = new Transformer();
    let [x, y] = [m.tokens(3), m.data("y", [BATCH, 4, WIDTH], draw(BATCH * 4 * WIDTH, 2))];
    for (const _ of range(2)) {
      const [toX, toY] = [m.attention(x, y, BATCH, 3, 4), m.attention(y, x, BATCH, 4, 3)];
      [x, y] = [m.op("Add", [x, m.linear(toX)]), m.op("Add", [y, m.linear(toY)])];
      [x, y] = [m.block(x, BATCH, 3), m.block(y, BATCH, 4)];
    }
    // The last layer's y is read by nobody.
    const names = m.sites.map(({ name }) => name);
    const logits = m.head(m.token(x, 0));
    const found = await walked(m, logits, m.sites, TARGET, { explains });
    for (const sample of range(BATCH)) {
      const R = new Streams(3, 4);
      for (const layer of range(2)) {
        const [xy, yx, xx, yy] = range(4).map((i) => found.E[names[4 * layer + i]!]![sample]!);
        R.cross(xy!, yx);
        R.selfS(xx!);
        R.selfQ(yy!);
      }
      const expected = explains === "x" ? R.ss[0]!.map((v, k) => v - Number(k === 0)) : R.sq[0]!;
      expect(distance(found.relevance[sample]!, expected)).toBeLessThan(1e-9);
    }
  });
});
