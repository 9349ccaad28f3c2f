/** Small models with a map of rows and columns as their output: masks of queries, classes of cells, a depth. float32, dynamic batch. */
import { ModelWriter } from "../../../../test/support/model.js";
import { random } from "../../../../test/support/random.js";

export const SIDE = 3;
export const PIXELS = 6;
const [WIDTH, HEADS, N] = [8, 2, SIDE * SIDE];

/** Pictures [batch, 3, 6, 6] in patches of 2 x 2, blocks of attention, and a head. */
export class Dense extends ModelWriter {
  private seed = 1;
  constructor() {
    super({ opset: 17 });
  }
  weight = (...dims: number[]): string => {
    const count = dims.reduce((n, d) => n * d, 1);
    const fan = dims.length > 1 ? count / dims[dims.length === 4 ? 0 : 1]! : count;
    const values = random(this.seed++).normals(count);
    return this.weights(
      values.map((v) => (v * 1.5) / Math.sqrt(fan)),
      dims,
    );
  };
  linear = (x: string, to = WIDTH, from = WIDTH): string =>
    this.op("Add", [this.op("MatMul", [x, this.weight(from, to)]), this.weight(to)]);
  relu = (x: string): string => this.op("Relu", [x]);
  conv = (x: string, to: number, kernel: number, from = WIDTH): string =>
    this.op("Conv", [x, this.weight(to, from, kernel, kernel), this.weight(to)], {
      kernel_shape: [kernel, kernel],
      pads: [1, 1, 1, 1].map((p) => (kernel === 3 ? p : 0)),
    });

  /** [batch, 9, 8], with a class token in front where asked. */
  tokens(withClass = false): string {
    const x = this.input("pixel_values", "float32", ["batch", 3, PIXELS, PIXELS]);
    const cells = this.op("Conv", [x, this.weight(WIDTH, 3, 2, 2), this.weight(WIDTH)], {
      kernel_shape: [2, 2],
      strides: [2, 2],
    });
    const flat = this.op("Transpose", [this.op("Reshape", [cells, this.ints([0, WIDTH, -1])])], { perm: [0, 2, 1] });
    if (!withClass) return flat;
    const size = this.op("Shape", [flat]);
    const batch = this.op("Slice", [size, this.ints([0]), this.ints([1])]);
    const shape = this.op("Concat", [batch, this.ints([1, WIDTH])], { axis: 0 });
    return this.op("Concat", [this.op("Expand", [this.weight(1, 1, WIDTH), shape]), flat], { axis: 1 });
  }

  attention(from: string, over: string): string {
    const heads = (v: string) =>
      this.op("Transpose", [this.op("Reshape", [v, this.ints([0, -1, HEADS, WIDTH / HEADS])])], { perm: [0, 2, 1, 3] });
    const [q, k, v] = [this.linear(from), this.linear(over), this.linear(over)].map(heads);
    const scores = this.op("MatMul", [q!, this.op("Transpose", [k!], { perm: [0, 1, 3, 2] })]);
    const mixed = this.op("MatMul", [
      this.op("Softmax", [this.op("Mul", [scores, this.scalar(0.5)])], { axis: -1 }),
      v!,
    ]);
    return this.linear(
      this.op("Reshape", [this.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }), this.ints([0, -1, WIDTH])]),
    );
  }
  block = (x: string): string => this.op("Add", [x, this.attention(x, x)]);
  /** Tokens as a map [batch, 8, 3, 3]. */
  grid = (x: string): string =>
    this.op("Reshape", [this.op("Transpose", [x], { perm: [0, 2, 1] }), this.ints([0, WIDTH, SIDE, SIDE])]);
  dropClass = (x: string): string => this.op("Slice", [x, this.ints([1]), this.ints([2 ** 31]), this.ints([1])]);
  resize = (x: string, scale: number, mode = "linear"): string =>
    this.op("Resize", [x, undefined, this.weights([1, 1, scale, scale], [4])], { mode });
  /** To a size that the graph reads off the picture. */
  resizeLike(x: string, picture: string, coordinates = "half_pixel"): string {
    const channels = this.op("Slice", [this.op("Shape", [x]), this.ints([0]), this.ints([2])]);
    const size = this.op("Slice", [this.op("Shape", [picture]), this.ints([2]), this.ints([4])]);
    const sizes = this.op("Concat", [channels, size], { axis: 0 });
    return this.op("Resize", [x, undefined, undefined, sizes], {
      mode: "linear",
      coordinate_transformation_mode: coordinates,
    });
  }
  finish(y: string, dims: readonly (number | string)[]): Uint8Array {
    this.output(y, "float32", dims, "logits");
    return this.bytes();
  }
}

export const QUERIES = 4;

/** Queries [batch, 4, 8] that attended to the tokens. */
function queries(m: Dense, tokens: string): string {
  const size = m.op("Shape", [tokens]);
  const batch = m.op("Slice", [size, m.ints([0]), m.ints([1])]);
  const learned = m.op("Expand", [
    m.weight(1, QUERIES, WIDTH),
    m.op("Concat", [batch, m.ints([QUERIES, WIDTH])], { axis: 0 }),
  ]);
  const read = m.op("Add", [learned, m.attention(learned, tokens)]);
  return m.op("Add", [read, m.relu(m.linear(read))]);
}

/** What the factors of `maskHead("einsum over tokens")` say by themselves: numbers [batch, 9, 8] of cells, or [batch, 4, 8] of queries. */
export function factorOf(which: "cells" | "queries"): Uint8Array {
  const m = new Dense();
  const tokens = m.block(m.block(m.tokens()));
  const asked = m.linear(queries(m, tokens));
  if (which === "queries") return m.finish(asked, ["batch", QUERIES, WIDTH]);
  return m.finish(m.linear(tokens), ["batch", N, WIDTH]);
}

/** Masks [batch, 4, 6, 6] of queries that attended to the tokens: a product with the features of each cell. */
export function maskHead(spelling: "einsum" | "matmul" | "einsum over tokens"): Uint8Array {
  const m = new Dense();
  const tokens = m.block(m.block(m.tokens()));
  const asked = m.linear(queries(m, tokens));
  if (spelling === "einsum over tokens") {
    const masks = m.op("Einsum", [asked, m.linear(tokens)], { equation: "bqd,bnd->bqn" });
    return m.finish(m.op("Reshape", [masks, m.ints([0, QUERIES, SIDE, SIDE])]), ["batch", QUERIES, SIDE, SIDE]);
  }
  const cells = m.conv(m.relu(m.conv(m.resize(m.grid(tokens), 2), WIDTH, 3)), WIDTH, 1);
  if (spelling === "einsum")
    return m.finish(m.op("Einsum", [asked, cells], { equation: "bcd,bdhw->bchw" }), ["batch", QUERIES, PIXELS, PIXELS]);
  const masks = m.op("MatMul", [asked, m.op("Reshape", [cells, m.ints([0, WIDTH, -1])])]);
  return m.finish(m.op("Reshape", [masks, m.ints([0, QUERIES, PIXELS, PIXELS])]), ["batch", QUERIES, PIXELS, PIXELS]);
}

/** A depth [batch, rows, columns] fused of the tokens of two blocks, as DPT and Depth Anything have it. */
export function depthHead(style: DepthStyle = {}): Uint8Array {
  const { like = false, token = true, coordinates = "half_pixel", channel = false, last = "convolution" } = style;
  const m = new Dense();
  const first = m.block(m.tokens(token));
  const second = m.block(first);
  const stage = (x: string) => m.conv(m.grid(token ? m.dropClass(x) : x), WIDTH, 1);
  const fine = m.op("ConvTranspose", [stage(first), m.weight(WIDTH, WIDTH, 2, 2), m.weight(WIDTH)], {
    kernel_shape: [2, 2],
    strides: [2, 2],
  });
  const coarse = m.resize(m.conv(m.relu(m.conv(stage(second), WIDTH, 3)), WIDTH, 3), 2);
  const fused = m.op("Add", [fine, coarse]);
  const resized = (x: string) => (like ? m.resizeLike(x, "pixel_values", coordinates) : m.resize(x, 1.5));
  const numbers = (x: string) => m.op("Softplus", [m.conv(m.relu(m.conv(x, 4, 3)), 1, 1, 4)]);
  const depth = last === "convolution" ? numbers(resized(fused)) : resized(numbers(fused));
  const side = like ? PIXELS : 3 * SIDE;
  if (channel) return m.finish(depth, ["batch", 1, side, side]);
  return m.finish(m.op("Squeeze", [depth, m.ints([1])]), ["batch", side, side]);
}

export interface DepthStyle {
  /** Resized to the picture's own size, which the graph reads off it. */
  readonly like?: boolean;
  /** With a class token, which the head drops. */
  readonly token?: boolean;
  readonly coordinates?: string;
  /** Keeps the axis of the one channel. */
  readonly channel?: boolean;
  readonly last?: "convolution" | "resize";
}
