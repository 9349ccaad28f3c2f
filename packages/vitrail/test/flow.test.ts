/** The token flow through every kind of read-out and layout, against walks in plain loops. */
import { describe, expect, test } from "vitest";
import { reading, type State, step, walked } from "./support/flow.js";
import type { Matrix } from "./support/loops.js";
import { distance } from "./support/program.js";
import { BATCH, draw, HEADS, hot, range, Transformer, WIDTH } from "./support/transformer.js";

/** Two blocks over n tokens, then a head; expected: the same walk for each sample's read-out. */
async function check(
  n: number,
  readHead: (m: Transformer, x: string) => string,
  v: (sample: number) => number[],
  seen?: RegExp,
) {
  const m = new Transformer();
  const x = m.mlp(m.block(m.mlp(m.block(m.tokens(n), BATCH, n)), BATCH, n));
  const found = await walked(m, readHead(m, x), m.sites, { values: [1, 2], dims: [2] });
  for (const sample of range(BATCH)) {
    const state = step(step(reading(v(sample)), found.E.A1![sample]!), found.E.A0![sample]!);
    expect(distance(found.relevance[sample]!, state.a), `sample ${sample}`).toBeLessThan(1e-9);
  }
  if (seen) expect(found.readout).toMatch(seen);
}

/** A pool along the tokens: [batch, width, tokens]. */
const pooled = (m: Transformer, x: string, pool: string, kernel_shape: number[], strides?: number[]) =>
  m.op(pool, [m.op("Transpose", [x], { perm: [0, 2, 1] })], { kernel_shape, ...(strides && { strides }) });

describe("read-outs", () => {
  test("the class token", () =>
    check(
      5,
      (m, x) => m.head(m.token(x, 0)),
      () => hot(5, 0),
      /token 0/,
    ));
  test("the class token after a norm, kept as an axis", () =>
    check(
      5,
      (m, x) => {
        const norm = m.op("LayerNormalization", [x, m.fixed([1, 2, 1, 2])]);
        const first = m.op("Slice", [norm, m.ints([0]), m.ints([1]), m.ints([1])]);
        return m.head(m.op("Squeeze", [first, m.ints([1])]));
      },
      () => hot(5, 0),
    ));
  test("the last token", () =>
    check(
      5,
      (m, x) => m.head(m.token(x, -1)),
      () => hot(5, 4),
    ));
  test("the mean", () =>
    check(
      5,
      (m, x) => m.head(m.mean(x)),
      () => range(5).map(() => 1 / 5),
      /mean/,
    ));
  test("all tokens merged by one pool", () =>
    check(
      5,
      (m, x) => m.head(m.op("Squeeze", [pooled(m, x, "MaxPool", [5]), m.ints([2])])),
      () => range(5).map(() => 1 / 5),
    ));
  test("a token that a pool merged from two", () =>
    check(
      6,
      (m, x) => m.head(m.op("Gather", [pooled(m, x, "MaxPool", [2], [2]), m.index(1)], { axis: 2 })),
      () => [0, 0, 0.5, 0.5, 0, 0],
    ));
  test("a copy of a token in a reflected padding", () =>
    check(
      5,
      (m, x) => m.head(m.token(m.op("Pad", [x, m.ints([0, 2, 0, 0, 1, 0])], { mode: "reflect" }), 0)),
      () => hot(5, 2),
    ));
  test("the mean of the patches alone", () =>
    check(
      6,
      (m, x) => m.head(m.mean(m.patches(x, 2))),
      () => [0, 0, 0.25, 0.25, 0.25, 0.25],
    ));
  test("the mean as a sum times a constant", () =>
    check(
      4,
      (m, x) => m.head(m.op("Mul", [m.op("ReduceSum", [x, m.ints([1])], { keepdims: 0 }), m.real(0.25)])),
      () => range(4).map(() => 1 / 4),
    ));
  test("two heads averaged", () =>
    check(
      5,
      (m, x) => m.op("Div", [m.op("Add", [m.head(m.token(x, 0)), m.head(m.token(x, 1))]), m.real(2)]),
      () => [0.5, 0.5, 0, 0, 0],
    ));
  test("class token and mean of the patches joined", () =>
    check(
      5,
      (m, x) => m.head(m.op("Concat", [m.token(x, 0), m.mean(m.patches(x, 1))], { axis: -1 }), 2 * WIDTH),
      () => [0.5, 0.125, 0.125, 0.125, 0.125],
    ));
  test("a mean under a mask that is fed", () => {
    const mask = [1, 1, 1, 0, 1, 1, 0, 0];
    return check(
      4,
      (m, x) => {
        m.feeds.mask = { type: "int64", dims: [2, 4], values: mask };
        const ids = m.input("mask", "int64", [2, 4]);
        const weights = m.op("Cast", [m.op("Unsqueeze", [ids, m.ints([-1])])], { to: 11 });
        const total = m.op("ReduceSum", [m.op("Mul", [x, weights]), m.ints([1])], { keepdims: 0 });
        const count = m.op("ReduceSum", [weights, m.ints([1])], { keepdims: 0 });
        return m.head(m.op("Div", [total, m.op("Clip", [count, m.real(1e-9)])]));
      },
      (sample) => {
        const own = mask.slice(4 * sample, 4 * sample + 4);
        return own.map((x) => x / own.reduce((s, y) => s + y, 0));
      },
      /mask/,
    );
  });
  test("a token of its own for every sample", () =>
    check(
      5,
      (m, x) => {
        m.feeds.end = { type: "int64", dims: [2, 1], values: [3, 1] };
        const end = m.input("end", "int64", [2, 1]);
        const samples = m.op("Unsqueeze", [m.op("Range", [m.index(0), m.index(2), m.index(1)]), m.ints([1])]);
        return m.head(m.op("GatherND", [x, m.op("Concat", [samples, end], { axis: 1 })]));
      },
      (sample) => hot(5, sample === 0 ? 3 : 1),
    ));
});

test("token classification explains the token of the target", async () => {
  const m = new Transformer();
  const logits = m.head(m.block(m.block(m.tokens(5), BATCH, 5), BATCH, 5));
  const found = await walked(m, logits, m.sites, { values: [4, 0, 2, 1], dims: [2, 2] });
  for (const [sample, token] of [4, 2].entries()) {
    const state = step(step(reading(hot(5, token)), found.E.A1![sample]!), found.E.A0![sample]!);
    expect(distance(found.relevance[sample]!, state.a)).toBeLessThan(1e-9);
  }
});

test("blocks before startLayer do not count", async () => {
  const m = new Transformer();
  const logits = m.head(m.token(m.block(m.block(m.block(m.tokens(4), BATCH, 4), BATCH, 4), BATCH, 4), 0));
  const found = await walked(m, logits, m.sites, { values: [0, 0], dims: [2] }, { startLayer: 1 });
  for (const sample of range(BATCH)) {
    const state = step(step(reading(hot(4, 0)), found.E.A2![sample]!), found.E.A1![sample]!);
    expect(distance(found.relevance[sample]!, state.a)).toBeLessThan(1e-9);
  }
});

test("normalised rows: every row of I + E sums to one", async () => {
  const m = new Transformer();
  const logits = m.head(m.token(m.block(m.block(m.tokens(4), BATCH, 4), BATCH, 4), 0));
  const found = await walked(m, logits, m.sites, { values: [0, 0], dims: [2] }, { normalizeRows: true });
  for (const sample of range(BATCH)) {
    let row = hot(4, 0);
    for (const E of [found.E.A1![sample]!, found.E.A0![sample]!]) {
      const full = E.map((e, i) => e.map((x, k) => x + Number(i === k)));
      const normal = full.map((r) => r.map((x) => x / r.reduce((s, y) => s + y, 0)));
      row = row.map((_, k) => row.reduce((sum, r, i) => sum + r * normal[i]![k]!, 0));
    }
    expect(distance(found.relevance[sample]!, row)).toBeLessThan(1e-9);
  }
});

test("a learned query pools the tokens: its row of attention is the read-out", async () => {
  const m = new Transformer();
  const x = m.block(m.tokens(5), BATCH, 5);
  const keys = m.op("Transpose", [m.linear(x)], { perm: [0, 2, 1] });
  m.op("Softmax", [m.op("MatMul", [m.fixed(draw(WIDTH, 5), [1, 1, WIDTH]), keys])], { axis: -1 }, ["A1"]);
  m.sites.push({ name: "A1", lead: BATCH, heads: 1, queries: 1, keys: 5 });
  const pooled = m.op("Squeeze", [m.op("MatMul", ["A1", m.linear(x)]), m.ints([1])]);
  const found = await walked(m, m.head(pooled), m.sites, { values: [0, 1], dims: [2] });
  for (const sample of range(BATCH)) {
    const { a } = step(reading(found.E.A1![sample]![0]!), found.E.A0![sample]!);
    expect(distance(found.relevance[sample]!, a)).toBeLessThan(1e-9);
  }
});

test("a score of its own weighs every token, with the softmax over the second axis", async () => {
  const m = new Transformer();
  const x = m.block(m.tokens(5), BATCH, 5);
  const scores = m.op("Softmax", [m.linear(x, WIDTH, 1)], { axis: 1 });
  m.op("Transpose", [scores], { perm: [0, 2, 1] }, ["A1"]);
  m.sites.push({ name: "A1", lead: BATCH, heads: 1, queries: 1, keys: 5 });
  const pooled = m.op("Squeeze", [m.op("MatMul", ["A1", x]), m.ints([1])]);
  const found = await walked(m, m.head(pooled), m.sites, { values: [0, 1], dims: [2] });
  for (const sample of range(BATCH)) {
    const { a } = step(reading(found.E.A1![sample]![0]!), found.E.A0![sample]!);
    expect(distance(found.relevance[sample]!, a)).toBeLessThan(1e-9);
  }
  expect(found.readout).toBe("what an attention-pooling head weighs");
});

test("the largest of all tokens is read channel by channel: a token has the share of the channels that it won", async () => {
  const m = new Transformer();
  const x = m.block(m.tokens(5), BATCH, 5);
  const last = { name: m.op("Identity", [x]), lead: BATCH, heads: 1, queries: 5, keys: WIDTH };
  const largest = m.op("ReduceMax", [x], { axes: [1], keepdims: 0 });
  const found = await walked(m, m.head(largest), [...m.sites, last], { values: [0, 1], dims: [2] });
  for (const sample of range(BATCH)) {
    const values = found.E[last.name]![sample]!;
    const winners = range(WIDTH).map((c) =>
      range(5).reduce((best, t) => (values[t]![c]! > values[best]![c]! ? t : best)),
    );
    const v = range(5).map((t) => winners.filter((w) => w === t).length / WIDTH);
    expect(distance(found.relevance[sample]!, step(reading(v), found.E.A0![sample]!).a)).toBeLessThan(1e-9);
  }
});

test.each(["CRD", "DCR"])(
  "channels shuffled into pixels (%s): a pixel is read off the token that holds it",
  async (mode) => {
    const m = new Transformer();
    const x = m.op("Transpose", [m.block(m.tokens(4), BATCH, 4)], { perm: [0, 2, 1] });
    const cells = m.op("Reshape", [x, m.ints([BATCH, WIDTH, 2, 2])]);
    const pixels = m.op("DepthToSpace", [cells], { blocksize: 2, mode });
    const found = await walked(m, pixels, m.sites, { values: [0, 3, 1, 0, 0, 2], dims: [2, 3] });
    for (const [sample, token] of [2, 1].entries())
      expect(distance(found.relevance[sample]!, step(reading(hot(4, token)), found.E.A0![sample]!).a)).toBeLessThan(
        1e-9,
      );
  },
);

test("cross-attention: the encoder gets what the decoder's queries had", async () => {
  const m = new Transformer();
  const encoded = m.block(m.tokens(5), BATCH, 5);
  let decoded = m.data("y", [BATCH, 3, WIDTH], draw(BATCH * 3 * WIDTH, 2));
  for (let layer = 0; layer < 2; layer++) {
    decoded = m.block(decoded, BATCH, 3);
    decoded = m.op("Add", [decoded, m.linear(m.attention(decoded, encoded, BATCH, 3, 5))]);
  }
  const [encoder, , firstCross, secondSelf, secondCross] = m.sites.map((s) => s.name) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const target = { values: [0, 1], dims: [2] };
  const found = await walked(m, m.head(m.token(decoded, 1)), m.sites, target, { explains: "x" });
  const times = (row: readonly number[], E: Matrix) =>
    E[0]!.map((_, k) => row.reduce((sum, r, q) => sum + r * E[q]![k]!, 0));
  for (const sample of range(BATCH)) {
    const at = (name: string) => found.E[name]![sample]!;
    const top = hot(3, 1);
    const middle = top.map((r, k) => r + times(top, at(secondSelf))[k]!);
    const arrived = times(top, at(secondCross)).map((r, k) => r + times(middle, at(firstCross))[k]!);
    const expected = arrived.map((r, k) => r + times(arrived, at(encoder))[k]!);
    expect(distance(found.relevance[sample]!, expected)).toBeLessThan(1e-9);
  }
});

describe("axes in other places", () => {
  test("tokens first, samples second", async () => {
    const m = new Transformer();
    const turned = m.op("Transpose", [m.tokens(5)], { perm: [1, 0, 2] });
    const back = (x: string) => m.op("Transpose", [x], { perm: [1, 0, 2] });
    const attended = m.op("Add", [turned, back(m.linear(m.attention(back(turned), back(turned), BATCH, 5, 5)))]);
    const first = m.op("Gather", [attended, m.index(0)], { axis: 0 });
    const found = await walked(m, m.head(first), m.sites, { values: [1, 2], dims: [2] });
    for (const sample of range(BATCH))
      expect(distance(found.relevance[sample]!, step(reading(hot(5, 0)), found.E.A0![sample]!).a)).toBeLessThan(1e-9);
  });

  test("heads folded into the batch", async () => {
    const m = new Transformer();
    const x = m.tokens(5);
    const folded = () => {
      const heads = m.op("Reshape", [m.linear(x), m.ints([BATCH, 5, HEADS, WIDTH / HEADS])]);
      const turned = m.op("Transpose", [heads], { perm: [0, 2, 1, 3] });
      return m.op("Reshape", [turned, m.ints([BATCH * HEADS, 5, WIDTH / HEADS])]);
    };
    const [q, k, v] = [folded(), folded(), folded()];
    m.op("Softmax", [m.op("MatMul", [q, m.op("Transpose", [k], { perm: [0, 2, 1] })])], { axis: -1 }, ["A0"]);
    m.sites.push({ name: "A0", lead: BATCH, heads: HEADS, queries: 5, keys: 5 });
    const apart = m.op("Reshape", [m.op("MatMul", ["A0", v]), m.ints([BATCH, HEADS, 5, WIDTH / HEADS])]);
    const merged = m.op("Reshape", [m.op("Transpose", [apart], { perm: [0, 2, 1, 3] }), m.ints([BATCH, 5, WIDTH])]);
    const out = m.op("Add", [x, m.linear(merged)]);
    const found = await walked(m, m.head(m.token(out, 2)), m.sites, { values: [1, 2], dims: [2] });
    for (const sample of range(BATCH))
      expect(distance(found.relevance[sample]!, step(reading(hot(5, 2)), found.E.A0![sample]!).a)).toBeLessThan(1e-9);
  });
});

/** A 4 x 4 grid cut in windows of 2 x 2, shifted by `shift` before and back after. */
describe("windows", () => {
  const SIDE = 4;
  /** Which token of the grid stands at place `i` of window `w`. */
  const tokenAt = (w: number, i: number, shift: number): number => {
    const row = (2 * Math.floor(w / 2) + Math.floor(i / 2) + shift) % SIDE;
    return row * SIDE + ((2 * (w % 2) + (i % 2) + shift) % SIDE);
  };
  const rolled = (m: Transformer, x: string, axis: number, by: number): string => {
    const part = (from: number, to: number) => m.op("Slice", [x, m.ints([from]), m.ints([to]), m.ints([axis])]);
    return m.op("Concat", [part(by, SIDE), part(0, by)], { axis });
  };
  const windowed = (m: Transformer, x: string, shift: number): string => {
    let grid = m.op("Reshape", [x, m.ints([BATCH, SIDE, SIDE, WIDTH])]);
    if (shift > 0) grid = rolled(m, rolled(m, grid, 1, shift), 2, shift);
    const cut = m.op("Reshape", [grid, m.ints([BATCH, 2, 2, 2, 2, WIDTH])]);
    const windows = m.op("Reshape", [
      m.op("Transpose", [cut], { perm: [0, 1, 3, 2, 4, 5] }),
      m.ints([BATCH * 4, 4, WIDTH]),
    ]);
    const attended = m.op("Reshape", [
      m.linear(m.attention(windows, windows, BATCH * 4, 4, 4)),
      m.ints([BATCH, 2, 2, 2, 2, WIDTH]),
    ]);
    let whole = m.op("Reshape", [
      m.op("Transpose", [attended], { perm: [0, 1, 3, 2, 4, 5] }),
      m.ints([BATCH, SIDE, SIDE, WIDTH]),
    ]);
    if (shift > 0) whole = rolled(m, rolled(m, whole, 1, SIDE - shift), 2, SIDE - shift);
    return m.op("Add", [x, m.op("Reshape", [whole, m.ints([BATCH, SIDE * SIDE, WIDTH])])]);
  };
  /** The windows' maps as one map over the grid. */
  const wholeMap = (windows: readonly Matrix[], sample: number, shift: number): number[][] => {
    const E = range(16).map(() => range(16).map(() => 0));
    for (const w of range(4))
      for (const i of range(4))
        for (const k of range(4)) E[tokenAt(w, i, shift)]![tokenAt(w, k, shift)] = windows[4 * sample + w]![i]![k]!;
    return E;
  };

  test.each([0, 1])("two blocks, the second shifted by %i", async (shift) => {
    const m = new Transformer();
    const x = windowed(m, windowed(m, m.tokens(16), 0), shift);
    const found = await walked(m, m.head(m.mean(x)), m.sites, { values: [1, 2], dims: [2] });
    for (const sample of range(BATCH)) {
      let state: State = reading(range(16).map(() => 1 / 16));
      state = step(state, wholeMap(found.E.A1!, sample, shift));
      state = step(state, wholeMap(found.E.A0!, sample, 0));
      expect(distance(found.relevance[sample]!, state.a)).toBeLessThan(1e-9);
    }
  });

  test.each([0, 1])("normalised rows, the second block shifted by %i", async (shift) => {
    const m = new Transformer();
    const x = windowed(m, windowed(m, m.tokens(16), 0), shift);
    const options = { normalizeRows: true, squared: true };
    const found = await walked(m, m.head(m.mean(x)), m.sites, { values: [1, 2], dims: [2] }, options);
    for (const sample of range(BATCH)) {
      let row = range(16).map(() => 1 / 16);
      for (const [A, by] of [
        ["A1", shift],
        ["A0", 0],
      ] as const) {
        const E = wholeMap(found.E[A]!, sample, by);
        const scaled = row.map((r, i) => r / (1 + E[i]!.reduce((sum, e) => sum + e, 0)));
        row = scaled.map((r, k) => scaled.reduce((sum, s, i) => sum + s * E[i]![k]!, r));
      }
      expect(distance(found.relevance[sample]!, row)).toBeLessThan(1e-9);
    }
  });

  test("patch merging: a merged token's weight goes to its four children in equal parts", async () => {
    const m = new Transformer();
    const x = m.block(m.tokens(16), BATCH, 16);
    const grid = m.op("Reshape", [x, m.ints([BATCH, SIDE, SIDE, WIDTH])]);
    const every = (row: number, column: number) =>
      m.op("Slice", [grid, m.ints([row, column]), m.ints([SIDE, SIDE]), m.ints([1, 2]), m.ints([2, 2])]);
    const joined = m.op("Concat", [every(0, 0), every(1, 0), every(0, 1), every(1, 1)], { axis: -1 });
    const merged = m.linear(m.op("Reshape", [joined, m.ints([BATCH, 4, 4 * WIDTH])]), 4 * WIDTH, WIDTH);
    const found = await walked(m, m.head(m.mean(m.block(merged, BATCH, 4))), m.sites, { values: [1, 2], dims: [2] });
    for (const sample of range(BATCH)) {
      const top = step(reading(range(4).map(() => 1 / 4)), found.E.A1![sample]!);
      const parent = (t: number) => 2 * Math.floor(Math.floor(t / SIDE) / 2) + Math.floor((t % SIDE) / 2);
      const spread = (row: readonly number[]) => range(16).map((t) => row[parent(t)]! / 4);
      const state = step({ v: spread(top.v), a: spread(top.a) }, found.E.A0![sample]!);
      expect(distance(found.relevance[sample]!, state.a)).toBeLessThan(1e-9);
    }
  });
});
