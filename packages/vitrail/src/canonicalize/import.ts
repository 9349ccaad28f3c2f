/**
 * ModelProto -> graph. Operators of every opset and domain become one canonical form; fused operators, model-local functions
 * and resolved branches are taken apart, and what the file itself computes stays visible under its name.
 */
import { clone, create } from "@bufbuild/protobuf";
import { fail, VitrailError } from "../errors.js";
import { guardedNode } from "../guard.js";
import { type Attribute, type Attributes, int, required } from "../ir/attribute.js";
import { readAttributes } from "../ir/attribute-proto.js";
import { numbersOf, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import { checkModel, namesOf } from "../onnx/check.js";
import type { FunctionProto, GraphProto, ModelProto, NodeProto, ValueInfoProto } from "../onnx/generated/onnx_pb.js";
import { AttributeProtoSchema, NodeProtoSchema } from "../onnx/generated/onnx_pb.js";
import { readTensor } from "../onnx/tensor-proto.js";
import { Builder } from "../ops/builder.js";
import { checkOperands } from "../ops/operands.js";
import type { Operator } from "../ops/operator.js";
import { operators } from "../ops/registry.js";
import { type Dim, symbol, symbolsOf } from "../tensor/dim.js";
import { elementTypeOf, isFloat } from "../tensor/element-type.js";
import type { Shape } from "../tensor/shape.js";
import { saturate, type Tensor, tensorOf } from "../tensor/tensor.js";
import { fixedExtents } from "./fixed-extents.js";
import type { ModelGraph } from "./model-graph.js";
import { sortNodes } from "./sort.js";

/** Names in scope. Inner scopes (branches, functions) see the outer ones; only the outermost names are visible to a patch. */
class Scope {
  private readonly values = new Map<string, Value>();
  constructor(
    private readonly outer?: Scope,
    readonly visible = outer === undefined,
  ) {}
  get(name: string): Value | undefined {
    return this.values.get(name) ?? this.outer?.get(name);
  }
  set(name: string, value: Value): void {
    this.values.set(name, value);
  }
  names(): Set<string> {
    return new Set([...this.values.keys(), ...(this.outer?.names() ?? [])]);
  }
}

/** What one reading learns of the sizes, the next one knows from the start: a window that is a minimum of sizes, yet always 4. */
export function importModel(model: ModelProto, own: readonly Operator[] = []): ModelGraph {
  checkModel(model);
  const known = new Map<string, number>();
  for (let reading = 1; ; reading++) {
    const graph = read(model, known, withOwn(own));
    const open = new Set([...graph.inputs.values()].flatMap((v) => v.shape?.flatMap(symbolsOf) ?? []));
    const found = [...graph.builder.learned, ...fixedExtents(graph.builder.nodes, open)];
    const news = found.filter(([name]) => !known.has(name));
    if (news.length === 0 || reading === MOST_READINGS) return graph;
    for (const [name, value] of news) known.set(name, value);
  }
}
/** Two are needed where anything is learned, three where that shows more. */
const MOST_READINGS = 4;

/** The table, with operators of the caller's own before those of the same name. */
const withOwn = (own: readonly Operator[]): ReadonlyMap<string, Operator> =>
  own.length === 0 ? operators : new Map([...operators, ...own.map((o) => [o.name, o] as const)]);

function read(model: ModelProto, known: ReadonlyMap<string, number>, table: ReadonlyMap<string, Operator>): ModelGraph {
  const graph = model.graph!;
  const opset = saturate(model.opsetImport.find((o) => o.domain === "" || o.domain === "ai.onnx")?.version ?? 17n);
  if (opset < 11)
    fail("E025", `opset ${opset}`, {
      why: "operator sets below 7 broadcast by rules of their own",
      try: "convert the model with onnx.version_converter, or export it again",
    });
  const builder = new Builder(opset, table, known);
  if (usesOnlyDoubles(graph)) builder.real = "float64";
  const importer = new Importer(builder, opset, model.functions, known);
  const scope = new Scope();
  importer.constants(graph, scope);
  const inputs = new Map<string, Value>();
  for (const info of graph.input) {
    if (scope.get(info.name)) continue;
    const value = importer.input(info);
    scope.set(info.name, value);
    inputs.set(info.name, value);
  }
  importer.nodes(graph.node, scope);
  const outputs = new Map<string, Value>();
  for (const { name } of graph.output) {
    const value = scope.get(name);
    if (value) outputs.set(name, value);
  }
  return { inputs, outputs, builder, opset, nodeCount: graph.node.length, names: namesOf(model) };
}

/** Inputs and outputs as they are declared, without a look at the nodes. */
export function declaredGraph(model: ModelProto): ModelGraph {
  const graph = model.graph!;
  const opset = saturate(model.opsetImport.find((o) => o.domain === "" || o.domain === "ai.onnx")?.version ?? 17n);
  const builder = new Builder(opset, operators, new Map());
  const importer = new Importer(builder, opset, model.functions, new Map());
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const values = (infos: readonly ValueInfoProto[]) => new Map(infos.map((info) => [info.name, importer.input(info)]));
  const outputs = graph.output.filter(({ type }) => type?.value.case === "tensorType");
  return {
    inputs: values(graph.input.filter(({ name }) => !weights.has(name))),
    outputs: values(outputs),
    builder,
    opset,
    nodeCount: graph.node.length,
    names: new Set(),
  };
}

const usesOnlyDoubles = (graph: GraphProto): boolean => {
  const types = graph.initializer.map((t) => elementTypeOf(t.dataType)).filter((t) => t && isFloat(t));
  return types.includes("float64") && !types.includes("float32") && !types.includes("float16");
};

class Importer {
  constructor(
    readonly b: Builder,
    readonly opset: number,
    readonly functions: readonly FunctionProto[],
    /** Extents of the inputs that the graph turned out to fix. */
    readonly known: ReadonlyMap<string, number>,
  ) {}

  constants(graph: GraphProto, scope: Scope): void {
    for (const proto of graph.initializer) scope.set(proto.name, this.constant(readTensor(proto), scope, proto.name));
  }

  private constant(tensor: Tensor, scope: Scope, name: string): Value {
    const value = this.b.value(tensor.type, tensor.dims);
    value.constant = tensor;
    if (scope.visible) value.name = name;
    return value;
  }

  input(info: ValueInfoProto): Value {
    const tensor = info.type?.value.case === "tensorType" ? info.type.value.value : undefined;
    const type = elementTypeOf(tensor?.elemType ?? 0);
    if (!tensor || !type)
      fail("E025", "input", { at: `input "${info.name}"`, why: "it is not a tensor (a sequence, map or optional)" });
    const shape: Shape | undefined = tensor.shape?.dim.map((d, axis): Dim => {
      // Runtimes read a negative extent as one that is not known.
      if (d.value.case === "dimValue" && d.value.value >= 0n) return extentOf(info.name, d.value.value);
      const name = d.value.case === "dimParam" && d.value.value !== "" ? d.value.value : `${info.name}.${axis}`;
      return this.known.get(name) ?? symbol(name);
    });
    const value = this.b.value(type, shape);
    value.name = info.name;
    value.data = isFloat(type);
    value.dependent = true;
    this.b.extents.register(value);
    return value;
  }

  nodes(protos: readonly NodeProto[], scope: Scope): void {
    for (const proto of sortNodes(protos, scope.names())) this.node(proto, scope);
  }

  private node(proto: NodeProto, scope: Scope): void {
    const inputs = proto.input.map((name) => (name === "" ? undefined : scope.get(name)));
    const outer = this.b.source;
    if (scope.visible) this.b.source = proto.name || proto.output[0] || "";
    const outputs = this.guarded(proto, inputs, scope);
    proto.output.forEach((name, i) => {
      const value = outputs[i];
      if (name === "" || !value) return;
      scope.set(name, value);
      if (!scope.visible || value.name !== undefined) return;
      value.name = name;
      this.b.extents.register(value);
    });
    this.b.source = outer;
  }

  /** A node that cannot be read at all (an axis out of range, a missing attribute) makes the file malformed there. */
  private guarded(
    proto: NodeProto,
    inputs: readonly (Value | undefined)[],
    scope: Scope,
  ): readonly (Value | undefined)[] {
    const at = `node "${proto.name || proto.output[0] || "?"}" (${proto.opType})`;
    return guardedNode(() => this.evaluate(proto, inputs, scope), at, proto.name);
  }

  private evaluate(
    proto: NodeProto,
    inputs: readonly (Value | undefined)[],
    scope: Scope,
  ): readonly (Value | undefined)[] {
    const domain = proto.domain === "" || proto.domain === "ai.onnx" ? "" : `${proto.domain}::`;
    const operator = domain + proto.opType;
    const attributes = readAttributes(proto.attribute);
    if (operator === "Constant") return [this.constantNode(attributes, proto)];
    if (operator === "If") return this.branch(proto, attributes, inputs[0], scope);
    const body = this.functions.find((f) => f.name === proto.opType && f.domain === proto.domain);
    if (body) return this.call(body, proto, inputs);
    return this.operator(operator, attributes, inputs, proto.output.length);
  }

  private operator(
    operator: string,
    given: Attributes,
    operands: readonly (Value | undefined)[],
    outputs: number,
  ): readonly (Value | undefined)[] {
    const { b, opset } = this;
    const entry = this.b.operators.get(operator);
    if (entry) checkOperands(operator, operands, b.operators);
    const written = { inputs: operands, attributes: given };
    const raised = entry?.raise?.(written);
    const { inputs, attributes } = raised ?? written;
    const node = { operator, inputs, attributes, outputs: [], source: b.source, pass: "", order: -1 };
    const canonical = this.unlessBehindUnknown(inputs, () => entry?.canonical?.({ node, inputs, b, opset, outputs }));
    if (canonical) return canonical;
    const values = b.node(operator, inputs, attributes, outputs, raised && written);
    const [table, ids] = inputs;
    if (operator === "Gather" && table && ids && isLookup(table, ids, int(node, "axis", 0)))
      markLookup(values[0]!, table, ids);
    const pixels = pixelsIn(values[0], inputs);
    if (pixels) markPixels(values[0]!, pixels);
    return values;
  }

  /**
   * Behind an operator that nobody knows, no rank is known either. What cannot be taken apart then stays as it is, so that the
   * operator is reported where it stands, and not the first one that misses a rank.
   */
  private unlessBehindUnknown<T>(inputs: readonly (Value | undefined)[], f: () => T): T | undefined {
    try {
      return f();
    } catch (error) {
      const lacksRank = error instanceof VitrailError && error.diagnostics[0]?.code === "E024";
      const behind = ancestors(inputs.filter((v) => v !== undefined));
      if (lacksRank && behind.some((n) => !this.b.operators.has(n.operator))) return undefined;
      throw error;
    }
  }

  private constantNode(attributes: Attributes, proto: NodeProto): Value {
    const tensor = constantOf(Object.values(attributes)[0]);
    if (!tensor) return this.b.value("string", []);
    return this.constant(tensor, new Scope(undefined, false), proto.output[0]!);
  }

  /** A branch whose condition is known is read in place; any other stays a node that nothing can be pulled through. */
  private branch(proto: NodeProto, attributes: Attributes, condition: Value | undefined, scope: Scope) {
    const call = { operator: "If", source: this.b.source, attributes };
    const then = required(call, "then_branch", "graph");
    const otherwise = required(call, "else_branch", "graph");
    const taken = numbersOf(condition)?.[0];
    if (taken === undefined) return this.unresolved(proto, then, otherwise, scope);
    const graph = taken ? then : otherwise;
    const inner = new Scope(scope, false);
    this.constants(graph, inner);
    this.nodes(graph.node, inner);
    return graph.output.map((o) => inner.get(o.name));
  }

  /** Both branches are read for what they depend on and which type they have; the outcome itself stays opaque. */
  private unresolved(proto: NodeProto, then: GraphProto, otherwise: GraphProto, scope: Scope): Value[] {
    const results = [then, otherwise].map((graph) => {
      const inner = new Scope(scope, false);
      this.constants(graph, inner);
      this.nodes(graph.node, inner);
      return graph.output.map((o) => inner.get(o.name));
    });
    return proto.output.map((_, i) => {
      const sources = results.map((r) => r[i]).filter((v): v is Value => v !== undefined);
      const [value] = this.b.node("If", sources, {}, 1);
      return value!;
    });
  }

  /** A model-local function: its body is read with the call's inputs and attributes. */
  private call(body: FunctionProto, proto: NodeProto, inputs: readonly (Value | undefined)[]): (Value | undefined)[] {
    const inner = new Scope(undefined, false);
    body.input.forEach((name, i) => {
      const value = inputs[i];
      if (value) inner.set(name, value);
    });
    const given = new Map([...body.attributeProto, ...proto.attribute].map((a) => [a.name, a]));
    const nodes = body.node.map((n) => {
      const attribute = n.attribute.flatMap((a) => {
        if (a.refAttrName === "") return [a];
        const actual = given.get(a.refAttrName);
        return actual ? [Object.assign(clone(AttributeProtoSchema, actual), { name: a.name })] : [];
      });
      const { name, opType, domain, input, output } = n;
      return create(NodeProtoSchema, { name, opType, domain, input, output, attribute });
    });
    this.nodes(nodes, inner);
    return body.output.map((name) => inner.get(name));
  }
}

/** Protobuf has room for extents that no tensor can have. */
function extentOf(input: string, extent: bigint): number {
  const number = saturate(extent);
  if (number < LARGEST_EXTENT) return number;
  return fail("E001", "", {
    at: `input "${input}"`,
    why: `one of its axes has ${extent} elements, more than a tensor can have`,
    try: "check the file with onnx.checker, or leave the axis open",
  });
}
const LARGEST_EXTENT = 2 ** 40;

function constantOf(attribute: Attribute | undefined): Tensor | undefined {
  switch (attribute?.kind) {
    case "tensor":
      return attribute.value;
    case "float":
    case "floats":
      return tensorOf("float32", attribute.value);
    case "int":
    case "ints":
      return tensorOf("int64", attribute.value);
    default:
      return undefined;
  }
}

/** Rows of a constant table picked by ids that come from the caller: an embedding, where data begins. */
function isLookup(table: Value, ids: Value, axis: number): boolean {
  return isFloat(table.type) && !table.dependent && (table.rank ?? 0) >= 2 && axis === 0 && ids.dependent;
}

/** The graph input, where a node makes floating-point numbers of the bytes of a picture (moved or not). */
function pixelsIn(made: Value | undefined, [bytes, ...others]: readonly (Value | undefined)[]): Value | undefined {
  if (!made || !isFloat(made.type) || made.data || others.some((v) => v?.dependent)) return undefined;
  let at = bytes;
  while (at?.dependent && at.type === "uint8" && at.producer) {
    const [moved, ...rest] = at.producer.inputs.filter((v) => v?.dependent);
    at = rest.length === 0 ? moved : undefined;
  }
  const channels = (axis: number) => [1, 3, 4].includes(at!.shape![axis] as number);
  return at?.dependent && at.type === "uint8" && at.rank === 4 && (channels(1) || channels(3)) ? at : undefined;
}

function markPixels(value: Value, pixels: Value): void {
  value.data = true;
  value.pixels = pixels;
}

export function markLookup(value: Value, table: Value, ids: Value): void {
  value.data = true;
  value.lookup = { table, ids };
}
