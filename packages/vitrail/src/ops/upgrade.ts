/**
 * Files of operator sets 7 to 10, written anew in set 11: the form that the rest reads. What changed is in ONNX's own change log
 * (docs/Changelog.md): parameters that were attributes became inputs (Slice and TopK in 10, Clip and Pad in 11), Upsample became
 * Resize (10), which got more modes (11), Scatter became ScatterElements (11), BatchNormalization lost `spatial` (9). Below set 7
 * operators broadcast by rules of their own.
 */
import { clone, create } from "@bufbuild/protobuf";
import { fail } from "../errors.js";
import { checkModel } from "../onnx/check.js";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  AttributeProto_AttributeType as Kind,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from "../onnx/generated/onnx_pb.js";
import { readModel, writeModel } from "../onnx/model.js";
import { opsetOf } from "../onnx/opset.js";
import { readTensor, writeTensor } from "../onnx/tensor-proto.js";
import { type ElementType, elementTypeOf } from "../tensor/element-type.js";
import { readNumbers, saturate, tensorOf } from "../tensor/tensor.js";

const FIRST = 7;
export const UPGRADED = 11;

/** Bytes of the same model in operator set 11 where it is older and can be upgraded; else the same bytes. */
export function upgraded(bytes: Uint8Array): Uint8Array {
  const opset = opsetOf(bytes);
  if (opset === undefined || opset < FIRST || opset >= UPGRADED) return bytes;
  const model = readModel(bytes);
  checkModel(model);
  const opsetImport = model.opsetImport.map((o) =>
    o.domain === "" || o.domain === "ai.onnx" ? { ...o, version: BigInt(UPGRADED) } : o,
  );
  const graph = new Upgrade(opset, realType(model)).graph(model.graph!);
  return writeModel(Object.assign(create(ModelProtoSchema), model, { opsetImport, graph }));
}

/** The type that bounds and fillings have: that of the model's weights. */
function realType({ graph }: ModelProto): ElementType {
  const types = new Set(graph!.initializer.map((t) => elementTypeOf(t.dataType)));
  return (["float32", "float64", "float16"] as const).find((type) => types.has(type)) ?? "float32";
}

class Upgrade {
  private constants: NodeProto[] = [];
  private count = 0;
  private known = new Map<string, readonly number[]>();

  constructor(
    private readonly opset: number,
    private readonly real: ElementType,
  ) {}

  graph(graph: GraphProto): GraphProto {
    for (const t of graph.initializer) if (t.dims.reduce((n, d) => n * Number(d), 1) <= 8) this.note(t.name, t);
    const node = graph.node.flatMap((n) => {
      const own = this.node(n);
      const constants = this.constants;
      this.constants = [];
      return [...constants, own];
    });
    return Object.assign(create(GraphProtoSchema), graph, { node });
  }

  private note(name: string, tensor: GraphProto["initializer"][number]): void {
    const numbers = readNumbers(readTensor(tensor));
    if (numbers) this.known.set(name, numbers);
  }

  private node(given: NodeProto): NodeProto {
    const attribute = given.attribute.map((a) =>
      a.g ? Object.assign(clone(AttributeProtoSchema, a), { g: this.graph(a.g) }) : a,
    );
    const n = Object.assign(create(NodeProtoSchema), given, { attribute });
    if (n.domain !== "" && n.domain !== "ai.onnx") return n;
    if (n.opType === "Constant" && attribute[0]?.t) this.note(n.output[0]!, attribute[0].t);
    const rule = RULES[n.opType];
    return rule && this.opset < rule.since ? rule.rewrite(n, this) : n;
  }

  /** A constant that stands right before the node. */
  constant(
    like: NodeProto,
    dims: readonly number[],
    numbers: readonly number[],
    type: ElementType = this.real,
  ): string {
    const name = `${like.output[0]}/upgraded_${this.count++}`;
    const t = writeTensor(name, tensorOf(type, numbers, dims));
    const attribute = [create(AttributeProtoSchema, { name: "value", type: Kind.TENSOR, t })];
    this.constants.push(create(NodeProtoSchema, { name, opType: "Constant", output: [name], attribute }));
    return name;
  }

  ints = (like: NodeProto, values: readonly bigint[]): string =>
    this.constant(like, [values.length], values.map(saturate), "int64");

  numbersOf = (name: string): readonly number[] | undefined => this.known.get(name);
}

interface Rule {
  /** The operator set from which on the new form holds. */
  readonly since: number;
  readonly rewrite: (n: NodeProto, u: Upgrade) => NodeProto;
}

const find = (n: NodeProto, name: string): AttributeProto | undefined => n.attribute.find((a) => a.name === name);
const without = (n: NodeProto, ...names: string[]): AttributeProto[] =>
  n.attribute.filter((a) => !names.includes(a.name));
const changed = (n: NodeProto, by: Partial<NodeProto>): NodeProto => Object.assign(n, by);
const textOf = (n: NodeProto, name: string): string | undefined => {
  const s = find(n, name)?.s;
  return s && String.fromCharCode(...s);
};
const textAttribute = (name: string, value: string): AttributeProto =>
  create(AttributeProtoSchema, { name, type: Kind.STRING, s: Uint8Array.from(value, (c) => c.charCodeAt(0)) });

/** Cells are where they were: a new one at i is read at i / scale. Before set 11 a nearest one was the next larger when shrinking. */
function asResize(n: NodeProto, u: Upgrade, scales: string, known: readonly number[] | undefined): NodeProto {
  const mode = textOf(n, "mode") ?? "nearest";
  const shrinks = known?.some((s) => s < 1) ?? false;
  if (mode === "nearest" && !known && n.opType === "Resize")
    fail("E025", n.opType, {
      at: `node "${n.name || n.output[0]}" (${n.opType})`,
      node: n.name,
      why: "its factors are computed, and before operator set 11 they decided which neighbour is read",
      try: "export the model with operator set 11 or later",
    });
  const attribute = [
    textAttribute("mode", mode === "bilinear" ? "linear" : mode),
    textAttribute("coordinate_transformation_mode", "asymmetric"),
    ...(mode === "nearest" ? [textAttribute("nearest_mode", shrinks ? "ceil" : "floor")] : []),
  ];
  return changed(n, { opType: "Resize", input: [n.input[0]!, u.constant(n, [0], [], "float32"), scales], attribute });
}

const RULES: Readonly<Record<string, Rule>> = {
  Slice: {
    since: 10,
    rewrite: (n, u) => {
      const [starts, ends, axes] = ["starts", "ends", "axes"].map((name) => find(n, name)?.ints);
      const given = [starts ?? [], ends ?? [], ...(axes && axes.length > 0 ? [axes] : [])];
      const input = [n.input[0]!, ...given.map((values) => u.ints(n, values))];
      return changed(n, { input, attribute: without(n, "starts", "ends", "axes") });
    },
  },
  TopK: {
    since: 10,
    rewrite: (n, u) => changed(n, { input: [n.input[0]!, u.ints(n, [find(n, "k")!.i])], attribute: without(n, "k") }),
  },
  Clip: {
    since: 11,
    rewrite: (n, u) => {
      const [low, high] = ["min", "max"].map((name) => find(n, name)?.f);
      const input = [n.input[0]!, low === undefined ? "" : u.constant(n, [], [low])];
      if (high !== undefined) input.push(u.constant(n, [], [high]));
      while (input.at(-1) === "") input.pop();
      return changed(n, { input, attribute: [] });
    },
  },
  Pad: {
    since: 11,
    rewrite: (n, u) => {
      const filling = find(n, "value")?.f ?? 0;
      const input = [n.input[0]!, u.ints(n, find(n, "pads")?.ints ?? [])];
      if (filling !== 0) input.push(u.constant(n, [], [filling]));
      return changed(n, { input, attribute: without(n, "pads", "value") });
    },
  },
  Upsample: {
    since: 11,
    rewrite: (n, u) => {
      const scales = find(n, "scales")?.floats;
      if (!scales) return asResize(n, u, n.input[1]!, u.numbersOf(n.input[1]!));
      return asResize(n, u, u.constant(n, [scales.length], scales, "float32"), scales);
    },
  },
  Resize: { since: 11, rewrite: (n, u) => asResize(n, u, n.input[1]!, u.numbersOf(n.input[1]!)) },
  Scatter: { since: 11, rewrite: (n) => changed(n, { opType: "ScatterElements" }) },
  BatchNormalization: {
    since: 9,
    rewrite: (n) => {
      if (find(n, "spatial")?.i === 0n)
        fail("E025", n.opType, {
          at: `node "${n.name || n.output[0]}" (${n.opType})`,
          node: n.name,
          why: "it keeps statistics of every place (spatial 0), which no later operator set has",
          try: "export the model with operator set 11 or later",
        });
      return changed(n, { attribute: without(n, "spatial") });
    },
  },
  Scan: {
    since: 9,
    rewrite: (n) =>
      fail("E023", n.opType, {
        at: `node "${n.name || n.output[0]}" (${n.opType})`,
        node: n.name,
        why: "operator set 8 has another one of that name",
        try: "export the model with operator set 11 or later",
      }),
  },
};
