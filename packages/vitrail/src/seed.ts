/** The start of every pass: one at the target, zero elsewhere, in the shape of the explained output. */
import type { Value } from "./ir/graph.js";
import { type Builder, range } from "./ops/builder.js";
import { counting } from "./ops/indexing.js";
import { product } from "./tensor/dim.js";

export type TargetMode = "index" | "weights" | "predicted";

/** The new graph input, where the mode has one. */
export function targetInput(b: Builder, mode: TargetMode, output: Value): Value | undefined {
  if (mode === "predicted") return undefined;
  const shape = b.shape(output);
  const input =
    mode === "weights"
      ? b.value("float32", shape)
      : b.value("int64", shape.length <= 2 ? [shape[0] ?? 1] : [shape[0]!, shape.length - 1]);
  return input;
}

/** `target` with a leading axis of its own extent. */
export function severalOf(b: Builder, target: Value): Value {
  const several = b.value(target.type, [b.extents.unused("targets"), ...b.shape(target)]);
  b.extents.register(several);
  return several;
}

export function seedOf(b: Builder, mode: TargetMode, output: Value, target: Value | undefined): Value {
  b.pass = "seed";
  b.source = output.name ?? "";
  if (mode === "weights") return b.asReal(target!);
  return mode === "index" ? indexSeed(b, output, target!) : predictedSeed(b, output);
}

/** Product over the axes after the batch of one-hot vectors. */
function indexSeed(b: Builder, output: Value, target: Value): Value {
  const shape = b.shape(output);
  if (shape.length === 1) return b.add(b.mul(b.asReal(output), 0), 1);
  const hots = range(shape.length - 1).map((i) => {
    const axis = i + 1;
    const index = b.rank(target) === 1 ? b.unsqueeze(target, [1]) : b.slice(target, 1, i, i + 1);
    const hot = b.cast(b.emit("Equal", [index, counting(b, shape[axis]!)]), b.real);
    return b.unsqueeze(
      hot,
      range(shape.length).filter((a) => a !== 0 && a !== axis),
    );
  });
  return hots.reduce((a, c) => b.mul(a, c));
}

/** One-hot at the arg-max over everything after the batch. */
function predictedSeed(b: Builder, output: Value): Value {
  const shape = b.shape(output);
  const flat = b.reshape(output, [shape[0]!, product(shape.slice(1))]);
  const best = b.emit("ArgMax", [flat], { axis: 1, keepdims: 1 });
  const hot = b.cast(b.emit("Equal", [best, counting(b, product(shape.slice(1)))]), b.real);
  return b.reshapeLike(hot, output);
}
