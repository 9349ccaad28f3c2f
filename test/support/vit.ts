/**
 * Vision transformers with random weights, in the spellings that exporters use: pre-norm blocks, class token or mean pooling,
 * packed or separate query/key/value, operators or decomposed norms and activations. Any size, up to ViT-B and beyond.
 */

import type { Tensor } from "../../packages/vitrail/src/tensor/tensor.js";
import { ModelWriter } from "./model.js";
import { type Random, random } from "./random.js";

export interface VitStyle {
  readonly opset?: number;
  readonly seed?: number;
  /** Side of the square pictures and of their patches. */
  readonly size?: number;
  readonly patch?: number;
  /** Pixels below and to the right of the last patches, which no patch holds. */
  readonly rest?: readonly [rows: number, columns: number];
  readonly width?: number;
  readonly depth?: number;
  readonly heads?: number;
  readonly mlpRatio?: number;
  readonly classes?: number;
  /** Which tokens the head reads. */
  readonly pooling?: "class" | "mean";
  /** One product whose parts are gathered, split (before or behind the heads) or sliced; or three products. */
  readonly qkv?: "packed" | "split" | "split heads" | "slices" | "separate";
  /** LayerNormalization (opset 17 on) or its parts. */
  readonly norm?: "operator" | "decomposed";
  /** Softmax; its parts, with or without the maximum taken off; exp of LogSoftmax. */
  readonly softmax?: "operator" | "exp" | "shifted" | "reciprocal" | "log";
  /** A V; its transpose V' A'; or with a softmax over the first of the axes [keys, queries]. */
  readonly product?: "weights first" | "values first" | "keys first";
  /** Queries and keys of length one: ReduceL2, or its parts. */
  readonly cosine?: "none" | "operator" | "decomposed";
  /** Gelu (opset 20 on), or x Φ(x) spelled with Erf or with Tanh. */
  readonly activation?: "operator" | "erf" | "tanh";
  /** Extent or name of the batch axis. */
  readonly batch?: number | string;
  /**
   * "tokens": the model starts at embedded patches [batch, patches, width]; it then needs no Conv and runs in float64. "bytes" and
   * "bytes last": a picture of uint8 behind a Cast, with its channels first or last.
   */
  readonly input?: "picture" | "tokens" | "bytes" | "bytes last";
  readonly type?: "float32" | "float64";
  /** Weights are as large as usual initialisations make them, times this; above 1 attention is less even. */
  readonly gain?: number;
  /** Names of the input and the output. */
  readonly names?: { readonly input?: string; readonly output?: string };
}

const DEFAULTS = {
  opset: 17,
  seed: 1,
  size: 16,
  patch: 4,
  rest: [0, 0],
  width: 24,
  depth: 3,
  heads: 3,
  mlpRatio: 2,
  classes: 5,
  pooling: "class",
  qkv: "packed",
  norm: "operator",
  softmax: "operator",
  product: "weights first",
  cosine: "none",
  activation: "erf",
  batch: "batch",
  input: "picture",
  type: "float32",
  gain: 2,
  names: {},
} as const satisfies VitStyle;

export const tinyShape = { size: 224, patch: 16, width: 192, depth: 12, heads: 3, mlpRatio: 4, classes: 1000, gain: 1 };
export const baseShape = { ...tinyShape, width: 768, heads: 12 };

/** Uniform numbers of the given standard deviation, written as bytes at once: large models are made in a second. */
export function randomTensor(
  { uniform }: Random,
  dims: readonly number[],
  deviation: number,
  type: "float32" | "float64" = "float32",
  mean = 0,
): Tensor {
  const count = dims.reduce((n, d) => n * d, 1);
  const values = type === "float64" ? new Float64Array(count) : new Float32Array(count);
  const half = deviation * Math.sqrt(3);
  for (let i = 0; i < count; i++) values[i] = mean + half * (2 * uniform() - 1);
  return { type, dims, bytes: new Uint8Array(values.buffer) };
}

export function vit(style: VitStyle = {}): Uint8Array {
  return new Vit({ ...DEFAULTS, ...style }).write();
}

class Vit {
  private readonly m: ModelWriter;
  private readonly random: Random;
  constructor(private readonly s: Required<VitStyle>) {
    this.m = new ModelWriter({ opset: s.opset });
    this.random = random(s.seed);
  }

  write(): Uint8Array {
    const { m, s } = this;
    let x = this.embed();
    for (let block = 0; block < s.depth; block++) x = this.block(x);
    const logits = this.linear(this.pool(this.norm(x)), s.width, s.classes);
    m.output(logits, s.type, [s.batch, s.classes], s.names.output ?? "logits");
    return m.bytes();
  }

  private weight(dims: readonly number[], deviation: number, mean = 0): string {
    return this.m.constant(randomTensor(this.random, dims, deviation, this.s.type, mean));
  }
  private scalar = (x: number): string => this.m.scalar(x, this.s.type);

  private embed(): string {
    const { m, s } = this;
    const side = s.size / s.patch;
    let tokens: string;
    if (s.input === "tokens") tokens = m.input(s.names.input ?? "tokens", s.type, [s.batch, side * side, s.width]);
    else {
      const pixels = this.pixels(s.size + s.rest[0], s.size + s.rest[1]);
      const kernel = this.weight([s.width, 3, s.patch, s.patch], 1 / Math.sqrt(3 * s.patch * s.patch));
      const strides = [s.patch, s.patch];
      const patches = m.op("Conv", [pixels, kernel, this.weight([s.width], 0.02)], { strides, kernel_shape: strides });
      tokens = m.op("Transpose", [m.op("Reshape", [patches, m.ints([0, s.width, -1])])], { perm: [0, 2, 1] });
    }
    const special = s.pooling === "class" ? 1 : 0;
    if (special === 1) {
      const batch = m.op("Gather", [m.op("Shape", [tokens]), m.ints([0])], { axis: 0 });
      const shape = m.op("Concat", [batch, m.ints([1, s.width])], { axis: 0 });
      const token = m.op("Expand", [this.weight([1, 1, s.width], 0.5), shape]);
      tokens = m.op("Concat", [token, tokens], { axis: 1 });
    }
    return m.op("Add", [tokens, this.weight([1, side * side + special, s.width], 0.3)]);
  }

  private pixels(rows: number, columns: number): string {
    const { m, s } = this;
    const name = s.names.input ?? "pixel_values";
    if (s.input === "picture") return m.input(name, s.type, [s.batch, 3, rows, columns]);
    const last = s.input === "bytes last";
    const bytes = m.input(name, "uint8", last ? [s.batch, rows, columns, 3] : [s.batch, 3, rows, columns]);
    const first = last ? m.op("Transpose", [bytes], { perm: [0, 3, 1, 2] }) : bytes;
    return m.op("Div", [m.op("Cast", [first], { to: s.type === "float64" ? 11 : 1 }), this.scalar(64)]);
  }

  private block(x: string): string {
    const { m, s } = this;
    const attended = m.op("Add", [x, this.attention(this.norm(x))]);
    const hidden = s.width * s.mlpRatio;
    const inner = this.activation(this.linear(this.norm(attended), s.width, hidden));
    return m.op("Add", [attended, this.linear(inner, hidden, s.width)]);
  }

  private attention(x: string): string {
    const { m, s } = this;
    const head = s.width / s.heads;
    const [q, k, v] = (s.qkv === "separate" ? this.separate(x, head) : this.packed(x, head)) as [
      string,
      string,
      string,
    ];
    const merged = m.op("Transpose", [this.attend(this.direction(q), this.direction(k), v, head)], {
      perm: [0, 2, 1, 3],
    });
    return this.linear(m.op("Reshape", [merged, m.ints([0, 0, s.width])]), s.width, s.width);
  }

  private attend(q: string, k: string, v: string, head: number): string {
    const { m } = this;
    const turned = (value: string) => m.op("Transpose", [value], { perm: [0, 1, 3, 2] });
    const scaled = (a: string, c: string) =>
      m.op("Mul", [m.op("MatMul", [a, turned(c)]), this.scalar(1 / Math.sqrt(head))]);
    if (this.s.product === "keys first")
      return m.op("MatMul", [turned(m.op("Softmax", [scaled(k, q)], { axis: 2 })), v]);
    const weights = this.softmax(scaled(q, k));
    if (this.s.product === "values first") return turned(m.op("MatMul", [turned(v), turned(weights)]));
    return m.op("MatMul", [weights, v]);
  }

  /** Of length one, where attention compares directions. */
  private direction(x: string): string {
    const { m, s } = this;
    if (s.cosine === "none") return x;
    const axes = { axes: [-1], keepdims: 1 };
    if (s.cosine === "operator") {
      const length = m.op("Clip", [m.op("ReduceL2", [x], axes), this.scalar(1e-12)]);
      return m.op("Div", [x, m.op("Expand", [length, m.op("Shape", [x])])]);
    }
    return m.op("Div", [x, m.op("Sqrt", [m.op("ReduceSum", [m.op("Mul", [x, x]), m.ints([-1])], { keepdims: 1 })])]);
  }

  private softmax(x: string): string {
    const { m } = this;
    const { softmax } = this.s;
    if (softmax === "operator") return m.op("Softmax", [x], { axis: -1 });
    if (softmax === "log") return m.op("Exp", [m.op("LogSoftmax", [x], { axis: -1 })]);
    const along = (operator: string, v: string) =>
      m.opset < (operator === "ReduceSum" ? 13 : 18)
        ? m.op(operator, [v], { axes: [-1], keepdims: 1 })
        : m.op(operator, [v, m.ints([-1])], { keepdims: 1 });
    const e = m.op("Exp", [softmax === "exp" ? x : m.op("Sub", [x, along("ReduceMax", x)])]);
    const sum = along("ReduceSum", e);
    return softmax === "reciprocal" ? m.op("Mul", [m.op("Reciprocal", [sum]), e]) : m.op("Div", [e, sum]);
  }

  private packed(x: string, head: number): string[] {
    const { m, s } = this;
    const all = this.linear(x, s.width, 3 * s.width);
    if (s.qkv === "split") return m.ops("Split", [all], { axis: -1 }, 3).map((part) => this.byHeads(part, head));
    const bounds = (i: number) => [i * s.width, (i + 1) * s.width, -1].map((n) => m.ints([n]));
    if (s.qkv === "slices") return [0, 1, 2].map((i) => this.byHeads(m.op("Slice", [all, ...bounds(i)]), head));
    const apart = m.op("Reshape", [all, m.ints([0, 0, 3, s.heads, head])]);
    const turned = m.op("Transpose", [apart], { perm: [2, 0, 3, 1, 4] });
    if (s.qkv === "split heads")
      return m.ops("Split", [turned], { axis: 0 }, 3).map((part) => m.op("Squeeze", [part, m.ints([0])]));
    return [0, 1, 2].map((i) => m.op("Gather", [turned, this.index(i)], { axis: 0 }));
  }

  private separate(x: string, head: number): string[] {
    return [0, 1, 2].map(() => this.byHeads(this.linear(x, this.s.width, this.s.width), head));
  }

  private byHeads(x: string, head: number): string {
    const { m, s } = this;
    return m.op("Transpose", [m.op("Reshape", [x, m.ints([0, 0, s.heads, head])])], { perm: [0, 2, 1, 3] });
  }

  private linear(x: string, from: number, to: number): string {
    const product = this.m.op("MatMul", [x, this.weight([from, to], this.s.gain / Math.sqrt(from))]);
    return this.m.op("Add", [product, this.weight([to], 0.05)]);
  }

  private norm(x: string): string {
    const { m, s } = this;
    const [gamma, beta] = [this.weight([s.width], 0.1, 1), this.weight([s.width], 0.1)];
    if (s.norm === "operator") return m.op("LayerNormalization", [x, gamma, beta], { axis: -1 });
    const centred = m.op("Sub", [x, this.mean(x, -1, 1)]);
    const variance = this.mean(m.op("Pow", [centred, this.scalar(2)]), -1, 1);
    const deviation = m.op("Sqrt", [m.op("Add", [variance, this.scalar(1e-5)])]);
    return m.op("Add", [m.op("Mul", [m.op("Div", [centred, deviation]), gamma]), beta]);
  }

  private mean(x: string, axis: number, keepdims: 0 | 1): string {
    const { m } = this;
    return m.opset < 18
      ? m.op("ReduceMean", [x], { axes: [axis], keepdims })
      : m.op("ReduceMean", [x, m.ints([axis])], { keepdims });
  }

  private activation(x: string): string {
    const { m, s } = this;
    if (s.activation === "operator") return m.op("Gelu", [x]);
    const half = (gate: string) =>
      m.op("Mul", [m.op("Mul", [x, m.op("Add", [gate, this.scalar(1)])]), this.scalar(0.5)]);
    if (s.activation === "erf") return half(m.op("Erf", [m.op("Div", [x, this.scalar(Math.SQRT2)])]));
    const cube = m.op("Mul", [m.op("Pow", [x, this.scalar(3)]), this.scalar(0.044715)]);
    return half(m.op("Tanh", [m.op("Mul", [m.op("Add", [x, cube]), this.scalar(Math.sqrt(2 / Math.PI))])]));
  }

  private pool(x: string): string {
    return this.s.pooling === "mean" ? this.mean(x, 1, 0) : this.m.op("Gather", [x, this.index(0)], { axis: 1 });
  }

  private index(i: number): string {
    return this.m.once(`index ${i}`, () =>
      this.m.constant({ type: "int64", dims: [], bytes: new Uint8Array(BigInt64Array.of(BigInt(i)).buffer) }),
    );
  }
}

/** Pictures (or tokens) to feed it: standard normal numbers. */
export function pictures(style: VitStyle, batch: number, seed: number): { dims: number[]; values: number[] } {
  const s = { ...DEFAULTS, ...style };
  const side = s.size / s.patch;
  const dims = s.input === "tokens" ? [batch, side * side, s.width] : [batch, 3, s.size, s.size];
  return { dims, values: random(seed).normals(dims.reduce((n, d) => n * d, 1)) };
}
