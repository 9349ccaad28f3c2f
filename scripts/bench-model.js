/** Vision transformers of any shape with random weights, as TorchScript would export them (opset 17, packed qkv, Erf GELU). */
import { create, toBinary } from "@bufbuild/protobuf";
import * as onnx from "../packages/vitrail/dist/onnx/generated/onnx_pb.js";

const { AttributeProto_AttributeType: Kind } = onnx;

export function visionTransformer({ width, depth, heads, size = 224, patch = 16, classes = 1000 }) {
  const nodes = [];
  const initializer = [];
  let state = 1;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const tensor = (dataType, dims, bytes) => {
    const name = `w${initializer.length}`;
    initializer.push(create(onnx.TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData: bytes }));
    return name;
  };
  const weight = (dims, scale) => {
    const values = Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, () => noise() * scale);
    return tensor(1, dims, new Uint8Array(values.buffer));
  };
  const filled = (dims, value) =>
    tensor(1, dims, new Uint8Array(new Float32Array(dims.reduce((n, d) => n * d, 1)).fill(value).buffer));
  const ints = (...list) => tensor(7, [list.length], new Uint8Array(BigInt64Array.from(list.map(BigInt)).buffer));
  const attribute = (name, value) =>
    create(
      onnx.AttributeProtoSchema,
      Array.isArray(value)
        ? { name, type: Kind.INTS, ints: value.map(BigInt) }
        : Number.isInteger(value)
          ? { name, type: Kind.INT, i: BigInt(value) }
          : { name, type: Kind.FLOAT, f: value },
    );
  const op = (opType, input, attributes = {}, outputs = 1) => {
    const output = Array.from({ length: outputs }, (_, i) => `v${nodes.length}.${i}`);
    const list = Object.entries(attributes).map(([k, v]) => attribute(k, v));
    nodes.push(create(onnx.NodeProtoSchema, { name: `n${nodes.length}`, opType, input, output, attribute: list }));
    return outputs === 1 ? output[0] : output;
  };
  const linear = (x, from, to) =>
    op("Add", [op("MatMul", [x, weight([from, to], 1.7 / Math.sqrt(from))]), weight([to], 0.05)]);
  const norm = (x) =>
    op("LayerNormalization", [x, filled([width], 1), weight([width], 0.02)], { axis: -1, epsilon: 1e-6 });
  const grid = Math.floor(size / patch);
  const tokens = grid * grid + 1;
  const conv = op("Conv", ["pixel_values", weight([width, 3, patch, patch], 1 / patch), weight([width], 0.02)], {
    kernel_shape: [patch, patch],
    strides: [patch, patch],
  });
  const patches = op("Transpose", [op("Reshape", [conv, ints(0, width, -1)])], { perm: [0, 2, 1] });
  const batch = op("Slice", [op("Shape", [patches]), ints(0), ints(1)]);
  const token = op("Expand", [weight([1, 1, width], 0.5), op("Concat", [batch, ints(1, width)], { axis: 0 })]);
  let x = op("Add", [op("Concat", [token, patches], { axis: 1 }), weight([1, tokens, width], 0.3)]);
  const headWidth = width / heads;
  for (let block = 0; block < depth; block++) {
    const packed = op("Reshape", [linear(norm(x), width, 3 * width), ints(0, 0, 3, heads, headWidth)]);
    const parts = op("Split", [op("Transpose", [packed], { perm: [2, 0, 3, 1, 4] }), ints(1, 1, 1)], { axis: 0 }, 3);
    const [q, k, v] = parts.map((part) => op("Squeeze", [part, ints(0)]));
    const scaled = op("Mul", [q, filled([], headWidth ** -0.5)]);
    const scores = op("MatMul", [scaled, op("Transpose", [k], { perm: [0, 1, 3, 2] })]);
    const mixed = op("MatMul", [op("Softmax", [scores], { axis: -1 }), v]);
    const joined = op("Reshape", [op("Transpose", [mixed], { perm: [0, 2, 1, 3] }), ints(0, 0, width)]);
    x = op("Add", [x, linear(joined, width, width)]);
    const hidden = linear(norm(x), width, 4 * width);
    const gate = op("Add", [op("Erf", [op("Div", [hidden, filled([], Math.SQRT2)])]), filled([], 1)]);
    const gelu = op("Mul", [op("Mul", [hidden, gate]), filled([], 0.5)]);
    x = op("Add", [x, linear(gelu, 4 * width, width)]);
  }
  const read = op("Gather", [norm(x), tensor(7, [], new Uint8Array(8))], { axis: 1 });
  nodes.push(
    create(onnx.NodeProtoSchema, {
      name: "head",
      opType: "Gemm",
      input: [read, weight([width, classes], 1 / Math.sqrt(width)), filled([classes], 0)],
      output: ["logits"],
    }),
  );
  const info = (name, dims) =>
    create(onnx.ValueInfoProtoSchema, {
      name,
      type: {
        value: {
          case: "tensorType",
          value: {
            elemType: 1,
            shape: {
              dim: dims.map((d) => ({
                value: typeof d === "number" ? { case: "dimValue", value: BigInt(d) } : { case: "dimParam", value: d },
              })),
            },
          },
        },
      },
    });
  const model = create(onnx.ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [create(onnx.OperatorSetIdProtoSchema, { domain: "", version: 17n })],
    graph: create(onnx.GraphProtoSchema, {
      name: "vit",
      node: nodes,
      initializer,
      input: [info("pixel_values", ["batch", 3, size, size])],
      output: [info("logits", ["batch", classes])],
    }),
  });
  return toBinary(onnx.ModelProtoSchema, model);
}
