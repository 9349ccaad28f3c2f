/**
 * Which inputs have a row for every sample, and how many rows fit into one run: one sample under many masks is one batch. Inputs
 * that all samples share (the texts that a picture is compared with) are fed whole.
 */
import type { Findings } from "./load.js";
import { type Feeds, sizeOf, type Tensor } from "./tensor.js";

export class Rows {
  private readonly own: ReadonlySet<string>;
  /** The batch that the model is fixed to. */
  private readonly fixed: number | undefined;

  constructor({ inputs, outputs, metadata }: Findings) {
    const explained = inputs.find(({ name }) => name === metadata.explains)!;
    const [batch] = explained.dims;
    const classes = outputs.find(({ name }) => name === metadata.output)?.dims.slice(1) ?? [];
    // Where one name stands for both axes of [pictures, texts], only what has all axes of the explained input goes with it.
    const ambiguous = typeof batch === "string" && classes.includes(batch);
    const alike = inputs.filter(({ dims }) =>
      ambiguous ? String(dims) === String(explained.dims) : dims.length > 0 && dims[0] === batch,
    );
    this.own = new Set([metadata.explains, ...alike.map(({ name }) => name)]);
    this.fixed = typeof batch === "number" ? batch : undefined;
  }

  /** At most `wanted` rows in one run. */
  limit = (wanted: number): number => Math.min(wanted, this.fixed ?? wanted);

  /** What one sample is fed with. */
  sample(feeds: Feeds, i: number): Feeds {
    return this.each(feeds, (t) => {
      const size = sizeOf(t.dims.slice(1));
      return { type: t.type, dims: [1, ...t.dims.slice(1)], data: t.data.slice(i * size, (i + 1) * size) };
    });
  }

  /** The sample in `count` rows, `given` in place of some of its inputs; a fixed batch is filled with its last row. */
  repeat(sample: Feeds, count: number, given: Readonly<Record<string, readonly Tensor[]>>): Feeds {
    const rows = this.fixed ?? count;
    const stacked = Object.entries(given).map(([name, tensors]) => [
      name,
      stack(Array.from({ length: rows }, (_, i) => tensors[Math.min(i, count - 1)]!)),
    ]);
    const repeated = this.each(sample, (t) => stack(Array.from({ length: rows }, () => t)));
    return { ...repeated, ...Object.fromEntries(stacked) };
  }

  /** Rows of a run, those that fill it up included. */
  run = (count: number): number => this.fixed ?? count;

  private each(feeds: Feeds, change: (tensor: Tensor) => Tensor): Feeds {
    return Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [name, this.own.has(name) ? change(tensor) : tensor]),
    );
  }
}

function stack(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (tensors.length === 1) return first!;
  const { type, dims, data } = first!;
  const out = new (data.constructor as new (length: number) => Tensor["data"])(data.length * tensors.length);
  for (const [i, each] of tensors.entries()) (out as Float32Array).set(each.data as Float32Array, i * data.length);
  return { type, dims: [tensors.length, ...dims.slice(1)], data: out };
}
