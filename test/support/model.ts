/**
 * Writes ONNX models. Values are their names; constants become initializers; an operator outside the default domain is
 * written with it ("com.microsoft::FusedMatMul").
 *
 *     const m = new ModelWriter({ opset: 17 });
 *     const x = m.input("x", "float32", ["batch", 4]);
 *     m.output(m.op("MatMul", [x, m.constant(tensorOf("float32", weights, [4, 3]))]), "float32", ["batch", 3], "logits");
 *     const bytes = m.bytes();
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../packages/vitrail/src/onnx/generated/onnx_pb.js";
import { writeTensor } from "../../packages/vitrail/src/onnx/tensor-proto.js";
import { type ElementType, elementTypeNumber } from "../../packages/vitrail/src/tensor/element-type.js";
import { type Tensor, tensorOf } from "../../packages/vitrail/src/tensor/tensor.js";

/** A FLOAT (or FLOATS) attribute: plain whole numbers are written as INT. */
export class Real {
  constructor(readonly value: number | readonly number[]) {}
}
export const real = (value: number | readonly number[]): Real => new Real(value);

export type ModelAttribute = number | string | readonly number[] | readonly string[] | Real | Tensor | GraphProto;
export type ModelAttributes = Readonly<Record<string, ModelAttribute>>;
export type ModelDims = readonly (number | string | undefined)[];

export interface ModelSettings {
  readonly opset: number;
  readonly irVersion?: number;
  /** Versions of further domains; com.microsoft is added where an operator of it is used. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

export class ModelWriter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly inputs: ValueInfoProto[] = [];
  readonly outputs: ValueInfoProto[] = [];
  private readonly domains: Map<string, number>;
  private readonly shared = new Map<string, string>();
  private count = 0;

  constructor(readonly settings: ModelSettings) {
    this.domains = new Map([["", settings.opset], ...Object.entries(settings.domains ?? {})]);
  }

  get opset(): number {
    return this.settings.opset;
  }

  input(name: string, type: ElementType, dims: ModelDims | undefined): string {
    this.inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares an output; with a name, the value is passed through an Identity that carries it. */
  output(value: string, type?: ElementType, dims?: ModelDims, name?: string): string {
    const own = name === undefined ? value : this.op("Identity", [value], {}, [name]);
    this.outputs.push(type ? valueInfo(own, type, dims) : create(ValueInfoProtoSchema, { name: own }));
    return own;
  }

  constant(tensor: Tensor, name = `constant_${this.initializers.length}`): string {
    this.initializers.push(writeTensor(name, tensor));
    return name;
  }

  /** Weights of one type. */
  weights(values: readonly number[], dims: readonly number[], type: ElementType = "float32", name?: string): string {
    return this.constant(tensorOf(type, values, dims), name);
  }

  /** A shared float scalar, or int64 vector. */
  scalar = (x: number, type: ElementType = "float32"): string =>
    this.once(`scalar ${type} ${x}`, () => this.constant(tensorOf(type, x)));
  ints = (values: readonly number[]): string =>
    this.once(`ints ${values}`, () => this.constant(tensorOf("int64", values)));

  /** A constant that is written once, whoever asks for it. */
  once(key: string, make: () => string): string {
    const known = this.shared.get(key) ?? make();
    this.shared.set(key, known);
    return known;
  }

  /** Adds a node and gives the name of its first output. */
  op(
    operator: string,
    inputs: readonly (string | undefined)[],
    attributes: ModelAttributes = {},
    outputs: number | readonly string[] = 1,
  ): string {
    return this.ops(operator, inputs, attributes, outputs)[0]!;
  }

  ops(
    operator: string,
    inputs: readonly (string | undefined)[],
    attributes: ModelAttributes = {},
    outputs: number | readonly string[] = 1,
  ): string[] {
    const [domain, opType] = operator.includes("::") ? operator.split("::") : ["", operator];
    if (domain && !this.domains.has(domain)) this.domains.set(domain, 1);
    const name = `/${opType}_${this.count++}`;
    const output =
      typeof outputs === "number" ? Array.from({ length: outputs }, (_, i) => `${name}_output_${i}`) : [...outputs];
    this.nodes.push(
      create(NodeProtoSchema, {
        name,
        opType: opType!,
        domain: domain!,
        input: inputs.map((v) => v ?? ""),
        output,
        attribute: Object.entries(attributes).map(([key, value]) => writeAttribute(key, value)),
      }),
    );
    return output;
  }

  graph(name = "graph"): GraphProto {
    const { nodes: node, initializers: initializer, inputs: input, outputs: output } = this;
    return create(GraphProtoSchema, { name, node, initializer, input, output });
  }

  bytes(): Uint8Array {
    const { irVersion = 8, metadata = {} } = this.settings;
    return toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        irVersion: BigInt(irVersion),
        producerName: "vitrail-test",
        opsetImport: [...this.domains].map(([domain, version]) =>
          create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
        ),
        graph: this.graph(),
        metadataProps: Object.entries(metadata).map(([key, value]) =>
          create(StringStringEntryProtoSchema, { key, value }),
        ),
      }),
    );
  }
}

function valueInfo(name: string, type: ElementType, dims: ModelDims | undefined): ValueInfoProto {
  const dim = (d: number | string | undefined) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        d === undefined
          ? { case: undefined }
          : typeof d === "number"
            ? { case: "dimValue", value: BigInt(d) }
            : { case: "dimParam", value: d },
    });
  const shape = dims && { shape: create(TensorShapeProtoSchema, { dim: dims.map(dim) }) };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: elementTypeNumber(type), ...shape } } },
  });
}

function writeAttribute(name: string, value: ModelAttribute): AttributeProto {
  const attribute = (fields: object) => create(AttributeProtoSchema, { name, ...fields });
  if (value instanceof Real)
    return typeof value.value === "number"
      ? attribute({ type: Kind.FLOAT, f: value.value })
      : attribute({ type: Kind.FLOATS, floats: [...value.value] });
  if (typeof value === "number")
    return Number.isInteger(value)
      ? attribute({ type: Kind.INT, i: BigInt(value) })
      : attribute({ type: Kind.FLOAT, f: value });
  if (typeof value === "string") return attribute({ type: Kind.STRING, s: new TextEncoder().encode(value) });
  if (Array.isArray(value))
    return typeof value[0] === "string"
      ? attribute({ type: Kind.STRINGS, strings: value.map((v) => new TextEncoder().encode(v as string)) })
      : attribute({ type: Kind.INTS, ints: (value as readonly number[]).map(BigInt) });
  return "bytes" in value
    ? attribute({ type: Kind.TENSOR, t: writeTensor("", value as Tensor) })
    : attribute({ type: Kind.GRAPH, g: value as GraphProto });
}
