/**
 * Relevance rules: functions over an operator's gradient. A rule sees the inputs x, the output y, the relevance R that
 * arrived, and pulls it back with `vjp`; it never sees an operator's name. The result has one entry per input.
 */
import { dataInputs, type Node, type Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import type { ElementType } from "../tensor/element-type.js";

export interface RuleContext {
  readonly node: Node;
  readonly x: readonly Value[];
  readonly y: Value;
  readonly R: Value;
  readonly Rs: readonly (Value | undefined)[];
  readonly b: Builder;
  /** Which inputs carry data. */
  readonly data: readonly boolean[];
  /** Which inputs a result is asked for. */
  readonly wants: readonly boolean[];
  /** Pulls cotangents of the outputs back to the inputs, optionally evaluated at other inputs. */
  readonly vjp: (dy: Value | readonly (Value | undefined)[], x?: readonly Value[]) => readonly (Value | undefined)[];
  /** The same operator at other inputs. */
  readonly at: (x: readonly Value[]) => Value;
  /** Sum over all of a sample's elements (with `compat`, of the batch's), broadcastable against R. */
  readonly sampleSum: (v: Value) => Value;
  /** R / z, guarded (divide.ts). `unit` scales the guard where z itself was scaled. */
  readonly divide: (R: Value, z: Value, unit?: number) => Value;
  /** Product of the scalar constants that were multiplied into an operand before. */
  readonly scalarOf: (input: number) => number;
  /** How many inputs one output of a linear layer sums over, where it is known. */
  readonly fanIn: number | undefined;
  /** Whether the data cannot be zero in most of the layer's inputs: they come straight from a norm or from an attention. */
  readonly isDense: boolean;
  /** y + bias, where the file computes that sum in the precision of the rules. */
  readonly biased: Biased | undefined;
}

export interface Biased {
  readonly sum: Value;
  readonly bias: Value;
}

export type RelevanceRule = (context: RuleContext) => readonly (Value | undefined)[];

/** R unchanged to the data side, summed where it was broadcast. */
export const identity =
  (): RelevanceRule =>
  ({ x, R, b, wants }) =>
    x.map((v, i) => (wants[i] ? b.unbroadcast(R, v) : undefined));

/** By index: the vjp of the operator applied to R itself. */
export const route =
  (): RelevanceRule =>
  ({ Rs, vjp }) =>
    vjp(Rs);

/** R_x = x · vjp(R / y). */
export const gradientTimesInput =
  (): RelevanceRule =>
  ({ x, y, R, b, vjp, divide, wants }) =>
    vjp(divide(R, y)).map((g, i) => (g && wants[i] ? b.mul(x[i]!, g) : undefined));

/**
 * As above for a product of data, each factor getting `share` of it. Scalar constants that were multiplied into an operand (1/√d)
 * are no part of the product, so the guard is scaled with them: R / (y/c + 1e-9) / c.
 */
export const productRule =
  (share: number): RelevanceRule =>
  ({ x, y, R, b, vjp, divide, wants, scalarOf }) => {
    const c = Math.abs(x.reduce((n, _, i) => n * scalarOf(i), 1));
    // A constant right behind a product costs the runtime nothing: it becomes the product's own factor.
    return vjp(divide(R, y, c)).map((g, i) => (g && wants[i] ? b.mul(x[i]!, b.mul(g, share)) : undefined));
  };

/** A gate a · b hands half of its relevance to each side. */
export const halves =
  (): RelevanceRule =>
  ({ x, R, b, wants }) =>
    x.map((v, i) => (wants[i] ? b.unbroadcast(b.mul(R, 0.5), v) : undefined));

/**
 * z+ with one denominator (Chefer et al. 2021, eq. 7; the authors' layers_ours.py, Linear with alpha = 1):
 * Z = x⁺W⁺ + x⁻W⁻, R_x = x⁺ (R/Z W⁺ᵀ) + x⁻ (R/Z W⁻ᵀ).
 *
 * With x⁺W⁺ + x⁻W⁻ = (xW + |x||W|) / 2 the forward product is used again and one product is saved; the halves of Z and of the
 * way back cancel. Where few inputs meet, Z may be exactly 0, and only the parts themselves show that.
 */
export const zPlus = (): RelevanceRule => (c) =>
  c.fanIn !== undefined && c.fanIn < 32 ? zPlusByParts(c) : zPlusByMagnitude(c);

const zPlusByMagnitude: RelevanceRule = (c) => {
  const { x, y, R, b, at, vjp, data, biased } = c;
  const i = data.indexOf(true);
  const magnitude = x.map((v) => b.abs(v));
  const all = at(magnitude);
  const Z = biased ? b.add(biased.sum, b.add(all, withoutBias(b, biased.bias))) : b.add(b.add(y, all), 2e-9);
  const quotient = b.div(R, Z);
  const S = c.isDense ? quotient : b.where(b.greater(Z, uncertain(c, all)), quotient, b.scalar(0));
  const [straight, absolute] = [vjp(S)[i]!, vjp(S, magnitude)[i]!];
  return x.map((v, k) => (k === i ? b.add(b.mul(v, straight), b.mul(magnitude[k]!, absolute)) : undefined));
};

/**
 * What takes the bias out of a sum again, all but its last bit: that is the guard of a row of zeros, or 1e-30 where there is no
 * bias. The sum is kept for what comes behind the layer anyway, so that the product itself need not be.
 */
function withoutBias(b: Builder, bias: Value): Value {
  const lastBit = b.real === "float64" ? 2 ** -52 : 2 ** -23;
  return b.sub(1e-30, b.mul(bias, 1 - lastBit));
}

/**
 * Where every product is negative, y and |x||W| cancel, and what is left of Z is what rounding left of them: below so much of
 * what was added up, nothing speaks for the output, and its relevance is lost, as with the authors' own guard.
 */
function uncertain({ b, node, biased }: RuleContext, all: Value): Value {
  const part = ROUNDING[node.outputs[0]!.type] ?? ROUNDING.float32!;
  const noise = b.mul(all, part);
  return biased ? b.add(noise, b.mul(b.abs(biased.bias), part)) : noise;
}

/** A hundred units in the last place for a sum of many products in that type; four where a sum was rounded to the type. */
const ROUNDING: Partial<Record<ElementType, number>> = {
  float64: 2 ** -45,
  float32: 2 ** -16,
  float16: 2 ** -9,
  bfloat16: 2 ** -6,
};

const zPlusByParts: RelevanceRule = ({ x, R, b, at, vjp, data }) => {
  const i = data.indexOf(true);
  const positive = x.map((v) => b.relu(v));
  const negative = x.map((v, k) => b.sub(v, positive[k]!));
  const S = b.safeDivide(R, b.add(at(positive), at(negative)));
  const [up, down] = [vjp(S, positive)[i]!, vjp(S, negative)[i]!];
  return x.map((_, k) => (k === i ? b.add(b.mul(positive[k]!, up), b.mul(negative[k]!, down)) : undefined));
};

/**
 * The authors' normalised addition (eq. 9 and layers_ours.py, Add): each branch's relevance a R/(a+b) is rescaled so that the
 * branches share the total T in proportion to the size of their sums A and B, per sample: times |A|/(|A|+|B|) · T/A.
 */
export const balanceBranches =
  (): RelevanceRule =>
  ({ node, x, y, R, b, wants, divide, sampleSum }) => {
    const S = divide(R, y);
    const sign = node.operator === "Sub" ? [1, -1] : [1, 1];
    const parts = x.map((v, i) => b.mul(b.mul(v, sign[i]!), S));
    const sums = parts.map(sampleSum);
    const total = sampleSum(R);
    const spread = b.add(b.sum(sums.map((s) => b.abs(s))), 1e-9);
    return parts.map((part, i) => {
      if (!wants[i]) return undefined;
      const share = b.div(b.mul(b.abs(sums[i]!), total), b.mul(spread, b.add(sums[i]!, 1e-9)));
      return b.unbroadcast(b.mul(part, share), x[i]!);
    });
  };

/**
 * z+ with two denominators (the authors' layers_lrp.py, Linear and Conv2d with alpha = 1): each half hands on all of R,
 * R_x = x⁺ (R / x⁺W⁺) W⁺ᵀ + x⁻ (R / x⁻W⁻) W⁻ᵀ. Relevance about doubles at every layer: a baseline, not a conserving rule.
 */
export const zPlusApart =
  (): RelevanceRule =>
  ({ x, R, b, at, vjp, data }) => {
    const i = data.indexOf(true);
    const positive = x.map((v) => b.relu(v));
    const negative = x.map((v, k) => b.sub(v, positive[k]!));
    const halves = [positive, negative].map((half) => b.mul(half[i]!, vjp(b.safeDivide(R, at(half)), half)[i]!));
    return x.map((_, k) => (k === i ? b.sum(halves) : undefined));
  };

/**
 * z^B where a layer reads a picture, whose pixels are bounded (Montavon et al. 2017; the authors' Conv2d for 3 channels):
 * Z = xW - lW⁺ - hW⁻ with l and h the sample's least and greatest pixel, R_x = x (SWᵀ) - l (SW⁺ᵀ) - h (SW⁻ᵀ), S = R / Z.
 */
export const boundedPicture =
  (otherwise: RelevanceRule): RelevanceRule =>
  (c) => {
    const { node, x, y, R, b, at, vjp, data } = c;
    const i = data.indexOf(true);
    if (!readsPicture(node)) return otherwise(c);
    const axes = b.shape(x[i]!).map((_, axis) => axis);
    const extreme = (sign: 1 | -1) => {
      const bound = b.mul(b.reduce("ReduceMax", b.mul(x[i]!, sign), axes.slice(1)), sign);
      return b.expand(bound, b.shape(x[i]!));
    };
    const positive = x.map((v, k) => (k === i ? extreme(-1) : b.relu(v)));
    const negative = x.map((v, k) => (k === i ? extreme(1) : b.sub(v, b.relu(v))));
    const S = b.safeDivide(R, b.sub(b.sub(y, at(positive)), at(negative)));
    const [own, low, high] = [x, positive, negative].map((v) => b.mul(v[i]!, vjp(S, v)[i]!));
    return x.map((_, k) => (k === i ? b.sub(b.sub(own!, low!), high!) : undefined));
  };

/** True where the layer's data is an input with channels, rows and columns, as it was fed or rearranged. */
function readsPicture(node: Node): boolean {
  const rearranging = new Set(["Reshape", "Transpose", "Cast", "Squeeze", "Unsqueeze", "Slice", "Pad"]);
  const operands = dataInputs(node);
  let at: Value | undefined = operands.length === 1 ? operands[0] : undefined;
  while (at?.producer && rearranging.has(at.producer.operator)) at = dataInputs(at.producer)[0];
  return at !== undefined && !at.producer && at.rank === 4 && !at.lookup;
}

/**
 * Data plus a constant. One that is a vector along a single axis is a bias and gets nothing; one that differs from token to
 * token (positions) takes the share that the rule of additions gives it, which is dropped.
 */
export const shareWithConstant =
  (rule: RelevanceRule): RelevanceRule =>
  (c) => {
    const { node, data } = c;
    const constant = node.inputs[1 - data.indexOf(true)];
    const isSum = (node.operator === "Add" || node.operator === "Sub") && node.inputs.length === 2;
    const table = (constant?.shape?.filter((d) => d !== 1).length ?? 0) > 1;
    return isSum && table && !constant?.dependent ? rule(c) : identity()(c);
  };
