/**
 * The study behind docs/decisions/0009: one session for prediction and explanation, the appended part standing inside an `If` whose
 * condition is `target >= 0`, against a session for each. In Chromium, on WebAssembly (one thread) or WebGPU; times of runs in turns.
 *
 *     npm run build && node scripts/one-session.js [wasm|webgpu] [blood-cells planted-sentences tiny] [--rounds N]
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { chromium as driver } from "playwright-core";
import { compile } from "../packages/vitrail/dist/index.js";
import * as onnx from "../packages/vitrail/dist/onnx/generated/onnx_pb.js";
import { visionTransformer } from "./bench-model.js";
import { benches, modelFile } from "./stability-cases.js";

const { AttributeProto_AttributeType: Kind, TensorProto_DataType: Type } = onnx;

/** The model with the patch inside the branch that is taken for a target; -1 means the prediction alone. */
function inBranch(model, patch) {
  const proto = fromBinary(onnx.ModelProtoSchema, model);
  const added = fromBinary(onnx.ModelProtoSchema, patch).graph;
  const [output] = added.output;
  const last = added.node.at(-1);
  last.output = last.output.map((name) => (name === output.name ? `${name}/taken` : name));
  const zero = (name, dims, dataType, bytes) =>
    create(onnx.TensorProtoSchema, { name, dims: dims.map(BigInt), dataType, rawData: new Uint8Array(bytes) });
  const node = (opType, input, outputs, attribute = []) =>
    create(onnx.NodeProtoSchema, { name: `vitrail/${opType}`, opType, input, output: outputs, attribute });
  const graph = (name, nodes, initializer, result) =>
    create(onnx.GraphProtoSchema, { name, node: nodes, initializer, output: [{ ...output, name: result }] });
  const taken = graph("taken", added.node, added.initializer, `${output.name}/taken`);
  const shape = output.type.value.value.shape.dim.map(({ value }) =>
    value.case === "dimValue" ? Number(value.value) : 1,
  );
  const nothing = zero("vitrail/nothing", shape, Type.FLOAT, 4 * shape.reduce((a, b) => a * b, 1));
  const other = graph("other", [node("Identity", [nothing.name], ["vitrail/none"])], [nothing], "vitrail/none");
  const branch = (name, g) => create(onnx.AttributeProtoSchema, { name, type: Kind.GRAPH, g });
  proto.graph.initializer.push(zero("vitrail/zero", [], Type.INT64, 8));
  const whole = create(onnx.AttributeProtoSchema, { name: "keepdims", type: Kind.INT, i: 0n });
  proto.graph.node.push(
    node("ReduceMax", ["target"], ["vitrail/largest"], [whole]),
    node("GreaterOrEqual", ["vitrail/largest", "vitrail/zero"], ["vitrail/asked"]),
    node("If", ["vitrail/asked"], [output.name], [branch("then_branch", taken), branch("else_branch", other)]),
  );
  proto.graph.input.push(...added.input);
  proto.graph.output.push(output);
  return toBinary(onnx.ModelProtoSchema, proto);
}

async function caseOf(name) {
  const feed = (type, data, dims) => ({ type, data: Array.from(data, Number), dims });
  if (name in benches) {
    const [{ subject }] = await benches[name].cases();
    const feeds = Object.entries(subject.input).map(([n, { type, data, dims }]) => [n, feed(type, data, dims)]);
    return { model: modelFile(name), feeds: Object.fromEntries(feeds) };
  }
  const pixels = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i * 0.37));
  const model = visionTransformer({ width: 192, depth: 12, heads: 3 });
  return { model, feeds: { pixel_values: feed("float32", pixels, [1, 3, 224, 224]) } };
}

/** In the page: opens the forms, runs them in turns, says how long and how large the runtime's memory is. */
async function measure({ device, forms, feeds, rounds }) {
  const memories = [];
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const plain = WebAssembly[name].bind(WebAssembly);
    WebAssembly[name] = async (...args) => {
      const made = await plain(...args);
      const { exports } = made.instance ?? made;
      memories.push(...Object.values(exports).filter((e) => e instanceof WebAssembly.Memory), args[1]?.env?.memory);
      return made;
    };
  }
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(options) {
      super(options);
      memories.push(this);
    }
  };
  const ort = await import(`/node_modules/onnxruntime-web/dist/ort.${device}.bundle.min.mjs`);
  ort.env.wasm.numThreads = 1;
  const big = { int64: BigInt64Array, float32: Float32Array };
  const tensor = ({ type, data, dims }) =>
    new ort.Tensor(type, big[type].from(data, type === "int64" ? BigInt : Number), dims);
  const runs = [];
  const load = {};
  for (const { file, name, target } of forms) {
    const start = performance.now();
    const known = runs.find((r) => r.file === file)?.session;
    const bytes = known ?? new Uint8Array(await (await fetch(file)).arrayBuffer());
    const options = { executionProviders: [device], logSeverityLevel: 4 };
    const session = known ?? (await ort.InferenceSession.create(bytes, options));
    if (!known) load[name] = performance.now() - start;
    const own = Object.fromEntries(Object.entries(feeds).map(([n, t]) => [n, tensor(t)]));
    if (target !== undefined) own.target = tensor({ type: "int64", data: [target], dims: [1] });
    const run = async () => Object.entries(await session.run(own)).map(([n, t]) => [n, t.data]);
    runs.push({ file, name, session, run, times: [] });
  }
  const found = {};
  for (const { name, run } of runs)
    found[name] = (await run()).map(([n, data]) => [n, Array.from(data.slice(0, 2000))]);
  for (let i = 0; i < rounds; i++)
    for (const { run, times } of runs) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
  const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
  const sizes = memories.filter((m) => m instanceof Memory).map((m) => m.buffer.byteLength);
  return {
    load,
    found,
    times: Object.fromEntries(runs.map(({ name, times }) => [name, median(times)])),
    memory: Math.max(0, ...sizes),
  };
}

const args = process.argv.slice(2);
const device = args.includes("webgpu") ? "webgpu" : "wasm";
const rounds = args.includes("--rounds") ? Number(args[args.indexOf("--rounds") + 1]) : 9;
const known = ["blood-cells", "planted-sentences", "toxic-sentences", "tiny"];
const names = known.some((n) => args.includes(n)) ? known.filter((n) => args.includes(n)) : known;
const places = JSON.parse(readFileSync(new URL("chromium-places.json", import.meta.url), "utf8"));
const files = new Map();
const server = createServer((request, response) => {
  const path = new URL(request.url, "http://x").pathname;
  const script = new URL(`..${path}`, import.meta.url);
  const type = path.endsWith("mjs") ? "text/javascript" : path.endsWith("wasm") ? "application/wasm" : "text/html";
  const body = files.get(path) ?? (path.startsWith("/node_modules/") ? readFileSync(script) : "<!doctype html>");
  response.writeHead(200, { "content-type": type }).end(body);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const browser = await driver.launch({
  executablePath: [process.env.CHROMIUM, ...places].find((p) => p && existsSync(p)),
  args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
});
const inPage = async (request) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  try {
    return await page.evaluate(measure, request);
  } finally {
    await page.close();
  }
};
const cosine = (a, b) => {
  const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

console.log(`${device}, onnxruntime-web; forwards are those of the plain model`);
console.log(
  "| model | appended | in `If`, taken | not taken | load: plain, appended, `If` | heap: two sessions | `If` |",
);
console.log("|---|--:|--:|--:|--:|--:|--:|");
try {
  for (const name of names) {
    const { model, feeds } = await caseOf(name);
    const { bytes, patch } = compile(model);
    files.set("/plain", model).set("/appended", bytes).set("/if", inBranch(model, patch));
    const plain = { name: "plain", file: "/plain" };
    const appended = { name: "appended", file: "/appended", target: 0 };
    const taken = { name: "taken", file: "/if", target: 0 };
    const left = { name: "left", file: "/if", target: -1 };
    const common = { device, feeds, rounds };
    const { times, load, found } = await inPage({ ...common, forms: [plain, appended, taken, left] });
    const two = await inPage({ ...common, rounds: 1, forms: [appended, plain] });
    const one = await inPage({ ...common, rounds: 1, forms: [taken, left] });
    const forwards = (what) => (times[what] / times.plain).toFixed(2);
    const ms = (what) => `${load[what].toFixed(0)} ms`;
    const mb = ({ memory }) => `${(memory / 1e6).toFixed(0)} MB`;
    const cells = [name, ...["appended", "taken", "left"].map(forwards)];
    const maps = ["appended", "taken"].map((form) => Object.fromEntries(found[form]).relevance);
    const row = [...cells, `${ms("plain")}, ${ms("appended")}, ${ms("taken")}`, mb(two), mb(one)];
    console.log(`| ${row.join(" | ")} | (plain ${times.plain.toFixed(1)} ms, cosine ${cosine(...maps).toFixed(6)})`);
  }
} finally {
  await browser.close();
  server.close();
}
