/** Small float64 transformers written by hand, that remember their attention. */
import { random } from "../../../../test/support/random.js";
import { tensorOf } from "../../src/tensor/tensor.js";
import type { SiteShape } from "./flow.js";
import { Sketch } from "./relevance.js";

export const BATCH = 2;
export const WIDTH = 4;
export const HEADS = 2;
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
export const draw = (count: number, seed: number): number[] => random(seed).normals(count);
export const hot = (n: number, at: number): number[] => range(n).map((i) => Number(i === at));

/** A model under construction: tokens [batch, n, width] and the sites passed so far. */
export class Transformer extends Sketch {
  readonly sites: SiteShape[] = [];
  private seed = 10;
  matrix = (from: number, to: number): string => this.fixed(draw(from * to, this.seed++), [from, to]);
  linear = (x: string, from = WIDTH, to = WIDTH): string => this.op("MatMul", [x, this.matrix(from, to)]);
  tokens = (n: number): string => this.data("x", [BATCH, n, WIDTH], draw(BATCH * n * WIDTH, 1));

  /** x + projection(attention(x)) over the second axis; the first axis is samples (and windows). */
  block(x: string, lead: number, n: number): string {
    return this.op("Add", [x, this.linear(this.attention(x, x, lead, n, n))]);
  }

  /** Multi-head attention of `queries` tokens over `keys` tokens; ends in [lead, queries, width]. */
  attention(from: string, over: string, lead: number, queries: number, keys: number): string {
    const heads = (v: string, n: number) =>
      this.op("Transpose", [this.op("Reshape", [v, this.ints([lead, n, HEADS, WIDTH / HEADS])])], {
        perm: [0, 2, 1, 3],
      });
    const [q, k, v] = [
      heads(this.linear(from), queries),
      heads(this.linear(over), keys),
      heads(this.linear(over), keys),
    ];
    const scores = this.op("MatMul", [q, this.op("Transpose", [k], { perm: [0, 1, 3, 2] })]);
    const name = `A${this.sites.length}`;
    this.op("Softmax", [this.op("Mul", [scores, this.real(0.7)])], { axis: -1 }, [name]);
    this.sites.push({ name, lead, heads: HEADS, queries, keys });
    const merged = this.op("Transpose", [this.op("MatMul", [name, v])], { perm: [0, 2, 1, 3] });
    return this.op("Reshape", [merged, this.ints([lead, queries, WIDTH])]);
  }

  mlp = (x: string): string => this.op("Add", [x, this.linear(this.op("Tanh", [this.linear(x)]))]);
  head = (x: string, from = WIDTH): string => this.linear(x, from, 3);
  index = (at: number): string => this.once(`at ${at}`, () => this.constant(tensorOf("int64", at)));
  token = (x: string, at: number): string => this.op("Gather", [x, this.index(at)], { axis: 1 });
  patches = (x: string, from: number): string =>
    this.op("Slice", [x, this.ints([from]), this.ints([99]), this.ints([1])]);
  mean = (x: string): string => this.op("ReduceMean", [x], { axes: [1], keepdims: 0 });
}
