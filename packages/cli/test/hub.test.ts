import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openModel } from "../src/model/open.js";
import { Terminal } from "../src/terminal.js";

/** A server with the Hub's endpoints: one repository, whose large file can arrive broken. */
const commit = "0123456789abcdef0123456789abcdef01234567";
const weights = Buffer.from("weights ".repeat(4000));
const config = Buffer.from(JSON.stringify({ id2label: { 0: "cat", 1: "dog" } }));
const gitHash = (data: Buffer) => createHash("sha1").update(`blob ${data.length}\0`).update(data).digest("hex");

let server: Server;
let cache: string;
let requests: string[];
let broken: "cut" | "wrong" | undefined;
let words: string;

const terminal = () => new Terminal({ json: true }, { write: () => {} }, { write: (text) => (words += text) });
const open = (id = "owner/vit") => openModel(id, {}, terminal());

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), "vitrail-hub-"));
  requests = [];
  broken = undefined;
  words = "";
  server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  vi.stubEnv("HF_ENDPOINT", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_TOKEN", "hf_secret");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url!.split("?")[0]!;
  requests.push(`${request.method} ${url} ${request.headers.range ?? ""}`.trim());
  if (request.headers.authorization !== "Bearer hf_secret") return void response.writeHead(401).end();
  if (url === "/api/models/owner/vit/tree/main") {
    const sha256 = createHash("sha256").update(weights).digest("hex");
    const files = [
      { type: "directory", path: "onnx", size: 0, oid: "x" },
      { type: "file", path: "config.json", size: config.length, oid: gitHash(config) },
      { type: "file", path: "README.md", size: 5, oid: "unused" },
      {
        type: "file",
        path: "onnx/model.onnx",
        size: weights.length,
        oid: "pointer",
        lfs: { oid: sha256, size: weights.length, pointerSize: 130 },
      },
    ];
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(files));
  } else if (url === "/owner/vit/resolve/main/config.json") {
    send(response, config, request);
  } else if (url === "/owner/vit/resolve/main/onnx/model.onnx") {
    if (request.method === "HEAD")
      return void response.writeHead(302, { "x-repo-commit": commit, location: "/cdn" }).end();
    const wrong = Buffer.alloc(weights.length, 1);
    send(response, broken === "wrong" ? wrong : broken === "cut" ? weights.subarray(0, 9000) : weights, request);
  } else {
    response.writeHead(url.includes("/gated/") ? 403 : 404).end();
  }
}

function send(response: ServerResponse, data: Buffer, request: IncomingMessage): void {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  response.writeHead(start > 0 ? 206 : 200, { "x-repo-commit": commit }).end(data.subarray(start));
}

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
});

test("what is there is not downloaded again, and needs no network", async () => {
  await open();
  requests = [];
  await open();
  expect(requests.filter((request) => request.startsWith("GET /owner"))).toEqual([]);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  requests = [];
  expect((await open()).labels).toEqual(["cat", "dog"]);
  expect(requests).toEqual([]);
});

test("offline and not in the cache", async () => {
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  await expect(open()).rejects.toThrow(/E088[\s\S]*HF_HUB_OFFLINE/);
});

test("a broken download is refused and then resumed", async () => {
  broken = "cut";
  await expect(open()).rejects.toThrow(/9000 of 32000 bytes arrived/);
  broken = undefined;
  requests = [];
  expect(readFileSync((await open()).file)).toEqual(weights);
  expect(requests).toContain("GET /owner/vit/resolve/main/onnx/model.onnx bytes=9000-");
});

test("a wrong checksum is refused, and nothing of it is kept", async () => {
  broken = "wrong";
  await expect(open()).rejects.toThrow(/checksum is wrong/);
  broken = undefined;
  expect(readFileSync((await open()).file)).toEqual(weights);
});

test("missing, gated, unreachable", async () => {
  await expect(open("owner/nothing")).rejects.toThrow(/E088[\s\S]*no such model/);
  await expect(open("gated/model")).rejects.toThrow(/gated[\s\S]*HF_TOKEN/);
  vi.stubEnv("HF_TOKEN", "");
  await expect(open()).rejects.toThrow(/wants a token/);
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
  await expect(open()).rejects.toThrow(/cannot be reached/);
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
  expect(requests).toEqual([]);
});
