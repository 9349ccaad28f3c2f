import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { temporaryFolder } from "./command-line.js";
import { root, unpackVitrail } from "./packed.js";

/** What a browser needs to load the package as it is published, without a bundler. */
const imports = {
  vitrail: "/packed/dist/index.js",
  "vitrail/web": "/packed/dist/runtime/web/index.js",
  "@bufbuild/protobuf": "/node_modules/@bufbuild/protobuf/dist/esm/index.js",
  "@bufbuild/protobuf/codegenv2": "/node_modules/@bufbuild/protobuf/dist/esm/codegenv2/index.js",
  "@bufbuild/protobuf/wire": "/node_modules/@bufbuild/protobuf/dist/esm/wire/index.js",
  "onnxruntime-web/wasm": "/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
  "onnxruntime-web/webgpu": "/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
};

const page = `<!doctype html><meta charset="utf-8"><title>vitrail</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">import * as vitrail from "vitrail/web"; globalThis.vitrail = vitrail;</script>`;

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

let packed: string | undefined;

/**
 * Serves the packed package, the runtime and an empty page, and files by the paths that `files` gives them. Threads need the page
 * to be isolated from other origins.
 */
export async function serve(
  isolated: boolean,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ address: string; close(): void }> {
  if (!packed) {
    packed = temporaryFolder();
    unpackVitrail(packed);
  }
  const folder = packed;
  const server: Server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url!, "http://x").pathname);
    const headers = isolated
      ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
      : {};
    if (path === "/") return void response.writeHead(200, { ...headers, "content-type": "text/html" }).end(page);
    const given = files[path];
    if (given instanceof Uint8Array) return void response.writeHead(200, headers).end(given);
    const file = given ?? (path.startsWith("/packed/") ? join(folder, path.slice(7)) : join(root, path));
    if (!existsSync(file)) return void response.writeHead(404).end();
    const type = types[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { ...headers, "content-type": type }).end(await readFile(file));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

const places = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../scripts/chromium-places.json"), "utf8"),
) as string[];

/** The Chromium of this machine; CHROMIUM names one in another place. */
export const chromium = [process.env.CHROMIUM, ...places].find((path) => path !== undefined && existsSync(path));
