import { ints, text } from "../ir/attribute.js";
import type { Node, Value } from "../ir/graph.js";
import * as D from "../tensor/dim.js";
import { readNumbers, tensorOf } from "../tensor/tensor.js";
import { type Builder, range } from "./builder.js";
import { counting } from "./indexing.js";
import { entriesOf, input } from "./infer.js";
import { defineOp, type Inferred, refuseGradient } from "./operator.js";

const numbers = (v: Value | undefined): readonly number[] | undefined =>
  v?.constant && v.constant.dims[0] !== 0 ? readNumbers(v.constant) : undefined;

export const Resize = defineOp("Resize", {
  role: "mean",
  infer: (c): Inferred => {
    const x = input(c, 0);
    const sizes = entriesOf(c.node.inputs[3]);
    const scales = numbers(c.node.inputs[2]);
    const axes = ints(c.node, "axes");
    if (!x.shape) return { type: x.type, shape: undefined };
    const shape = x.shape.map((d, i) => {
      const at = axes ? axes.indexOf(i) : i;
      if (at < 0) return d;
      if (sizes && sizes.length > 0) return sizes[at]!;
      const factor = scales?.[at];
      if (factor === undefined) return c.fresh("resized");
      if (Number.isInteger(factor)) return D.multiply(d, factor);
      if (typeof d === "number") return Math.floor(d * factor);
      return Number.isInteger(1 / factor) ? D.floorDivide(d, 1 / factor) : c.fresh("resized");
    });
    return { type: x.type, shape };
  },
  gradient: ({ node, x: [x], y: [y], dy, b }) => {
    const [from, to] = [b.shape(x!), b.shape(y!)];
    let back = dy;
    for (const axis of range(from.length))
      if (!D.equal(from[axis]!, to[axis]!)) back = pullAxis(b, node, back, axis, from[axis]!, to[axis]!);
    return [back];
  },
});

/** Mᵀ along one axis, where M is what the same Resize makes of the identity matrix. */
export function pullAxis(b: Builder, node: Node, dy: Value, axis: number, from: D.Dim, to: D.Dim): Value {
  if (text(node, "coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize")
    refuseGradient(node, "tf_crop_and_resize is not covered");
  const { axes: _, ...attributes } = node.attributes;
  const index = counting(b, from);
  const identity = b.cast(b.emit("Equal", [b.unsqueeze(index, [1]), index]), b.real);
  const sizes = b.concat([b.ints([1, 1]), b.extents.of(to), b.extents.of(from)], 0);
  const square = b.unsqueeze(identity, [0, 1]);
  const none = b.opset < 13 ? b.constant(tensorOf("float32", [])) : undefined;
  const resized = b.emit("Resize", [square, none, none, sizes], attributes);
  const matrix = b.squeeze(resized, [0, 1]);
  const rank = b.rank(dy);
  const last = [...range(rank).filter((i) => i !== axis), axis];
  const moved = b.matmul(b.transpose(dy, last), matrix);
  return b.transpose(
    moved,
    range(rank).map((i) => last.indexOf(i)),
  );
}
