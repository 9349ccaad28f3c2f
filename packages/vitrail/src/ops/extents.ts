/** Reads sizes that only the run knows: where each symbolic dimension stands in a shape, and shape tensors made of them. */
import { fail } from "../errors.js";
import type { Value } from "../ir/graph.js";
import { type Computed, computedBy, type Dim, least, Poly, symbol } from "../tensor/dim.js";
import type { Shape } from "../tensor/shape.js";
import type { Builder } from "./builder.js";

export class Extents {
  /** Where each symbolic dimension can be read. */
  private readonly places = new Map<string, { value: Value; axis: number }>();

  constructor(private readonly b: Builder) {}

  /** A symbol by this name, or one like it that no visible value has. */
  unused(name: string): Dim {
    return this.places.has(name) ? this.unused(`${name}_`) : symbol(name);
  }

  /** Remembers where symbolic extents can be read; called for every visible value. */
  register(value: Value): void {
    value.shape?.forEach((d, axis) => {
      if (typeof d !== "number" && !this.places.has(d.key)) this.places.set(d.key, { value, axis });
    });
  }

  /** One dimension as an int64 vector of length 1, read from the graph where it is symbolic. */
  of(d: Dim): Value {
    const value = this.read(d);
    if (!value)
      fail("E024", "", {
        at: `dimension ${d}`,
        why: "no value of the graph shows it at run time",
        try: "export the model with a fixed size of its input, or simplify it with onnxslim",
      });
    return value;
  }

  /** Whether a Reshape can be told these dimensions: it finds out one by itself, the others must be read from the graph. */
  canReshapeTo(dims: Shape): boolean {
    const unknown = dims.filter((d) => typeof d !== "number");
    return unknown.length <= 1 || unknown.every((d) => this.read(d) !== undefined);
  }

  private read(d: Dim): Value | undefined {
    if (typeof d === "number") return this.b.ints([d]);
    const found = this.places.get(d.key);
    if (found) return this.b.emit("Gather", [this.b.shapeOf(found.value), this.b.ints([found.axis])], { axis: 0 });
    const lone = d.terms.length === 1 && d.terms[0]!.coefficient === 1 && d.terms[0]!.symbols.length === 1;
    const made = lone ? computedBy(d.terms[0]!.symbols[0]!) : undefined;
    if (lone) return made && this.computed(made);
    const terms = d.terms.map(({ coefficient, symbols }) => {
      const factors = symbols.map((s) => this.read(new Poly([{ coefficient: 1, symbols: [s] }])));
      return combined(factors, (a, c) => this.b.emit("Mul", [a, c]), this.b.ints([coefficient]));
    });
    return combined(terms, (a, c) => this.b.emit("Add", [a, c]));
  }

  /** Below opset 12 the extrema of integers are a choice. */
  private computed({ function: f, args }: Computed): Value | undefined {
    const [a, c] = args.map((part) => this.read(part));
    if (!a || !c) return undefined;
    // Integers divide towards zero.
    if (f === "floor")
      return this.b.emit("Div", [least(args[0]) >= 0 ? a : this.b.emit("Sub", [a, this.b.emit("Mod", [a, c])]), c]);
    return this.b.emit("Where", [this.b.emit("Less", f === "min" ? [a, c] : [c, a]), a, c]);
  }

  /** A shape tensor of the given dimensions. */
  tensorOf(dims: Shape): Value {
    if (dims.every((d) => typeof d === "number")) return this.b.ints(dims);
    return this.b.concat(
      dims.map((d) => this.of(d)),
      0,
    );
  }

  /** The same for a Reshape, which finds out one of them by itself. */
  forReshape(dims: Shape): Value {
    const unknown = dims.filter((d) => typeof d !== "number").length;
    return unknown === 1 ? this.b.ints(dims.map((d) => (typeof d === "number" ? d : -1))) : this.tensorOf(dims);
  }
}

/** All of them together, where all are there. */
function combined(
  values: readonly (Value | undefined)[],
  both: (a: Value, c: Value) => Value,
  first?: Value,
): Value | undefined {
  if (!values.every((v) => v !== undefined)) return undefined;
  return first ? values.reduce(both, first) : values.reduce(both);
}
