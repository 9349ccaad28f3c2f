/** Transformers of any shape with random weights, as TorchScript would export them (opset 17, Erf GELU): ViT with packed qkv, BERT. */
import { create, toBinary } from "@bufbuild/protobuf";
import * as onnx from "../packages/vitrail/dist/onnx/generated/onnx_pb.js";

const { AttributeProto_AttributeType: Kind } = onnx;
const FLOAT = 1;
const INT64 = 7;

/** Pictures [batch, 3, size, size] to logits: pre-norm blocks, class token. */
export function visionTransformer({ width, depth, heads, size = 224, patch = 16, classes = 1000 }) {
  const g = graph();
  const { op, ints, weight } = g;
  const grid = Math.floor(size / patch);
  const conv = op("Conv", ["pixel_values", weight([width, 3, patch, patch], 1 / patch), weight([width], 0.02)], {
    kernel_shape: [patch, patch],
    strides: [patch, patch],
  });
  const patches = op("Transpose", [op("Reshape", [conv, ints(0, width, -1)])], { perm: [0, 2, 1] });
  const batch = op("Slice", [op("Shape", [patches]), ints(0), ints(1)]);
  const token = op("Expand", [weight([1, 1, width], 0.5), op("Concat", [batch, ints(1, width)], { axis: 0 })]);
  let x = op("Add", [op("Concat", [token, patches], { axis: 1 }), weight([1, grid * grid + 1, width], 0.3)]);
  for (let block = 0; block < depth; block++) {
    const packed = op("Reshape", [g.linear(g.norm(x, width), width, 3 * width), ints(0, 0, 3, heads, width / heads)]);
    const parts = op("Split", [op("Transpose", [packed], { perm: [2, 0, 3, 1, 4] }), ints(1, 1, 1)], { axis: 0 }, 3);
    const [q, k, v] = parts.map((part) => op("Squeeze", [part, ints(0)]));
    x = op("Add", [x, g.attention(q, k, v, width, heads)]);
    x = op("Add", [x, g.feedForward(g.norm(x, width), width)]);
  }
  g.head(op("Gather", [g.norm(x, width), g.index(0)], { axis: 1 }), width, classes);
  return g.bytes([["pixel_values", FLOAT, ["batch", 3, size, size]]], classes);
}

/** Ids and mask [batch, tokens] to logits: post-norm blocks, additive mask, first token through a pooler. */
export function bertClassifier({ width, depth, heads, vocabulary = 30522, positions = 512, classes = 2 }) {
  const g = graph();
  const { op, ints, weight } = g;
  const length = op("Slice", [op("Shape", ["input_ids"]), ints(1), ints(2)]);
  const places = op("Slice", [weight([positions, width], 0.3), ints(0), length, ints(0)]);
  const words = op("Gather", [weight([vocabulary, width], 0.5), "input_ids"], { axis: 0 });
  const mask = op("Cast", [op("Unsqueeze", ["attention_mask", ints(1, 2)])], { to: FLOAT });
  const hidden = op("Mul", [op("Sub", [g.scalar(1), mask]), g.scalar(-1e4)]);
  let x = g.norm(op("Add", [words, places]), width);
  for (let block = 0; block < depth; block++) {
    const [q, k, v] = Array.from({ length: 3 }, () => {
      const split = op("Reshape", [g.linear(x, width, width), ints(0, 0, heads, width / heads)]);
      return op("Transpose", [split], { perm: [0, 2, 1, 3] });
    });
    x = g.norm(op("Add", [g.attention(q, k, v, width, heads, hidden), x]), width);
    x = g.norm(op("Add", [g.feedForward(x, width), x]), width);
  }
  const first = op("Gather", [x, g.index(0)], { axis: 1 });
  g.head(op("Tanh", [g.linear(first, width, width)]), width, classes);
  const tokens = ["batch", "tokens"];
  return g.bytes(
    [
      ["input_ids", INT64, tokens],
      ["attention_mask", INT64, tokens],
    ],
    classes,
  );
}

/** A graph that grows by operators, with the parts that both families share. */
function graph() {
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
  const floats = (dims, value) => {
    const values = Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, value);
    return tensor(FLOAT, dims, new Uint8Array(values.buffer));
  };
  const weight = (dims, scale) => floats(dims, () => noise() * scale);
  const filled = (dims, value) => floats(dims, () => value);
  const scalar = (value) => filled([], value);
  const index = (value) => tensor(INT64, [], new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  const ints = (...list) => tensor(INT64, [list.length], new Uint8Array(BigInt64Array.from(list.map(BigInt)).buffer));
  const op = (opType, input, attributes = {}, outputs = 1, names = undefined) => {
    const output = names ?? Array.from({ length: outputs }, (_, i) => `v${nodes.length}.${i}`);
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    nodes.push(create(onnx.NodeProtoSchema, { name: `n${nodes.length}`, opType, input, output, attribute }));
    return outputs === 1 ? output[0] : output;
  };
  const linear = (x, from, to) =>
    op("Add", [op("MatMul", [x, weight([from, to], 1.7 / Math.sqrt(from))]), weight([to], 0.05)]);
  const norm = (x, width) =>
    op("LayerNormalization", [x, filled([width], 1), weight([width], 0.02)], { axis: -1, epsilon: 1e-6 });

  const attention = (q, k, v, width, heads, mask = undefined) => {
    const scaled = op("Mul", [q, scalar((width / heads) ** -0.5)]);
    const scores = op("MatMul", [scaled, op("Transpose", [k], { perm: [0, 1, 3, 2] })]);
    const weights = op("Softmax", [mask === undefined ? scores : op("Add", [scores, mask])], { axis: -1 });
    const mixed = op("Transpose", [op("MatMul", [weights, v])], { perm: [0, 2, 1, 3] });
    return linear(op("Reshape", [mixed, ints(0, 0, width)]), width, width);
  };

  const feedForward = (x, width) => {
    const hidden = linear(x, width, 4 * width);
    const gate = op("Add", [op("Erf", [op("Div", [hidden, scalar(Math.SQRT2)])]), scalar(1)]);
    return linear(op("Mul", [op("Mul", [hidden, gate]), scalar(0.5)]), 4 * width, width);
  };

  const head = (x, width, classes) =>
    op("Gemm", [x, weight([width, classes], 1 / Math.sqrt(width)), filled([classes], 0)], {}, 1, ["logits"]);

  const bytes = (inputs, classes) => {
    const model = create(onnx.ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [create(onnx.OperatorSetIdProtoSchema, { domain: "", version: 17n })],
      graph: create(onnx.GraphProtoSchema, {
        name: "bench",
        node: nodes,
        initializer,
        input: inputs.map(([name, type, dims]) => valueInfo(name, type, dims)),
        output: [valueInfo("logits", FLOAT, ["batch", classes])],
      }),
    });
    return toBinary(onnx.ModelProtoSchema, model);
  };

  return { op, ints, index, weight, scalar, linear, norm, attention, feedForward, head, bytes };
}

function attributeOf(name, value) {
  if (Array.isArray(value))
    return create(onnx.AttributeProtoSchema, { name, type: Kind.INTS, ints: value.map(BigInt) });
  if (Number.isInteger(value)) return create(onnx.AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(value) });
  return create(onnx.AttributeProtoSchema, { name, type: Kind.FLOAT, f: value });
}

function valueInfo(name, elemType, dims) {
  const dim = dims.map((d) => ({
    value: typeof d === "number" ? { case: "dimValue", value: BigInt(d) } : { case: "dimParam", value: d },
  }));
  return create(onnx.ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } },
  });
}
