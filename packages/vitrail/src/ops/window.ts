/**
 * Windows that slide over the spatial axes of [batch, channels, ...]: of convolutions and of pools. With extent d, stride s, reach
 * r = dilation · (kernel - 1) + 1 and padding a in front, e behind there are ⌊(d + a + e - r) / s⌋ + 1 of them (ONNX, Conv).
 */
import { fail } from "../errors.js";
import { flag, int, ints, text } from "../ir/attribute.js";
import { type Node, place, type Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import type { Shape } from "../tensor/shape.js";
import type { Builder } from "./builder.js";
import type { InferContext } from "./operator.js";
import { sliceDims } from "./part.js";

/** One entry per spatial axis. Padding is symbolic where `auto_pad` makes it depend on a symbolic extent. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** dilation · (kernel - 1) + 1 */
  readonly reach: readonly number[];
  readonly before: Shape;
  readonly after: Shape;
  readonly group: number;
  /** The last window may stick out behind. */
  readonly ceil: boolean;
}

type Head = InferContext["node"] | Node;

/** Kernel, strides and dilations, without padding. */
function frame(node: Head, kernel: Shape): Omit<Window, "before" | "after"> {
  if (!kernel.every((k) => typeof k === "number"))
    fail("E025", node.operator, {
      at: place(node as Node),
      node: node.source,
      why: "its kernel size is not known",
      try: "export with a fixed kernel size, or simplify the model with onnxslim",
    });
  const sizes = kernel as readonly number[];
  const strides = ints(node, "strides") ?? sizes.map(() => 1);
  const dilations = ints(node, "dilations") ?? sizes.map(() => 1);
  const reach = sizes.map((k, i) => dilations[i]! * (k - 1) + 1);
  return { kernel: sizes, strides, dilations, reach, group: int(node, "group", 1), ceil: flag(node, "ceil_mode") };
}

/** An even total is shared; of an odd one, the end gets one more with SAME_UPPER, the beginning with SAME_LOWER. */
function shared(totals: Shape, auto: string): Pick<Window, "before" | "after"> {
  const less = totals.map((t) => D.floorDivide(t, 2));
  const more = totals.map((t, i) => D.subtract(t, less[i]!));
  return auto === "SAME_LOWER" ? { before: more, after: less } : { before: less, after: more };
}

const given = (node: Head, n: number): Pick<Window, "before" | "after"> => {
  const pads = text(node, "auto_pad", "NOTSET") === "VALID" ? undefined : ints(node, "pads");
  const all = pads ?? new Array<number>(2 * n).fill(0);
  return { before: all.slice(0, n), after: all.slice(n) };
};

const isSame = (auto: string): boolean => auto === "SAME_UPPER" || auto === "SAME_LOWER";

/** The windows of a convolution or pool over the given spatial extents; SAME pads so that there are ⌈d / s⌉ of them. */
export function windowOf(node: Head, kernel: Shape, extents: Shape): Window {
  const w = frame(node, kernel);
  const auto = text(node, "auto_pad", "NOTSET");
  if (!isSame(auto)) return { ...w, ...given(node, kernel.length) };
  const totals = extents.map((d, i) => {
    const covered = D.add(D.multiply(D.add(D.ceilDivide(d, w.strides[i]!), -1), w.strides[i]!), w.reach[i]!);
    return D.maximum(D.subtract(covered, d), 0);
  });
  return { ...w, ...shared(totals, auto) };
}

/** How many windows there are along an axis of extent d. In ceil mode, each starts inside the input or the padding in front. */
export function windowCount(d: D.Dim, w: Window, i: number): D.Dim {
  const s = w.strides[i]!;
  const inFront = D.add(d, w.before[i]!);
  const room = D.subtract(D.add(inFront, w.after[i]!), w.reach[i]!);
  if (!w.ceil) return D.add(D.floorDivide(room, s), 1);
  return D.minimum(D.add(D.ceilDivide(room, s), 1), D.ceilDivide(inFront, s));
}

/**
 * The windows of a transposed convolution and the extents it makes: s (d - 1) + output_padding + r, less the padding. Where the
 * extents are given, or are s d with SAME, the padding follows.
 */
export function transposedWindow(node: Head, kernel: Shape, extents: Shape): { window: Window; made: Shape } {
  const w = frame(node, kernel);
  const auto = text(node, "auto_pad", "NOTSET");
  const extra = ints(node, "output_padding") ?? kernel.map(() => 0);
  const asked = ints(node, "output_shape")?.slice(-kernel.length);
  const full = extents.map((d, i) => D.add(D.multiply(D.add(d, -1), w.strides[i]!), w.reach[i]! + extra[i]!));
  if (!asked && !isSame(auto)) {
    const pads = given(node, kernel.length);
    const made = full.map((f, i) => D.subtract(f, D.add(pads.before[i]!, pads.after[i]!)));
    return { window: { ...w, ...pads }, made };
  }
  const wanted = asked ?? extents.map((d, i) => D.multiply(d, w.strides[i]!));
  const totals = full.map((f, i) => D.maximum(D.subtract(f, wanted[i]!), 0));
  const made = full.map((f, i) => D.subtract(f, totals[i]!));
  return { window: { ...w, ...shared(totals, auto === "SAME_UPPER" ? "SAME_UPPER" : "SAME_LOWER") }, made };
}

/** The attribute; a symbolic amount is left out. */
export const padsAttribute = ({ before, after }: Pick<Window, "before" | "after">): number[] =>
  [...before, ...after].map((p) => (typeof p === "number" ? p : 0));

/** What arrived at the windows, spread by the kernel over an input of the given spatial extents. */
export function spreadBack(b: Builder, dy: Value, kernel: Value, w: Window, extents: Shape): Value {
  const counts = b.shape(dy).slice(2);
  // Behind is cropped as much as leaves the extent; nothing where it is symbolic, `fitTo` then crops.
  const after = extents.map((d, i) => {
    const [o, before] = [counts[i]!, w.before[i]!];
    if (typeof d !== "number" || typeof o !== "number" || typeof before !== "number") return 0;
    return Math.max(0, (o - 1) * w.strides[i]! + w.reach[i]! - before - d);
  });
  const { strides, dilations, group } = w;
  const pads = padsAttribute({ before: w.before, after });
  return fitTo(b, b.emit("ConvTranspose", [dy, kernel], { strides, dilations, pads, group }), extents, w);
}

/**
 * Crops `v` in front by a symbolic padding, and pads or crops it behind to the given extents. Symbolic extents: a stride leaves a
 * remainder that is shorter than itself, so padding by that much and cutting is right for all of them.
 */
function fitTo(b: Builder, v: Value, extents: Shape, w: Window): Value {
  return extents.reduce<Value>((fitted, want, i) => {
    const axis = i + 2;
    const start = typeof w.before[i] === "number" ? 0 : w.before[i]!;
    const end = D.add(start, want);
    const have = b.shape(fitted)[axis]!;
    if (D.equal(have, want)) return fitted;
    const missing = D.subtract(end, have);
    const known = typeof missing === "number" ? missing : Math.max(0, w.strides[i]! - 1 - least(w.after[i]!));
    const long = known > 0 ? b.pad(fitted, axis, 0, known) : fitted;
    return start === 0 && missing === known && known >= 0 ? long : sliceDims(b, long, axis, start, end);
  }, v);
}
const least = (d: D.Dim): number => Math.max(0, D.least(d));
