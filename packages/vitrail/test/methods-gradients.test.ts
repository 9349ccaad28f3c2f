/** Modified gradients against plain loops, and what each theory promises (float64 models). */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { run } from "../../../test/support/runtime.js";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import type { CompileOptions } from "../src/options.js";
import { matmul, rows, sum, transposed } from "./support/loops.js";
import { distance, explained, feedsOf, targets } from "./support/program.js";
import { Sketch } from "./support/relevance.js";

const draw = (count: number, seed: number): number[] => random(seed).normals(count);
const [T, D, C] = [3, 4, 3];
const TARGET = 1;

/** A model over x [1, 3 tokens, 4], its tokens summed and read by three classes; relevance of x and the target's logit. */
async function read(build: (m: Sketch, x: string) => string, options: CompileOptions) {
  const m = new Sketch();
  const body = build(m, m.data("x", [1, T, D], draw(T * D, 1)));
  const pooled = m.op("ReduceSum", [body, m.ints([1])], { keepdims: 0 });
  m.output(m.op("MatMul", [pooled, m.fixed(head, [D, C])], {}, ["logits"]));
  const found = await run(compile(m.bytes(), options).bytes, { ...m.feeds, ...targets(TARGET) });
  return { row: [...found.relevance!.values], logit: found.logits!.values[TARGET]! };
}
const relevance = async (build: (m: Sketch, x: string) => string, options: CompileOptions) =>
  (await read(build, options)).row;
const head = draw(D * C, 99);
const w = (seed: number) => draw(D * D, seed);
const column = rows(head, C).map((r) => r[TARGET]!);
const linear = (m: Sketch, x: string, seed: number) => m.op("MatMul", [x, m.fixed(w(seed), [D, D])]);
/** What the target's logit is where the tokens before pooling are `tokens`. */
const logitOf = (tokens: readonly (readonly number[])[]) =>
  sum(tokens.map((t) => sum(t.map((v, i) => v * column[i]!))));
const tokens = rows(draw(T * D, 1), D);
const CLOSE = 1e-6;

const attention = (m: Sketch, x: string) => {
  const [q, k, v] = [11, 12, 13].map((seed) => linear(m, x, seed));
  const scores = m.op("MatMul", [q!, m.op("Transpose", [k!], { perm: [0, 2, 1] })]);
  return m.op("MatMul", [m.op("Softmax", [m.op("Mul", [scores, m.real(0.5)])], { axis: -1 }), v!]);
};
const attended = () => {
  const [q, k, v] = [11, 12, 13].map((seed) => matmul(tokens, rows(w(seed), D)));
  const A = matmul(q!, transposed(k!)).map((row) => {
    const e = row.map((s) => Math.exp(s / 2));
    return e.map((s) => s / sum(e));
  });
  return { A, out: matmul(A, v!) };
};
/** x (1 + tanh x) / 2 */
const activation = (m: Sketch, x: string) =>
  m.op("Mul", [m.op("Mul", [x, m.op("Add", [m.op("Tanh", [x]), m.real(1)])]), m.real(0.5)]);
const activated = (v: number) => 0.5 * v * (1 + Math.tanh(v));
const norm = (m: Sketch, x: string) => {
  const centred = m.op("Sub", [x, m.op("ReduceMean", [x], { axes: [-1], keepdims: 1 })]);
  const variance = m.op("ReduceMean", [m.op("Mul", [centred, centred])], { axes: [-1], keepdims: 1 });
  return m.op("Div", [centred, m.op("Sqrt", [m.op("Add", [variance, m.real(1e-6)])])]);
};

describe("modified gradients against loops", () => {
  test("an activation keeps its relevance", async () => {
    const found = await relevance(activation, { method: "cp-lrp" });
    const expected = tokens.map((t) => t.map((v, i) => activated(v) * column[i]!));
    expect(distance(found, expected.flat())).toBeLessThan(CLOSE);
  });

  test("a norm's deviation is a constant", async () => {
    const found = await relevance(norm, { method: "cp-lrp" });
    const average = sum(column) / D;
    const expected = tokens.map((t) => {
      const mean = sum(t) / D;
      const deviation = Math.sqrt(sum(t.map((v) => (v - mean) ** 2)) / D + 1e-6);
      return t.map((v, i) => (v * (column[i]! - average)) / deviation);
    });
    expect(distance(found, expected.flat())).toBeLessThan(CLOSE);
  });

  test("constant attention hands all to the values", async () => {
    const found = await relevance(attention, { method: "cp-lrp" });
    const { A, out } = attended();
    const toValue = matmul(
      rows(w(13), D),
      column.map((v) => [v]),
    ).map(([v]) => v!);
    const received = transposed(A).map(sum);
    const expected = tokens.map((t, n) => t.map((v, i) => v * received[n]! * toValue[i]!));
    expect(distance(found, expected.flat())).toBeLessThan(CLOSE);
    expect(sum(found)).toBeCloseTo(logitOf(out), 4);
  });

  test("AttnLRP of one attention: half of the values' gradient, a quarter of the scores'", async () => {
    const [cp, plain, attn] = await Promise.all(
      ["cp-lrp", "gradient-x-input", "attn-lrp"].map((method) => relevance(attention, { method })),
    );
    const expected = cp!.map((v, i) => v / 2 + (plain![i]! - v) / 4);
    expect(distance(attn!, expected)).toBeLessThan(CLOSE);
  });

  test("γ in linear layers", async () => {
    const gamma = 0.3;
    const found = await relevance((m, x) => linear(m, x, 5), { method: "attn-lrp", gamma });
    const W = rows(w(5), D);
    const pooled = transposed(matmul(tokens, W)).map(sum);
    // First the head: pooled [4] to one class; then the pooled sum shares plainly; then W.
    const share = (x: readonly number[], weights: readonly number[], R: number) => {
      const y = sum(x.map((v, i) => v * weights[i]!));
      const parts = x.map((v, i) => v * weights[i]! * (v * weights[i]! * y > 0 ? 1 + gamma : 1));
      return parts.map((p) => (p / sum(parts)) * R);
    };
    const logit = sum(pooled.map((v, i) => v * column[i]!));
    const atPooled = share(pooled, column, logit);
    const expected = tokens.map((t) => {
      const y = matmul([t], W)[0]!;
      const R = y.map((v, k) => (atPooled[k]! * v) / pooled[k]!);
      const parts = R.map((r, k) =>
        share(
          t,
          W.map((row) => row[k]!),
          r,
        ),
      );
      return t.map((_, i) => sum(parts.map((p) => p[i]!)));
    });
    expect(distance(found, expected.flat())).toBeLessThan(CLOSE);
    expect(sum(found)).toBeCloseTo(logit, 4);
  });

  test("ε in linear layers", async () => {
    const epsilon = 0.3;
    const found = await relevance((m, x) => linear(m, x, 5), { method: "attn-lrp", epsilon });
    const W = rows(w(5), D);
    const outputs = matmul(tokens, W);
    const pooled = transposed(outputs).map(sum);
    const stable = (y: number) => y + (y >= 0 ? epsilon : -epsilon);
    const logit = sum(pooled.map((v, i) => v * column[i]!));
    const atPooled = pooled.map((v, i) => ((v * column[i]!) / stable(logit)) * logit);
    const expected = tokens.map((t, n) =>
      t.map((v, i) =>
        sum(outputs[n]!.map((y, k) => ((v * W[i]![k]!) / stable(y)) * ((atPooled[k]! * y) / pooled[k]!))),
      ),
    );
    expect(distance(found, expected.flat())).toBeLessThan(CLOSE);
    // A γ replaces the ε of linear layers, and one of zero leaves it.
    expect(await relevance((m, x) => linear(m, x, 5), { method: "attn-lrp", epsilon, gamma: 0 })).toEqual(found);
  });

  test.each(["Add", "Sub"])("γ in a residual %s", async (operator) => {
    const found = await relevance((m, x) => m.op(operator, [x, linear(m, x, 5)]), { method: "res-lrp" });
    const W = rows(w(5), D);
    const sign = operator === "Add" ? 1 : -1;
    const expected = tokens.map((t) => {
      const c = matmul([t], W)[0]!.map((v) => v * sign);
      const weight = (z: number, y: number) => (z * y > 0 ? 2 : 1);
      const S = t.map((a, i) => {
        const y = a + c[i]!;
        return (column[i]! * y) / (weight(a, y) * a + weight(c[i]!, y) * c[i]!);
      });
      const toBranch = t.map((a, i) => S[i]! * weight(c[i]!, a + c[i]!) * sign);
      const back = W.map((row) => sum(row.map((v, k) => v * toBranch[k]!)));
      return t.map((a, i) => a * (S[i]! * weight(a, a + c[i]!) + back[i]!));
    });
    expect(distance(found, expected.flat())).toBeLessThan(CLOSE);
  });
});

describe("promises", () => {
  const block = (m: Sketch, x: string) => {
    const inner = m.op("Add", [x, attention(m, norm(m, x))]);
    return m.op("Add", [inner, linear(m, activation(m, linear(m, norm(m, inner), 21)), 22)]);
  };
  const gated = (m: Sketch, x: string) =>
    m.op("Add", [x, m.op("Mul", [activation(m, linear(m, x, 21)), linear(m, x, 22)])]);

  test.each(["cp-lrp", "libra-grad"])("%s conserves the logit where there is no bias", async (method) => {
    const { row, logit } = await read(block, { method });
    expect(sum(row)).toBeCloseTo(logit, 4);
  });

  /** One block with biases; a position table below it, which is no part of the block. */
  const biased = (m: Sketch, x: string) => {
    const bias = (y: string, seed: number) => m.op("Add", [y, m.fixed(draw(D, seed))]);
    const start = m.op("Add", [x, m.fixed(draw(T * D, 60), [T, D])]);
    const inner = m.op("Add", [start, bias(attention(m, bias(norm(m, start), 61)), 62)]);
    return m.op("Add", [
      inner,
      bias(linear(m, activation(m, bias(linear(m, bias(norm(m, inner), 63), 21), 64)), 22), 65),
    ]);
  };

  test("FullGrad+ of one block: its input and its biases add up to the logit", async () => {
    const { row, logit } = await read(biased, { method: "libra-grad", full: true });
    expect(row.length).toBe(T);
    expect(sum(row)).toBeCloseTo(logit, 4);
    const { row: input } = await read(biased, { method: "libra-grad" });
    expect(Math.abs(sum(input) - logit)).toBeGreaterThan(0.1);
  });

  test("FullGrad+ without biases in one block is input x gradient, token by token; two blocks count twice", async () => {
    const [full, input] = await Promise.all([
      relevance(block, { method: "libra-grad", full: true }),
      relevance(block, { method: "libra-grad" }),
    ]);
    expect(distance(full, rows(input, D).map(sum))).toBeLessThan(CLOSE);
    const { row, logit } = await read((m, x) => block(m, block(m, x)), { method: "libra-grad", full: true });
    expect(sum(row)).toBeCloseTo(2 * logit, 3);
  });

  test.each(["cp-lrp", "attn-lrp", "res-lrp"])("%s: gated products and additions conserve", async (method) => {
    const { row, logit } = await read(gated, { method });
    expect(sum(row)).toBeCloseTo(logit, 4);
  });

  test("γ = 0 is AttnLRP, and LibraGrad's input x gradient is CP-LRP", async () => {
    const [attn, res] = await Promise.all([
      relevance(block, { method: "attn-lrp" }),
      relevance(block, { method: "res-lrp", gamma: 0 }),
    ]);
    expect(res).toEqual(attn);
    const small = await relevance(block, { method: "attn-lrp", gamma: 1e-9, convolutionGamma: 1e-9, epsilon: 1e-12 });
    expect(distance(small, attn)).toBeLessThan(1e-5);
    const [cp, libra] = await Promise.all(["cp-lrp", "libra-grad"].map((method) => relevance(block, { method })));
    expect(libra).toEqual(cp);
  });

  test("a decomposed norm and activation are what the operators are", async () => {
    const style = { opset: 20, input: "tokens" } as const;
    const feeds = { ...feedsOf(style, 2), ...targets(1, 3) };
    for (const method of ["cp-lrp", "attn-lrp", "res-lrp"]) {
      const [fused, apart] = await Promise.all([
        explained(vit({ ...style, norm: "operator", activation: "operator" }), { method }, feeds),
        explained(vit({ ...style, norm: "decomposed", activation: "erf" }), { method }, feeds),
      ]);
      expect(distance(apart.flat(), fused.flat())).toBeLessThan(1e-3);
    }
  });
});
