/**
 * Makes nodes. Equal nodes are shared (hash-consing), every value knows its type and shape, and the few algebraic
 * identities that reverse passes produce all the time are applied here (transpose of a transpose, times one).
 */

import { fail } from "../errors.js";
import { type GivenAttributes, ints, typed } from "../ir/attribute.js";
import { type Form, type Node, numberOf, numbersOf, Value } from "../ir/graph.js";
import { broken, verify } from "../ir/verify.js";
import { add, type Dim, equal, solve, substitute, symbol } from "../tensor/dim.js";
import { type ElementType, elementTypeNumber, isFloat } from "../tensor/element-type.js";
import { Misfit, OverBudget } from "../tensor/misfit.js";
import { normalizeAxis, type Shape, sameShape } from "../tensor/shape.js";
import { elementCount, type Tensor, tensorOf } from "../tensor/tensor.js";
import { Extents } from "./extents.js";
import { type InferContext, type Inferred, type Operator, unknownOperator } from "./operator.js";

type Operand = Value | number;

export class Builder {
  /** Type of everything added in floating point: float64 for float64 models, else float32. */
  real: "float32" | "float64" = "float32";
  /** Pass and source node that new nodes are credited to. */
  pass = "";
  source = "";
  readonly nodes: Node[] = [];
  private readonly shared = new Map<string, readonly Value[]>();
  readonly extents = new Extents(this);
  private count = 0;
  private symbols = 0;

  /** Numbers of computed symbols that follow from what has to fit together for the model to run. */
  readonly learned = new Map<string, number>();

  /** @param known what an earlier reading of the same graph has learned */
  constructor(
    readonly opset: number,
    readonly operators: ReadonlyMap<string, Operator>,
    private readonly known: ReadonlyMap<string, number> = new Map(),
  ) {}

  /** What `make` builds is credited to a pass and to a node of the file; behind it, all is as it was. */
  in<T>(pass: string, source: string, make: () => T): T {
    const outer = [this.pass, this.source] as const;
    [this.pass, this.source] = [pass, source];
    try {
      return make();
    } finally {
      [this.pass, this.source] = outer;
    }
  }

  // ---- values and nodes

  value(type: ElementType, shape: Shape | undefined): Value {
    return new Value(this.count++, type, shape);
  }

  fresh = (hint: string): Dim => symbol(`${hint}#${this.symbols++}`);

  private equate = (a: Dim, c: Dim): void => {
    sameExtent(a, c);
    const found = typeof a === "number" ? solve(c, a) : typeof c === "number" ? solve(a, c) : undefined;
    if (found) this.learned.set(...found);
  };
  private settled = (dims: Shape): Shape => (this.known.size === 0 ? dims : dims.map((d) => substitute(d, this.known)));

  /** A node of its own (the original graph's); `emit` shares equal ones. */
  node(
    operator: string,
    inputs: readonly (Value | undefined)[],
    given: GivenAttributes,
    outputs: number,
    written?: Form,
  ): Value[] {
    const entry = this.operators.get(operator) ?? unknownOperator(operator);
    const attributes = typed(given);
    const head = { operator, inputs, attributes, source: this.source };
    const list = this.fitting(head, outputs);
    const dependent = inputs.some((v) => v?.dependent) && operator !== "Shape" && operator !== "Size";
    // What nobody knows is taken for data, so that it is reported where it matters instead of ending the path unseen.
    const carries = entry.role !== "opaque" || entry.gradient !== undefined || !this.operators.has(operator);
    const data = inputs.some((v) => v?.data) && carries;
    const values = list.map(({ type, shape, ints, number, ratio }) => {
      const v = this.value(type, shape && this.settled(shape));
      v.ints = ints && { dims: ints.dims, entries: this.settled(ints.entries) };
      v.number = number ?? scalarResult(entry, inputs, type);
      v.ratio = ratio && { over: substitute(ratio.over, this.known), by: ratio.by };
      v.dependent = dependent;
      v.data = data && isFloat(type);
      return v;
    });
    const node: Node = { ...head, written, outputs: values, pass: this.pass, order: this.count };
    for (const v of values) v.producer = node;
    this.nodes.push(node);
    return values;
  }

  /** What holds of a graph after every pass (ir/verify.ts), for all that the roots depend on. Nothing is learned from it. */
  verify(pass: string, roots: readonly Value[], inputs: Iterable<Value> = []): void {
    const fresh = (hint: string): Dim => symbol(`${hint}#?`);
    const infer = (node: Node) => this.inferred(node, node.outputs.length, fresh, sameExtent);
    verify(roots, { pass, inputs: new Set(inputs), infer });
  }

  /** In a pass, operands that do not fit are a mistake of ours; in the file, whoever reads it says so. */
  private fitting(node: InferContext["node"], outputs: number): readonly Inferred[] {
    try {
      return this.inferred(node, outputs, this.fresh, this.equate);
    } catch (error) {
      if (error instanceof Misfit && this.pass !== "") broken(this.pass, node, error.message);
      throw error;
    }
  }

  private inferred(
    node: InferContext["node"],
    outputs: number,
    fresh: InferContext["fresh"],
    equate: InferContext["equate"],
  ) {
    const entry = this.operators.get(node.operator) ?? unknownOperator(node.operator);
    const inferred = entry.infer({ node, outputs, opset: this.opset, fresh, equate });
    return Array.isArray(inferred) ? (inferred as readonly Inferred[]) : [inferred as Inferred];
  }

  emitAll(
    operator: string,
    inputs: readonly (Value | undefined)[],
    given: GivenAttributes = {},
    outputs = 1,
  ): readonly Value[] {
    const attributes = typed(given);
    const key = `${operator}(${inputs.map((v) => v?.id ?? "").join(",")})${JSON.stringify(attributes)}x${outputs}`;
    let values = this.shared.get(key);
    if (!values) {
      values = this.node(operator, inputs, attributes, outputs);
      this.shared.set(key, values);
    }
    return values;
  }

  emit(operator: string, inputs: readonly (Value | undefined)[], attributes: GivenAttributes = {}): Value {
    return this.emitAll(operator, inputs, attributes)[0]!;
  }

  constant(tensor: Tensor): Value {
    const key = `constant ${tensor.type} ${tensor.dims} ${tensor.bytes}`;
    let values = this.shared.get(key);
    if (!values) {
      const v = this.value(tensor.type, tensor.dims);
      v.constant = tensor;
      values = [v];
      this.shared.set(key, values);
    }
    return values[0]!;
  }

  scalar = (x: number): Value => this.constant(tensorOf(this.real, x));
  ints = (entries: readonly number[]): Value => this.constant(tensorOf("int64", entries));

  /** The value in the type that the added part computes in. */
  asReal(x: Value): Value {
    return isFloat(x.type) && x.type !== this.real ? this.cast(x, this.real) : x;
  }

  private operand = (x: Operand): Value => (typeof x === "number" ? this.scalar(x) : x);

  // ---- arithmetic

  add = (a: Operand, c: Operand): Value => this.emit("Add", [this.operand(a), this.operand(c)]);
  sub = (a: Operand, c: Operand): Value => this.emit("Sub", [this.operand(a), this.operand(c)]);
  div = (a: Operand, c: Operand): Value => this.emit("Div", [this.operand(a), this.operand(c)]);
  mul(a: Operand, c: Operand): Value {
    if (c === 1 || (typeof c !== "number" && numberOf(c) === 1 && c.shape?.length === 0)) return this.operand(a);
    return this.emit("Mul", [this.operand(a), this.operand(c)]);
  }
  neg = (x: Value): Value => this.mul(x, -1);
  abs = (x: Value): Value => this.emit("Abs", [x]);
  exp = (x: Value): Value => this.emit("Exp", [x]);
  log = (x: Value): Value => this.emit("Log", [x]);
  erf = (x: Value): Value => this.emit("Erf", [x]);
  tanh = (x: Value): Value => this.emit("Tanh", [x]);
  sigmoid = (x: Value): Value => this.emit("Sigmoid", [x]);
  sqrt = (x: Value): Value => this.emit("Sqrt", [x]);
  relu = (x: Value): Value => this.emit("Relu", [x]);
  square = (x: Value): Value => this.mul(x, x);
  /** -1, 0 or 1. Not by Sign, which shaders lack. */
  signOf(x: Value): Value {
    const [zero, one] = [this.scalar(0), this.scalar(1)];
    return this.sub(this.where(this.greater(x, 0), one, zero), this.where(this.greater(0, x), one, zero));
  }
  where = (condition: Value, a: Value, c: Value): Value => this.emit("Where", [condition, a, c]);
  greater = (a: Operand, c: Operand): Value => this.emit("Greater", [this.operand(a), this.operand(c)]);
  isZero = (x: Value): Value => this.emit("Equal", [x, x.type === "int64" ? this.ints([0]) : this.scalar(0)]);
  cast = (x: Value, to: ElementType): Value =>
    x.type === to ? x : this.emit("Cast", [x], { to: elementTypeNumber(to) });

  /** a / (z + 1e-9), the authors' guarded division; a numerator that vanishes with its denominator gives 0. */
  safeDivide = (a: Value, z: Value, unit = 1): Value => this.div(a, this.add(z, unit * 1e-9));

  sum(values: readonly Value[]): Value {
    return values.reduce((a, c) => this.add(a, c));
  }

  // ---- products

  matmul = (a: Value, c: Value): Value => this.emit("MatMul", [a, c]);

  /** Swaps the last two axes. */
  transposeLast(x: Value): Value {
    const rank = this.rank(x);
    return this.transpose(x, [...range(rank - 2), rank - 1, rank - 2]);
  }

  transpose(x: Value, perm: readonly number[]): Value {
    if (perm.every((p, i) => p === i)) return x;
    const node = x.producer;
    if (
      node?.operator === "Transpose" &&
      (x.name === undefined || node.inputs[0]!.name !== undefined || node.inputs[0]!.constant)
    ) {
      const inner = ints(node, "perm") ?? range(perm.length).reverse();
      return this.transpose(
        node.inputs[0]!,
        perm.map((p) => inner[p]!),
      );
    }
    return this.emit("Transpose", [x], { perm });
  }

  // ---- reductions

  reduce(
    operator: "ReduceSum" | "ReduceMean" | "ReduceMax",
    x: Value,
    axes: readonly number[],
    keepdims = true,
  ): Value {
    if (axes.length === 0) return x;
    const rank = this.rank(x);
    const sorted = [...new Set(axes.map((a) => normalizeAxis(a, rank)))].sort((a, c) => a - c);
    return this.emit(operator, [x], { axes: sorted, keepdims: keepdims ? 1 : 0 });
  }
  reduceSum = (x: Value, axes: readonly number[], keepdims = true): Value =>
    this.reduce("ReduceSum", x, axes, keepdims);
  reduceMean = (x: Value, axes: readonly number[], keepdims = true): Value =>
    this.reduce("ReduceMean", x, axes, keepdims);

  /** Sums a cotangent over the axes along which `target` was broadcast, so that it has the shape of `target`. */
  unbroadcast(dy: Value, target: Value): Value {
    const from = this.shape(dy);
    const to = this.shape(target);
    if (sameShape(from, to)) return dy;
    const lead = from.length - to.length;
    const certain = range(from.length).filter((i) => i < lead || (to[i - lead] === 1 && from[i] !== 1));
    const summed = this.reduceSum(
      dy,
      certain.filter((i) => i >= lead),
    );
    const dropped = lead > 0 ? this.reduceSum(summed, range(lead), false) : summed;
    const doubtful = to.some((d, i) => d !== 1 && !equal(d, from[i + lead]!) && typeof d !== "number");
    return doubtful ? this.sumWhereBroadcast(dropped, target) : dropped;
  }

  /** Where only the run time knows which axes were broadcast (two different symbols), they are found there. */
  private sumWhereBroadcast(dy: Value, target: Value): Value {
    if (this.opset < 13) return dy;
    const differs = this.emit("Not", [this.emit("Equal", [this.shapeOf(dy), this.shapeOf(target)])]);
    const axes = this.emit("Reshape", [this.emit("NonZero", [differs]), this.ints([-1])]);
    const [summed] = this.emitAll("ReduceSum", [dy, axes], { keepdims: 1, noop_with_empty_axes: 1 });
    return this.emit("Reshape", [summed, this.shapeOf(target)]);
  }

  // ---- shapes

  shape(x: Value): Shape {
    if (!x.shape)
      fail("E024", "", {
        at: `value "${x.name ?? x.producer?.source ?? x.id}"`,
        why: "its rank is not known, and the explanation needs it",
        try: "export the model with static axes, or simplify it with onnxslim",
      });
    return x.shape;
  }
  rank = (x: Value): number => this.shape(x).length;

  shapeOf = (x: Value): Value => this.emit("Shape", [x]);

  reshape(x: Value, dims: Shape): Value {
    if (x.shape && sameShape(x.shape, dims)) return x;
    const inner = x.producer?.operator === "Reshape" && x.name === undefined ? x.producer.inputs[0]! : x;
    if (inner !== x && inner.shape && sameShape(inner.shape, dims)) return inner;
    const reshaped = this.emit("Reshape", [inner, this.extents.forReshape(dims)]);
    return this.withShape(reshaped, dims);
  }

  /** `dy` in the shape of `x`. */
  reshapeLike(dy: Value, x: Value): Value {
    const dims = this.shape(x);
    const symbolic = dims.filter((d) => typeof d !== "number").length;
    if (dy.shape && sameShape(dy.shape, dims)) return dy;
    if (symbolic <= 1) return this.reshape(dy, dims);
    return this.withShape(this.emit("Reshape", [dy, this.shapeOf(x)]), dims);
  }

  /** Inference may know less than the caller (a -1, a shape read at run time): keeps the better shape. */
  private withShape(v: Value, dims: Shape): Value {
    if (v.name === undefined) v.shape = dims;
    return v;
  }

  unsqueeze = (x: Value, axes: readonly number[]): Value =>
    axes.length === 0 ? x : this.emit("Unsqueeze", [x], { axes });
  squeeze = (x: Value, axes: readonly number[]): Value => (axes.length === 0 ? x : this.emit("Squeeze", [x], { axes }));
  concat = (values: readonly Value[], axis: number): Value =>
    values.length === 1 ? values[0]! : this.emit("Concat", values, { axis });

  /** Elements [start, end) along one axis. */
  slice(x: Value, axis: number, start: number, end: number, step = 1): Value {
    return this.emit("Slice", [x, this.ints([start]), this.ints([end]), this.ints([axis]), this.ints([step])]);
  }

  /**
   * Pads along one axis, with zeros unless told otherwise: `before` and `after` may be symbolic. A known negative amount behind is a
   * Slice: not every evaluator takes negative amounts of a Pad.
   */
  pad(x: Value, axis: number, before: Dim, after: Dim, fill = 0): Value {
    if (before === 0 && after === 0) return x;
    if (typeof after === "number" && after < 0) return this.pad(this.slice(x, axis, 0, after), axis, before, 0, fill);
    const rank = this.rank(x);
    const at = (i: number): Dim => (i === axis ? before : i === axis + rank ? after : 0);
    const pads = range(2 * rank).map(at);
    const tensor = pads.every((p) => typeof p === "number")
      ? this.ints(pads as number[])
      : this.concat(
          pads.map((p) => this.extents.of(p)),
          0,
        );
    const dims = this.shape(x).map((d, i) => (i === axis ? add(d, add(before, after)) : d));
    return this.withShape(this.emit("Pad", fill === 0 ? [x, tensor] : [x, tensor, this.scalar(fill)]), dims);
  }

  /** Zeros in the shape of `x`. */
  zerosLike(x: Value): Value {
    const dims = this.shape(x);
    if (dims.every((d) => typeof d === "number")) return this.zeros(dims);
    return this.emit("Expand", [this.scalar(0), this.shapeOf(x)]);
  }
  zeros = (dims: Shape): Value => this.emit("Expand", [this.scalar(0), this.extents.tensorOf(dims)]);

  expand = (x: Value, dims: Shape): Value =>
    x.shape && sameShape(x.shape, dims) ? x : this.emit("Expand", [x, this.extents.tensorOf(dims)]);
}

function sameExtent(a: Dim, c: Dim): void {
  if (typeof a === "number" && typeof c === "number" && a !== c) throw new Misfit(`${a} against ${c}`);
}

/** More than any axis that is counted out here: a vocabulary has a quarter of it. */
const LONGEST_RANGE = 2 ** 20;

/** 0, 1, ... n - 1 */
export function range(n: number): number[] {
  if (n > LONGEST_RANGE) throw new OverBudget(`it counts to ${n}, and ${LONGEST_RANGE} is the most`);
  return Array.from({ length: n }, (_, i) => i);
}

/** Folds single-element floating-point constants through element-wise operators. */
function scalarResult(entry: Operator, inputs: readonly (Value | undefined)[], type: ElementType): number | undefined {
  if (!entry.scalar || !isFloat(type)) return undefined;
  const args = inputs.map((v) => (v && (numberOf(v) ?? (isSingle(v) ? numbersOf(v)?.[0] : undefined))) as number);
  return args.every((a) => a !== undefined) ? entry.scalar(...args) : undefined;
}
const isSingle = (v: Value): boolean =>
  v.constant !== undefined ? elementCount(v.constant.dims) === 1 : (v.ints?.entries.length ?? 0) === 1;
