/** Downloads onto a disk that is full: the error is said in words, and nothing that is half written looks whole. */
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openModel } from "../src/model/open.js";
import { Terminal } from "../src/terminal.js";
import { commit, type HubServer, startHub, token } from "./support/hub-server.js";

/** How many bytes fit on the disk; links may be unknown to it. */
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY, links: true }));
const full = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", errno: -28 });

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const createWriteStream = (path: string, options: { flags: string }) => {
    const file = fs.openSync(path, options.flags);
    return new Writable({
      write(chunk: Buffer, _, done) {
        const fits = chunk.subarray(0, Math.max(0, disk.room));
        disk.room -= chunk.length;
        fs.writeSync(file, fits);
        done(fits.length < chunk.length ? full() : null);
      },
      destroy(error, done) {
        fs.closeSync(file);
        done(error);
      },
    });
  };
  return { ...fs, createWriteStream };
});

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const symlink: typeof fs.symlink = async (...names) => {
    if (!disk.links) throw Object.assign(new Error("EPERM: operation not permitted"), { code: "EPERM", errno: -1 });
    return fs.symlink(...names);
  };
  const copyFile: typeof fs.copyFile = async (from, to) => {
    const data = await fs.readFile(from);
    const fits = data.subarray(0, Math.max(0, disk.room));
    disk.room -= data.length;
    await fs.writeFile(to, fits);
    if (fits.length < data.length) throw full();
  };
  return { ...fs, symlink, copyFile };
});

const weights = Buffer.from("weights ".repeat(40_000));
const config = Buffer.from(JSON.stringify({ id2label: { 0: "cat" } }));
let hub: HubServer;
let place: string;
const open = () => openModel("owner/vit", {}, new Terminal({ quiet: true }));

beforeEach(async () => {
  Object.assign(disk, { room: Number.POSITIVE_INFINITY, links: true });
  const cache = mkdtempSync(join(tmpdir(), "vitrail-disk-"));
  place = join(cache, "models--owner--vit");
  hub = await startHub({ "owner/vit": { "config.json": config, "onnx/model.onnx": weights } });
  vi.stubEnv("HF_ENDPOINT", hub.address);
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_TOKEN", token);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});

const snapshot = () => join(place, "snapshots", commit, "onnx");

test("while a file comes in", async () => {
  disk.room = 100_000;
  await expect(open()).rejects.toThrow(/E085[\s\S]*the disk is full[\s\S]*HF_HUB_CACHE/);
  expect(readdirSync(join(place, "blobs")).filter((name) => name.length >= 64)).toEqual([
    expect.stringMatching(/^[0-9a-f]{64}\.incomplete$/),
  ]);
  expect(existsSync(join(snapshot(), "model.onnx"))).toBe(false);
  expect(existsSync(join(place, "refs"))).toBe(false);
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  await expect(open()).rejects.toThrow(/not in the cache/);
  vi.stubEnv("HF_HUB_OFFLINE", "");
  disk.room = Number.POSITIVE_INFINITY;
  expect(readFileSync((await open()).file)).toEqual(weights);
  expect(hub.requests.filter((request) => /model\.onnx bytes=\d+-$/.test(request))).toHaveLength(1);
});

test("while a file is copied, where there are no links", async () => {
  Object.assign(disk, { links: false, room: config.length * 2 + weights.length + 100_000 });
  await expect(open()).rejects.toThrow(/E085[\s\S]*the disk is full/);
  expect(readdirSync(snapshot())).toEqual([]);
  disk.room = Number.POSITIVE_INFINITY;
  expect(readFileSync((await open()).file)).toEqual(weights);
});
