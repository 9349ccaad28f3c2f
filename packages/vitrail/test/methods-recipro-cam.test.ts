/** ViT-ReciproCAM against the last block run by itself, one patch at a time. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { type Arrays, array, run } from "../../../test/support/runtime.js";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { tensorOf } from "../src/tensor/tensor.js";
import { distance, explained, feedsOf, sampleOf, targets } from "./support/program.js";

const [WIDTH, CLASSES, SIDE, BATCH] = [6, 4, 3, 2];
const TOKENS = 1 + SIDE * SIDE;
const method = "vit-recipro-cam";

/** Weights are the same in every model that is written. */
class Writer extends ModelWriter {
  private seed = 0;
  readonly weight = (dims: readonly number[], seed = ++this.seed): string =>
    this.constant(tensorOf("float32", random(seed).normals(dims.reduce((a, c) => a * c)), dims));
  readonly linear = (x: string, to: number, seed: number): string =>
    this.op("MatMul", [x, this.weight([WIDTH, to], seed)]);
  readonly norm = (x: string, seed: number): string =>
    this.op("LayerNormalization", [x, this.weight([WIDTH], seed), this.weight([WIDTH], seed + 1)], { axis: -1 });

  /** Attention over what was normed, the skip over the stream, a head on the class token. */
  tail(stream: string, normed: string): string {
    const [q, k, v] = [31, 32, 33].map((seed) => this.linear(normed, WIDTH, seed));
    const weights = this.op("Softmax", [this.op("MatMul", [q!, this.op("Transpose", [k!], { perm: [0, 2, 1] })])], {
      axis: -1,
    });
    const out = this.op("Add", [stream, this.op("MatMul", [weights, v!])]);
    const inner = this.op("Add", [
      out,
      this.linear(this.op("Tanh", [this.linear(this.norm(out, 41), WIDTH, 43)]), WIDTH, 44),
    ]);
    return this.linear(this.op("Gather", [inner, this.index(0)], { axis: 1 }), CLASSES, 45);
  }
  private readonly index = (i: number): string => this.constant(tensorOf("int64", [i], []));
}

/** Pictures of 6 x 6 pixels in patches of 2 x 2, a class token, one block: [norm before attention, or after the embedding]. */
function model(preNorm: boolean): Uint8Array {
  const m = new Writer({ opset: 17 });
  const pixels = m.input("pixels", "float32", ["batch", 3, 6, 6]);
  const cut = m.op("Conv", [pixels, m.weight([WIDTH, 3, 2, 2], 11)], { strides: [2, 2], kernel_shape: [2, 2] });
  const patches = m.op("Transpose", [m.op("Reshape", [cut, m.ints([0, WIDTH, -1])])], { perm: [0, 2, 1] });
  const batch = m.op("Gather", [m.op("Shape", [patches]), m.ints([0])], { axis: 0 });
  const token = m.op("Expand", [m.weight([1, 1, WIDTH], 12), m.op("Concat", [batch, m.ints([1, WIDTH])], { axis: 0 })]);
  const sum = m.op("Add", [m.op("Concat", [token, patches], { axis: 1 }), m.weight([1, TOKENS, WIDTH], 13)]);
  const stream = preNorm ? sum : m.norm(sum, 21);
  const normed = preNorm ? m.norm(sum, 21) : stream;
  m.output(m.tail(stream, normed), "float32", ["batch", CLASSES], "logits");
  m.output(stream, "float32", ["batch", TOKENS, WIDTH], "stream");
  m.output(normed, "float32", ["batch", TOKENS, WIDTH], "normed");
  return m.bytes();
}

function tailModel(): Uint8Array {
  const m = new Writer({ opset: 17 });
  const [stream, normed] = ["stream", "normed"].map((name) => m.input(name, "float32", ["batch", TOKENS, WIDTH]));
  m.output(m.tail(stream!, normed!), "float32", ["batch", CLASSES], "logits");
  return m.bytes();
}

describe.each([
  ["norm before attention", true],
  ["norm after the addition", false],
])("%s", (_, preNorm) => {
  test.each([true, false])("gaussian %s: the block by itself, patch by patch", async (gaussian) => {
    const full = model(preNorm);
    const values = random(7).normals(BATCH * 3 * 36);
    const feeds: Arrays = { pixels: array("float32", values, [BATCH, 3, 6, 6]) };
    const asked = [2, 0];
    const { stream, normed } = await run(full, feeds);
    const seen = async (sample: number, keep: readonly number[]) => {
      const part = ({ values: all }: { values: readonly number[] }) =>
        array(
          "float32",
          all
            .slice(sample * TOKENS * WIDTH, (sample + 1) * TOKENS * WIDTH)
            .map((v, i) => v * keep[Math.floor(i / WIDTH)]!),
          [1, TOKENS, WIDTH],
        );
      return (await run(tailModel(), { stream: part(stream!), normed: part(normed!) })).logits!.values[asked[sample]!]!;
    };
    const found = await explained(full, { method, gaussian, output: "logits" }, { ...feeds, ...targets(...asked) });
    for (const sample of [0, 1]) {
      const none = await seen(sample, [1, ...new Array<number>(SIDE * SIDE).fill(0)]);
      expect(found[sample]![0]).toBe(0);
      for (let own = 0; own < SIDE * SIDE; own++) {
        const near = (patch: number) => {
          const [down, right] = [Math.floor(patch / SIDE) - Math.floor(own / SIDE), (patch % SIDE) - (own % SIDE)];
          if (!gaussian) return Number(down === 0 && right === 0);
          const kernel = [
            [1 / 4, 1 / 8],
            [1 / 8, 1 / 16],
          ] as const;
          return kernel[Math.abs(down)]?.[Math.abs(right)] ?? 0;
        };
        const keep = [1, ...Array.from({ length: SIDE * SIDE }, (_, patch) => near(patch))];
        const expected = (await seen(sample, keep)) - none;
        expect(Math.abs(found[sample]![1 + own]! - expected)).toBeLessThan(1e-5 + 1e-4 * Math.abs(expected));
      }
    }
  });
});

describe("over spellings", () => {
  const style = { depth: 2, gain: 1 } as const;
  const feeds = { ...feedsOf(style, 2), ...targets(1, 4) };

  test("separate or packed products, norms and activations in parts or whole, mean or class token: the same map", async () => {
    for (const pooling of ["class", "mean"] as const) {
      const whole = await explained(vit({ ...style, pooling }), { method }, feeds);
      const apart = await explained(
        vit({ ...style, pooling, norm: "decomposed", activation: "erf" }),
        { method },
        feeds,
      );
      expect(distance(apart.flat(), whole.flat())).toBeLessThan(1e-3);
      for (const [i, row] of whole.entries()) {
        const [alone] = await explained(vit({ ...style, pooling }), { method }, sampleOf(feeds, i));
        expect(distance(row, alone!)).toBeLessThan(1e-4);
      }
    }
  });

  test("a batch that is fixed is refused, with what works", () =>
    expect(() => compile(vit({ ...style, batch: 1 }), { method })).toThrow(
      /E031[\s\S]*batch is fixed[\s\S]*occlusion/,
    ));
});
