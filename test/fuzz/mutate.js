/**
 * Damaged models: a file of the collection with one to four changes, each drawn from a seed. Some change bytes, as a bad
 * download does; most change one field, as a faulty exporter or a hostile hand does.
 */
import { clone, create } from "@bufbuild/protobuf";
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
} from "../../packages/vitrail/dist/onnx/generated/onnx_pb.js";
import { readModel, writeModel } from "../../packages/vitrail/dist/onnx/model.js";

/** A small generator of its own (mulberry32): the same seed draws the same damage on every machine. */
export function generator(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { next, below, pick: (list) => list[below(list.length)] };
}

const EXTREMES = [0, 1, -1, 2, 3, 7, 64, -3, 1000, 65536, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53];
const OPERATORS = (
  "Add Sub Mul Div MatMul Gemm Conv Reshape Transpose Concat Split Slice Gather Softmax LayerNormalization Erf Tanh Where Expand " +
  "ReduceMean ReduceSum Squeeze Unsqueeze Shape Range ConstantOfShape Tile Pad Resize Einsum CumSum Trilu ScatterND GatherND TopK " +
  "Cast Identity Equal If Loop Constant NonZero OneHot Flatten Attention RotaryEmbedding BatchNormalization Clip Pow"
).split(" ");
const EQUATIONS = [
  "ij,jk->ik",
  "",
  "->",
  "i,i,i",
  "abc->cba",
  "...ij,...jk->...ik",
  "bij,bjk",
  "ii->i",
  "b c, c d -> b d",
];

const big = (n) => BigInt(Math.trunc(n));
const shuffled = (r, list) => list.sort(() => r.next() - 0.5);
const anyNode = (r, m) => r.pick(m.graph.node);
const withAttribute = (r, m) => {
  const nodes = m.graph.node.filter((n) => n.attribute.length > 0);
  return nodes.length > 0 ? r.pick(r.pick(nodes).attribute) : undefined;
};
const anyDim = (r, m) => {
  const infos = [...m.graph.input, ...m.graph.output, ...m.graph.valueInfo];
  const dims = infos.flatMap((i) => (i.type?.value.case === "tensorType" ? (i.type.value.value.shape?.dim ?? []) : []));
  return dims.length > 0 ? r.pick(dims) : undefined;
};
const names = (m) => [
  ...m.graph.input.map((i) => i.name),
  ...m.graph.initializer.map((i) => i.name),
  ...m.graph.node.flatMap((n) => n.output),
];

/** One change each; the name is what a finding is reported with. */
export const MUTATIONS = {
  dropNode: (r, m) => m.graph.node.splice(r.below(m.graph.node.length), 1),
  doubleNode: (r, m) => m.graph.node.push(clone(m.$nodeSchema, anyNode(r, m))),
  swapNodes: (r, m) => {
    const [i, k] = [r.below(m.graph.node.length), r.below(m.graph.node.length)];
    [m.graph.node[i], m.graph.node[k]] = [m.graph.node[k], m.graph.node[i]];
  },
  operator: (r, m) => {
    anyNode(r, m).opType = r.pick([...OPERATORS, "Unknown", "", "__proto__", "constructor"]);
  },
  domain: (r, m) => {
    anyNode(r, m).domain = r.pick(["com.microsoft", "ai.onnx", "x", "ai.onnx.ml"]);
  },
  input: (r, m) => {
    const n = anyNode(r, m);
    n.input[r.below(n.input.length + 1)] = r.pick(["", "nowhere", ...names(m)]);
    for (let i = 0; i < n.input.length; i++) n.input[i] ??= "";
  },
  dropInput: (r, m) => {
    const n = anyNode(r, m);
    n.input.splice(r.below(n.input.length), 1);
  },
  shuffleInputs: (r, m) => shuffled(r, anyNode(r, m).input),
  output: (r, m) => {
    const n = anyNode(r, m);
    n.output[r.below(n.output.length)] = r.pick(["", "relevance", "target", ...names(m)]);
  },
  nodeName: (r, m) => {
    anyNode(r, m).name = r.pick(["relevance", "target", "", "vitrail/0", "\u001b[31mred", "x".repeat(5000)]);
  },
  dropAttribute: (r, m) => {
    const n = anyNode(r, m);
    n.attribute.splice(r.below(n.attribute.length), 1);
  },
  attributeKind: (r, m) => {
    const a = withAttribute(r, m);
    if (a) a.type = 1 + r.below(14);
  },
  attributeInt: (r, m) => {
    const a = withAttribute(r, m);
    if (a) a.i = big(r.pick(EXTREMES));
  },
  attributeInts: (r, m) => {
    const a = withAttribute(r, m);
    if (!a) return;
    if (r.below(2) === 0) a.ints.push(big(r.pick(EXTREMES)));
    else if (a.ints.length > 0) a.ints[r.below(a.ints.length)] = big(r.pick(EXTREMES));
  },
  attributeReal: (r, m) => {
    const a = withAttribute(r, m);
    if (a) a.f = r.pick([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e30, 2]);
  },
  attributeText: (r, m) => {
    const a = withAttribute(r, m);
    if (a) a.s = new TextEncoder().encode(r.pick([...EQUATIONS, "tanh", "SAME_UPPER", "reflect", "é\u0000"]));
  },
  addAttribute: (r, m) => {
    const name = r.pick([
      "axis",
      "axes",
      "perm",
      "keepdims",
      "to",
      "alpha",
      "strides",
      "pads",
      "group",
      "equation",
      "value",
    ]);
    const type = r.pick([1, 2, 3, 6, 7, 8]);
    const ints = [0, 1, 2].map(() => big(r.pick(EXTREMES)));
    anyNode(r, m).attribute.push(create(AttributeProtoSchema, { name, type, i: ints[0], ints, f: 2 }));
  },
  dim: (r, m) => {
    const d = anyDim(r, m);
    if (!d) return;
    const value = r.pick([
      { case: "dimValue", value: big(r.pick(EXTREMES)) },
      { case: "dimParam", value: r.pick(["batch", "n", "", "a+b", "\u001b[2J"]) },
      { case: undefined, value: undefined },
    ]);
    d.value = value;
  },
  elementType: (r, m) => {
    const t = r.pick([...m.graph.input, ...m.graph.output]).type;
    if (t?.value.case === "tensorType") t.value.value.elemType = r.below(24);
  },
  noType: (r, m) => {
    delete r.pick([...m.graph.input, ...m.graph.output]).type;
  },
  tensorType: (r, m) => {
    if (m.graph.initializer.length > 0) r.pick(m.graph.initializer).dataType = r.below(24);
  },
  tensorDims: (r, m) => {
    if (m.graph.initializer.length === 0) return;
    const t = r.pick(m.graph.initializer);
    if (r.below(3) === 0) t.dims.push(big(r.pick(EXTREMES)));
    else if (t.dims.length > 0) t.dims[r.below(t.dims.length)] = big(r.pick(EXTREMES));
  },
  tensorBytes: (r, m) => {
    if (m.graph.initializer.length === 0) return;
    const t = r.pick(m.graph.initializer);
    t.rawData = t.rawData.slice(0, r.below(t.rawData.length + 1));
  },
  tensorNumbers: (r, m) => {
    const small = m.graph.initializer.filter((t) => t.dataType === 7 && t.rawData.length >= 8);
    if (small.length === 0) return;
    const t = r.pick(small);
    t.rawData = t.rawData.slice();
    const at = 8 * r.below(t.rawData.length >> 3);
    new DataView(t.rawData.buffer).setBigInt64(at, big(r.pick(EXTREMES)), true);
  },
  dropTensor: (r, m) => m.graph.initializer.splice(r.below(m.graph.initializer.length), 1),
  dropGraphInput: (r, m) => m.graph.input.splice(r.below(m.graph.input.length), 1),
  graphOutput: (r, m) => {
    r.pick(m.graph.output).name = r.pick([...names(m), "nowhere", "relevance"]);
  },
  opset: (r, m) => {
    r.pick(m.opsetImport).version = big(r.pick([...EXTREMES, 7, 9, 11, 13, 18, 21, 24]));
  },
  noOpset: (_, m) => m.opsetImport.splice(0),
  irVersion: (r, m) => {
    m.irVersion = big(r.pick(EXTREMES));
  },
  metadata: (r, m) => {
    const value = r.pick([
      "{",
      "null",
      "1",
      "[]",
      "{}",
      '{"source":{}}',
      '{"source":{"bytes":5}}',
      '{"source":{"bytes":-1}}',
    ]);
    m.metadataProps.push(create(StringStringEntryProtoSchema, { key: "vitrail", value }));
  },
  functionOfItself: (r, m) => {
    const n = anyNode(r, m);
    const node = clone(m.$nodeSchema, n);
    m.functions.push(
      create(FunctionProtoSchema, { name: n.opType, domain: n.domain, input: n.input, output: n.output, node: [node] }),
    );
  },
};

/**
 * @param {Uint8Array} bytes a model
 * @returns {{ bytes: Uint8Array, what: string }} what became of it, and what was done
 */
export function mutated(bytes, seed) {
  const r = generator(seed);
  if (r.below(5) === 0) return damaged(bytes, r);
  const model = clone(ModelProtoSchema, readModel(bytes));
  Object.defineProperty(model, "$nodeSchema", { value: nodeSchema, enumerable: false });
  const done = [];
  for (let count = 1 + r.below(4); count > 0; count--) {
    const name = r.pick(Object.keys(MUTATIONS));
    if (model.graph.node.length === 0) break;
    try {
      MUTATIONS[name](r, model);
      done.push(name);
    } catch {
      // Nothing there to change.
    }
  }
  try {
    return { bytes: writeModel(model), what: done.join(", ") };
  } catch {
    return damaged(bytes, r);
  }
}
const nodeSchema = ModelProtoSchema.fields
  .find((f) => f.name === "graph")
  .message.fields.find((f) => f.name === "node").message;

/** Bytes: some overwritten, or the end cut off. The weights lie last in these files, so damage is drawn towards the front. */
function damaged(bytes, r) {
  if (r.below(4) === 0) return { bytes: bytes.slice(0, r.below(bytes.length)), what: "cut off" };
  const copy = bytes.slice();
  const count = 1 + r.below(8);
  for (let i = 0; i < count; i++) copy[Math.floor(r.next() ** 2 * copy.length)] = r.below(256);
  return { bytes: copy, what: `${count} bytes` };
}
