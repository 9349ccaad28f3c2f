/** A server that speaks the Hub's endpoints: the list of a repository's files, the commit of a revision, files with ranges. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const commit = "0123456789abcdef0123456789abcdef01234567";
export const token = "hf_secret";

/** What the server does to large files: end early, hang up, send other bytes, or know no ranges. */
export type Fault = "cut" | "hang up once" | "wrong" | "no ranges";

export interface HubServer {
  address: string;
  /** "GET /path bytes=9-" */
  requests: string[];
  fault: Fault | undefined;
  /** What it takes for a token. */
  token: string;
  /** What a server that means ill does instead; false where it answers as usual. */
  instead(request: IncomingMessage, response: ServerResponse): boolean;
  /** What is waited for before a connection breaks: a client may lose what it has not yet taken from the line. */
  beforeFault(): Promise<void>;
  close(): Promise<void>;
}

/** What arrives before a fault. */
export const arrived = 9000;

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
const gitHash = (data: Uint8Array) => createHash("sha1").update(`blob ${data.length}\0`).update(data).digest("hex");
const isLarge = (path: string) => /\.onnx/.test(path);

/** `repositories`: id -> path -> content. Those of the owner "gated" may be listed, but not read. */
export async function startHub(
  repositories: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>,
): Promise<HubServer> {
  const server: Server = createServer((request, response) => answer(hub, repositories, request, response));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const hub: HubServer = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    fault: undefined,
    token,
    instead: () => false,
    beforeFault: async () => {},
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return hub;
}

function answer(
  hub: HubServer,
  repositories: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = request.url!.split("?")[0]!;
  hub.requests.push(`${request.method} ${url} ${request.headers.range ?? ""}`.trim());
  if (hub.instead(request, response)) return;
  const fail = (status: number, code: string) => response.writeHead(status, { "x-error-code": code }).end();
  if (request.headers.authorization !== `Bearer ${hub.token}`) return void response.writeHead(401).end();
  const listing = /^\/api\/models\/([^/]+\/[^/]+)\/tree\/(.+)$/.exec(url);
  const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url);
  const files = repositories[listing?.[1] ?? file?.[1] ?? ""];
  if (!files) return void fail(404, "RepoNotFound");
  if (!["main", commit].includes(listing?.[2] ?? file?.[2] ?? "")) return void fail(404, "RevisionNotFound");
  if (listing) {
    const entries = Object.entries(files).map(([path, data]) => ({
      type: "file",
      path,
      size: data.length,
      oid: gitHash(data),
      ...(isLarge(path) && { lfs: { oid: sha256(data), size: data.length, pointerSize: 130 } }),
    }));
    const folder = { type: "directory", path: "onnx", size: 0, oid: "x" };
    return void response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify([folder, ...entries]));
  }
  const [, id, , path] = file!;
  if (id!.startsWith("gated/")) return void fail(401, "GatedRepo");
  const data = files[path!];
  if (!data) return void fail(404, "EntryNotFound");
  if (request.method === "HEAD") {
    return void response.writeHead(302, { "x-repo-commit": commit, location: "/elsewhere" }).end();
  }
  send(hub, response, data, isLarge(path!), Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0));
}

function send(hub: HubServer, response: ServerResponse, data: Uint8Array, large: boolean, start: number): void {
  const fault = large ? hub.fault : undefined;
  const from = fault === "no ranges" ? 0 : start;
  response.writeHead(from > 0 ? 206 : 200, { "x-repo-commit": commit, "content-length": data.length - from });
  if (fault === "wrong") return void response.end(new Uint8Array(data.length - from));
  if (fault !== "cut" && fault !== "hang up once") return void response.end(data.subarray(from));
  if (fault === "hang up once") hub.fault = undefined;
  response.write(
    data.subarray(from, Math.max(from, arrived)),
    () => void hub.beforeFault().then(() => response.destroy()),
  );
}
