/** A hub or mirror that means ill, or is only broken: it writes nowhere but in the cache, learns no secret, and always comes to an end. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openModel } from "../src/model/open.js";
import { Terminal } from "../src/terminal.js";
import { commit, type HubServer, startHub, token } from "./support/hub-server.js";

const weights = Buffer.from("weights ".repeat(4000));
const config = Buffer.from(JSON.stringify({ id2label: { 0: "cat", 1: "dog" } }));
const hash = createHash("sha256").update(weights).digest("hex");

/** Another host, which writes down what it is asked and with which credentials. */
interface Other {
  address: string;
  requests: IncomingMessage[];
  close(): Promise<unknown>;
}

let hub: HubServer;
let other: Other;
let root: string;
let words: string;
const open = (revision?: string) =>
  openModel("owner/vit", { revision }, new Terminal({}, { write: () => {} }, { write: (text) => (words += text) }));

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "vitrail-hostile-"));
  words = "";
  mkdirSync(join(root, "cache"));
  writeFileSync(join(root, "secret"), "root:x:0:0");
  hub = await startHub({ "owner/vit": { "config.json": config, "onnx/model.onnx": weights } });
  other = await startOther((_, response) => response.end(weights));
  vi.stubEnv("HF_ENDPOINT", hub.address);
  vi.stubEnv("HF_HUB_CACHE", join(root, "cache"));
  vi.stubEnv("HF_TOKEN", token);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  await other.close();
});

async function startOther(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Other> {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

type Reply = (response: ServerResponse, request: IncomingMessage) => void;
const on =
  (pattern: RegExp, reply: Reply): HubServer["instead"] =>
  (request, response) => {
    const hit = pattern.test(request.url!) && request.method === "GET";
    if (hit) reply(response, request);
    return hit;
  };
const listing = (body: unknown, headers: Record<string, string> = {}) =>
  on(/\/tree\//, (response) =>
    response.writeHead(200, headers).end(typeof body === "string" ? body : JSON.stringify(body)),
  );
const model = { type: "file", path: "onnx/model.onnx", size: weights.length, lfs: { oid: hash, size: weights.length } };
const small = { type: "file", path: "config.json", size: config.length, oid: "0".repeat(40) };
const everything = () => (readdirSync(root, { recursive: true }) as string[]).sort();

describe("stays in the cache", () => {
  test.each([
    ["a path that leads up", { ...model, path: "onnx/model.onnx_data/../../../../../../../escaped" }],
    ["an absolute path", { ...model, path: "/escaped" }],
    ["a path of another system", { ...model, path: "onnx\\..\\..\\escaped" }],
    ["a drive", { ...model, path: "c:/escaped" }],
    ["a hash that is a path", { ...model, lfs: { oid: "../../../secret", size: 10 } }],
    ["a hash of another length", { ...model, lfs: { oid: "abc", size: 10 } }],
    ["Git's hash that is a path", { ...small, oid: "../../../secret" }],
    ["no size", { ...model, size: "many", lfs: undefined, oid: "0".repeat(40) }],
  ])("%s", async (_, entry) => {
    hub.instead = listing([model, small, entry]);
    const before = everything();
    const error = await open().catch((thrown: Error) => thrown.message);
    expect(error).toMatch(/E088[\s\S]*list of files/);
    expect(error).not.toContain("root:");
    expect(everything()).toEqual(before);
  });

  test("a commit that is a path", async () => {
    hub.instead = (request, response) => {
      if (request.method === "HEAD") response.writeHead(302, { "x-repo-commit": "../../../escaped" }).end();
      return request.method === "HEAD";
    };
    await expect(open()).rejects.toThrow(/E088[\s\S]*does not say the commit/);
    expect(existsSync(join(root, "escaped"))).toBe(false);
  });

  test("a revision that is a path", async () => {
    await expect(open("../../escaped")).rejects.toThrow(/E080[\s\S]*revision/);
    expect(hub.requests).toEqual([]);
  });

  test("links that lie there already", async () => {
    const home = join(root, "cache", "models--owner--vit");
    mkdirSync(join(home, "snapshots", commit), { recursive: true });
    symlinkSync(join(root, "secret"), join(home, "snapshots", commit, "config.json"));
    const error = await open().catch((thrown: Error) => thrown.message);
    expect(error).toMatch(/E087[\s\S]*leads out of the cache/);
    expect(error).not.toContain("root:");
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    mkdirSync(join(home, "refs"), { recursive: true });
    writeFileSync(join(home, "refs", "main"), commit);
    await expect(open()).rejects.toThrow(/E087[\s\S]*leads out of the cache/);
    writeFileSync(join(home, "refs", "main"), "../../../..");
    await expect(open()).rejects.toThrow(/not in the cache/);
  });

  test("a folder that is a link already", async () => {
    const snapshot = join(root, "cache", "models--owner--vit", "snapshots", commit);
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(snapshot, "onnx"));
    await expect(open()).rejects.toThrow(/E087[\s\S]*leads out of the cache/);
    expect(readdirSync(join(root, "elsewhere"))).toEqual([]);
  });
});

describe("the token", () => {
  const sent = () => other.requests.map(({ headers }) => headers.authorization);

  test("does not go where the list of files goes on", async () => {
    hub.instead = listing([small], { link: `<${other.address}/more>; rel="next"` });
    await expect(open()).rejects.toThrow(/E088[\s\S]*not JSON/);
    expect(sent()).toEqual([undefined]);
  });

  test("does not go where a file is redirected to, but the file comes", async () => {
    hub.instead = on(/model\.onnx/, (response) =>
      response.writeHead(302, { location: `${other.address}/blob?signed=1` }).end(),
    );
    expect(readFileSync((await open()).file)).toEqual(weights);
    expect(sent()).toEqual([undefined]);
  });

  test("goes with a redirect to the same host", async () => {
    hub.instead = on(/resolve.*config\.json/, (response) =>
      response.writeHead(307, { location: `/owner/vit/resolve/${commit}/config.json?moved` }).end(),
    );
    const plain = hub.instead;
    hub.instead = (request, response) => !request.url!.includes("?moved") && plain(request, response);
    expect((await open()).labels).toEqual(["cat", "dog"]);
  });

  test("of another server need not look like one of huggingface.co", async () => {
    hub.token = "secret-of-a-mirror";
    vi.stubEnv("HF_TOKEN", " secret-of-a-mirror\n");
    expect((await open()).labels).toEqual(["cat", "dog"]);
  });

  test("with characters that no header takes is refused in words, without saying it", async () => {
    vi.stubEnv("HF_TOKEN", "se\ncret");
    const error = await open().catch((thrown: Error) => thrown.message);
    expect(error).toMatch(/E080[\s\S]*HF_TOKEN/);
    expect(error).not.toMatch(/cret/);
  });
});

describe("comes to an end", () => {
  const link = (to: string) => ({ link: `<${to}>; rel="next"` });

  test("a list that leads on to itself", async () => {
    hub.instead = on(/\/tree\//, (response, request) => {
      response.writeHead(200, link(`${hub.address}${request.url}`)).end("[]");
    });
    await expect(open()).rejects.toThrow(/E088[\s\S]*leads on to itself/);
  });

  test("a list without end", async () => {
    let page = 0;
    hub.instead = on(/\/tree\//, (response) => response.writeHead(200, link(`?cursor=${page++}`)).end("[]"));
    await expect(open()).rejects.toThrow(/E088[\s\S]*more than 200 pages/);
  });

  test("redirects in a circle, and to what is no web address", async () => {
    hub.instead = on(/config\.json/, (response, request) => response.writeHead(302, { location: request.url! }).end());
    await expect(open()).rejects.toThrow(/E088[\s\S]*redirects more than/);
    hub.instead = on(/config\.json/, (response) => response.writeHead(302, { location: "file:///etc/passwd" }).end());
    await expect(open()).rejects.toThrow(/E088[\s\S]*not followed/);
  });

  const flood = (response: ServerResponse) => {
    const chunk = Buffer.alloc(65536, " ");
    const pour = (): void => {
      while (!response.destroyed) if (!response.write(chunk)) return void response.once("drain", pour);
    };
    response.writeHead(200);
    pour();
  };

  test.each([
    ["a list", /\/tree\//, /E088[\s\S]*more than \d+ bytes/],
    ["a file", /resolve.*model\.onnx/, /E088[\s\S]*more than the 32000 bytes/],
  ])("%s that has more bytes than it should", async (_, pattern, message) => {
    hub.instead = on(pattern, flood);
    await expect(open()).rejects.toThrow(message);
    const blobs = join(root, "cache", "models--owner--vit", "blobs");
    if (existsSync(blobs)) expect(readdirSync(blobs).filter((name) => name.endsWith(".incomplete"))).toEqual([]);
  });

  test("a file larger than any model is not begun", async () => {
    hub.instead = listing([{ ...model, lfs: { oid: hash, size: 2 ** 40 } }]);
    await expect(open()).rejects.toThrow(/E003/);
    expect(hub.requests).toHaveLength(1);
  });

  const silent: Reply = () => {};
  const stalled: Reply = (response) => {
    response.writeHead(200).write("[");
  };
  const drip: Reply = (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("a"), 20);
    response.on("close", () => clearInterval(timer));
  };
  test.each([
    ["a list that never comes", /\/tree\//, silent],
    ["a list that stops", /\/tree\//, stalled],
    ["a list that drips", /\/tree\//, drip],
    ["a file that never comes", /resolve.*model\.onnx/, silent],
    ["a file that stops", /resolve.*model\.onnx/, stalled],
    ["a file that drips", /resolve.*model\.onnx/, drip],
  ])("%s", async (_, pattern, reply) => {
    vi.stubEnv("HF_HUB_DOWNLOAD_TIMEOUT", "0.2");
    hub.instead = on(pattern, reply);
    await expect(open()).rejects.toThrow(/E088[\s\S]*sent next to nothing for 0\.2 s/);
  });
});

describe("a busy server", () => {
  const busy = (times: number, status: number, retryAfter?: string): HubServer["instead"] => {
    let count = 0;
    return (request, response) => {
      if (!request.url!.includes("/tree/") || count++ >= times) return false;
      response.writeHead(status, retryAfter === undefined ? {} : { "retry-after": retryAfter }).end();
      return true;
    };
  };

  test.each([
    [429, "0"],
    [503, "0"],
    [503, new Date(0).toUTCString()],
  ])("is asked again after %i with Retry-After: %s", async (status, retryAfter) => {
    hub.instead = busy(3, status, retryAfter);
    expect((await open()).labels).toEqual(["cat", "dog"]);
  });

  test("is asked again after a while where it does not say when", async () => {
    hub.instead = busy(1, 503);
    expect((await open()).labels).toEqual(["cat", "dog"]);
  });

  test("is given up in the end", async () => {
    hub.instead = busy(9, 429, "0");
    await expect(open()).rejects.toThrow(/E088[\s\S]*asked too often/);
    expect(hub.requests).toHaveLength(4);
  });

  test("that asks for an hour is not waited for", async () => {
    hub.instead = busy(9, 429, "3600");
    await expect(open()).rejects.toThrow(/E088[\s\S]*asked too often/);
    expect(hub.requests).toHaveLength(1);
  });
});

describe("nonsense is said to be that", () => {
  test.each([
    ["a web page", "<!doctype html><p>Sign in", /web page/],
    ["no JSON", "listing", /not JSON/],
    ["an object", "{}", /not a list/],
    ["null", "null", /not a list/],
    ["a list of nulls", "[null]", /no type/],
    ["a list of numbers", "[1]", /no type/],
  ])("%s", async (_, body, message) => {
    hub.instead = listing(body);
    await expect(open()).rejects.toThrow(message);
    await expect(open()).rejects.toThrow(/E088/);
  });

  test("a reason that is the name of something else", async () => {
    hub.instead = on(/\/tree\//, (response) => response.writeHead(418, { "x-error-code": "constructor" }).end());
    await expect(open()).rejects.toThrow(/E088[\s\S]*answered 418/);
  });

  test.each(["huggingface.co", "ftp://huggingface.co", "https://user:word@huggingface.co", ":"])(
    "an endpoint %s",
    async (endpoint) => {
      vi.stubEnv("HF_ENDPOINT", endpoint);
      await expect(open()).rejects.toThrow(/E080[\s\S]*HF_ENDPOINT/);
    },
  );
});
