import { type Diagnostic, diagnostic } from "../errors.js";
import { type Region, seenRegion } from "../flow/field.js";
import { patchGrid } from "../flow/patches.js";
import type { Metadata } from "../metadata.js";
import type { Completeness } from "../methods/drive.js";
import { type Stability, stabilityOf } from "./stability.js";
import { type Index, rowOf, valueAt } from "./target.js";
import { type Outputs, sizeOf, type Tensor, toFloat32 } from "./tensor.js";

/** Relevance laid out as the picture is: row by row, without the special tokens, which stand apart. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  /** Relevance of the leading special tokens (class, distillation, registers); empty for input methods. */
  readonly special: Float32Array;
  /** The part of the input's pixels that the patches see, and over which the grid lies; left out where that is all of them. */
  readonly region?: Region;
}

/** What a run may say beside the map itself. */
export interface Beside {
  readonly completeness?: readonly Completeness[];
  /** [batch, 2 + blocks], see relevance/stability.ts. */
  readonly stability?: Tensor;
}

/** What one run gave: the prediction, and which parts of the input it came from. */
export class Explanation {
  /** The same run by the further inputs that the model was compiled for, in their order. */
  readonly further: Explanation[] = [];

  constructor(
    readonly outputs: Outputs,
    readonly relevance: Tensor,
    readonly metadata: Metadata,
    /** The explained class of each sample; undefined where weights were given. */
    readonly targets: readonly Index[] | undefined,
    /** The shape of the explained input, which says the grid of models with a dynamic size. */
    readonly inputDims: readonly number[],
    private readonly beside: Beside = {},
  ) {}

  /** Of each sample, for methods that promise what a map adds up to (integrated gradients). */
  get completeness(): readonly Completeness[] | undefined {
    return this.beside.completeness;
  }

  /** How far float32 can be trusted with one sample's relevance; undefined where the model was not compiled to tell. */
  stability(sample = 0): Stability | undefined {
    return this.beside.stability && stabilityOf(this.beside.stability, sample);
  }

  /** The explained output, which is `logits` for most models. */
  get logits(): Tensor {
    return this.outputs[this.metadata.output]!;
  }

  get batch(): number {
    return this.relevance.dims[0] ?? 1;
  }

  /** The explanation by this input, where the model was compiled for it. */
  by(input: string): Explanation | undefined {
    return [this, ...this.further].find(({ metadata }) => metadata.explains === input);
  }

  /** Relevance of one sample as the method gave it, special tokens included. */
  toTokens(sample = 0): Float32Array {
    const size = sizeOf(this.relevance.dims.slice(1));
    return toFloat32(this.relevance).slice(sample * size, (sample + 1) * size);
  }

  /**
   * Why one sample's map explains nothing: E073 where the model's own answer is no number, E040 where a value of the map is not finite,
   * E041 where all of them are zero.
   */
  problem(sample = 0): Diagnostic | undefined {
    const answer = this.answerProblem(sample);
    if (answer) return answer;
    const values = this.toTokens(sample);
    const { method } = this.metadata;
    const odd = values.filter((v) => !Number.isFinite(v)).length;
    if (odd > 0) {
      const why = `${odd} of ${values.length} values of ${method} are not finite`;
      return diagnostic("E040", "", { why, try: "another method" });
    }
    if (values.length === 0 || values.some((v) => v !== 0)) return undefined;
    const why = `nothing of the target reaches the input by the rules of ${method}`;
    return diagnostic("E041", "", { why, try: "another target or another method" });
  }

  /** A class of minus infinity is one that the model rules out, unless it is the one that is explained. */
  private answerProblem(sample: number): Diagnostic | undefined {
    const own = rowOf(this.logits, sample);
    const index = this.targets?.[sample];
    const explained = index && valueAt(this.logits, sample, index);
    const odd = own.filter((v) => Number.isNaN(v) || v === Number.POSITIVE_INFINITY).length;
    if (odd === 0 && explained !== Number.NEGATIVE_INFINITY) return undefined;
    const at = `output "${this.metadata.output}"`;
    const why =
      odd > 0 ? `${odd} of ${own.length} values are NaN or infinite` : "the explained value is minus infinity";
    const hint =
      odd > 0 ? "look at the input, and run the file alone on it; float16 overflows easily" : "another target";
    return diagnostic("E073", "", { at, why, try: hint });
  }

  /** One sample's relevance as a picture; undefined for models that do not read pictures. */
  toGrid(sample = 0): Grid | undefined {
    const values = this.toTokens(sample);
    if (this.metadata.relevance.kind === "input") return this.pixels(values);
    const prefix = this.metadata.tokens?.prefix ?? 0;
    const [rows, columns] = this.gridSize() ?? [0, 0];
    if (rows * columns === 0 || prefix + rows * columns > values.length) return undefined;
    const size = pictureAxes(this.inputDims);
    const region = size && seenRegion(this.metadata.tokens!, [rows, columns], size);
    return {
      rows,
      columns,
      values: values.slice(prefix, prefix + rows * columns),
      special: values.slice(0, prefix),
      ...(region && { region }),
    };
  }

  private gridSize(): readonly [number, number] | undefined {
    const { tokens } = this.metadata;
    const size = pictureAxes(this.inputDims);
    return tokens?.grid ?? (tokens && size ? patchGrid(tokens, size) : undefined);
  }

  /** Input methods: channels are summed, as the authors do. */
  private pixels(values: Float32Array): Grid | undefined {
    const size = pictureAxes(this.inputDims);
    if (!size) return undefined;
    const { height, width, channels, channelsLast } = size;
    const summed = new Float32Array(height * width);
    for (let pixel = 0; pixel < summed.length; pixel++) {
      let sum = 0;
      for (let c = 0; c < channels; c++)
        sum += values[channelsLast ? pixel * channels + c : c * summed.length + pixel]!;
      summed[pixel] = sum;
    }
    return { rows: height, columns: width, values: summed, special: new Float32Array(0) };
  }
}

/** How a picture lies in a tensor of four axes; undefined for any other shape. */
export function pictureAxes(dims: readonly number[]) {
  if (dims.length !== 4) return undefined;
  const channelsLast = dims[1]! > 4 && dims[3]! <= 4;
  const [height, width, channels] = channelsLast ? [dims[1]!, dims[2]!, dims[3]!] : [dims[2]!, dims[3]!, dims[1]!];
  return { height, width, channels, channelsLast };
}
