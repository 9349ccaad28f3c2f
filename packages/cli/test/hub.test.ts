import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type OpenModelOptions, openModel } from "../src/model/open.js";
import { Terminal } from "../src/terminal.js";
import { arrived, commit, type HubServer, startHub, token } from "./support/hub-server.js";

const weights = Buffer.from("weights ".repeat(4000));
const outside = Buffer.from("outside ".repeat(3000));
const json = (value: object) => Buffer.from(JSON.stringify(value));
const config = json({ id2label: { 0: "cat", 1: "dog" } });

let hub: HubServer;
let cache: string;
let words: string;

const terminal = () => new Terminal({ json: true }, { write: () => {} }, { write: (text) => (words += text) });
const open = (id = "owner/vit", options: OpenModelOptions = {}) => openModel(id, options, terminal());
const place = () => join(cache, "models--owner--vit", "blobs");
const blobs = () => readdirSync(place());
/** Bytes of the model that have reached the disk. */
const received = () =>
  Math.max(0, ...blobs().map((name) => (name.endsWith(".incomplete") ? statSync(join(place(), name)).size : 0)));
const modelPath = "/owner/vit/resolve/main/onnx/model.onnx".replace("main", commit);

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), "vitrail-hub-"));
  words = "";
  hub = await startHub({
    "owner/vit": { "config.json": config, "README.md": Buffer.from("words"), "onnx/model.onnx": weights },
    "owner/pair": {
      "config.json": json({ model_type: "clip" }),
      "processor_config.json": json({ image_processor: { size: { shortest_edge: 16 } } }),
      "onnx/vision_model_quantized.onnx": weights,
      "onnx/text_model_quantized.onnx": weights.subarray(8),
      "onnx/text_model_quantized.onnx_data": outside,
    },
    "owner/torch": { "config.json": config, "model.safetensors": weights },
    "gated/vit": { "config.json": config, "onnx/model.onnx": weights },
  });
  hub.beforeFault = () => vi.waitUntil(() => received() >= arrived, { timeout: 20_000, interval: 5 }).then(() => {});
  vi.stubEnv("HF_ENDPOINT", hub.address);
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_TOKEN", token);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});

test("a model comes into the cache that other tools use", async () => {
  const files = await open();
  const home = join(cache, "models--owner--vit");
  expect(files.name).toBe("owner/vit");
  expect(files.labels).toEqual(["cat", "dog"]);
  expect(readFileSync(files.file)).toEqual(weights);
  expect(readFileSync(join(home, "refs", "main"), "utf8")).toBe(commit);
  expect(readlinkSync(join(home, "snapshots", commit, "onnx", "model.onnx"))).toMatch(
    /^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/,
  );
  expect(existsSync(join(home, "snapshots", commit, "README.md"))).toBe(false);
  expect(blobs().filter((name) => !/^[0-9a-f]{40,64}$/.test(name))).toEqual([]);
});

test("what is there is not downloaded again, and needs no network", async () => {
  await open();
  hub.requests.length = 0;
  await open();
  expect(hub.requests.filter((request) => request.startsWith("GET /owner"))).toEqual([]);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  hub.requests.length = 0;
  expect((await open()).labels).toEqual(["cat", "dog"]);
  expect(hub.requests).toEqual([]);
});

test("two towers, their number format and their outer weights", async () => {
  const { file, textFile, preprocessor } = await open("owner/pair", { dtype: "q8", purpose: "pair" });
  expect(readFileSync(file)).toEqual(weights);
  expect(readFileSync(textFile!)).toEqual(weights.subarray(8));
  expect(readFileSync(`${textFile}_data`)).toEqual(outside);
  expect(preprocessor).toEqual({ image_processor: { size: { shortest_edge: 16 } } });
  // Outer weights come first: where the model is, they are too.
  const order = hub.requests.filter((request) => request.startsWith("GET") && request.includes("text_model"));
  expect(order[0]).toMatch(/onnx_data/);
});

test("offline and not in the cache", async () => {
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  await expect(open()).rejects.toThrow(/E088[\s\S]*HF_HUB_OFFLINE/);
});

test("a connection that breaks is taken up where it broke", async () => {
  hub.fault = "hang up once";
  expect(readFileSync((await open()).file)).toEqual(weights);
  expect(hub.requests).toContain(`GET ${modelPath} bytes=${arrived}-`);
});

test("a download that keeps breaking is refused, and goes on another time", async () => {
  hub.fault = "cut";
  await expect(open()).rejects.toThrow(/E088[\s\S]*9000 of 32000 bytes arrived[\s\S]*goes on from there/);
  expect(blobs().filter((name) => name.endsWith(".incomplete"))).toHaveLength(1);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  await expect(open()).rejects.toThrow(/not in the cache/);
  vi.stubEnv("HF_HUB_OFFLINE", "");
  hub.fault = undefined;
  hub.requests.length = 0;
  expect(readFileSync((await open()).file)).toEqual(weights);
  expect(hub.requests).toContain(`GET ${modelPath} bytes=${arrived}-`);
});

test("a server without ranges sends it all again", async () => {
  hub.fault = "cut";
  await expect(open()).rejects.toThrow(/bytes arrived/);
  hub.fault = "no ranges";
  expect(readFileSync((await open()).file)).toEqual(weights);
});

test("what another tool left complete but unchecked is only checked", async () => {
  await open();
  const model = blobs().find((name) => name.length === 64)!;
  rmSync(join(cache, "models--owner--vit", "snapshots"), { recursive: true });
  rmSync(join(place(), model));
  writeFileSync(join(place(), `${model}.incomplete`), weights);
  hub.requests.length = 0;
  expect(readFileSync((await open()).file)).toEqual(weights);
  expect(hub.requests).not.toContain(`GET ${modelPath}`);
});

test("a wrong checksum is refused, and nothing of it is kept", async () => {
  hub.fault = "wrong";
  await expect(open()).rejects.toThrow(/checksum is wrong/);
  expect(blobs().filter((name) => name.endsWith(".incomplete") || name.length === 64)).toEqual([]);
  expect(existsSync(join(cache, "models--owner--vit", "refs"))).toBe(false);
  hub.fault = undefined;
  expect(readFileSync((await open()).file)).toEqual(weights);
});

test("a link that leads nowhere is made anew", async () => {
  const { file } = await open();
  rmSync(file);
  symlinkSync("../nowhere", file);
  expect(readFileSync((await open()).file)).toEqual(weights);
});

test("missing, gated, unreachable, without ONNX", async () => {
  await expect(open("owner/nothing")).rejects.toThrow(/E088[\s\S]*no such model/);
  await expect(open("gated/vit")).rejects.toThrow(/the model is gated[\s\S]*HF_TOKEN/);
  await expect(open("owner/torch")).rejects.toThrow(
    /E086[\s\S]*no \.onnx file[\s\S]*optimum-cli export onnx --model owner\/torch/,
  );
  await expect(open("owner/pair")).rejects.toThrow(/several models/);
  vi.stubEnv("HF_TOKEN", "");
  await expect(open()).rejects.toThrow(/wants a token/);
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
  await expect(open()).rejects.toThrow(/cannot be reached/);
});

test("a revision that is not there", async () => {
  await expect(open("owner/vit", { revision: "v9" })).rejects.toThrow(/E088[\s\S]*revision/);
  expect(readFileSync((await open("owner/vit", { revision: commit })).file)).toEqual(weights);
});

test("when the Hub cannot be reached, the cache serves", async () => {
  await open();
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
  expect((await open()).name).toBe("owner/vit");
  expect(words).toMatch(/using the copy in the cache/);
});

test("a folder of the same name comes first", async () => {
  const folder = mkdtempSync(join(tmpdir(), "vitrail-"));
  writeFileSync(join(folder, "model.onnx"), "");
  expect((await openModel(folder, {}, terminal())).file).toBe(join(folder, "model.onnx"));
  expect(hub.requests).toEqual([]);
});
