import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { problem } from "../problem.js";

export interface RemoteFile {
  path: string;
  size: number;
  /** Git's hash of the file, or SHA-256 where it is kept in large-file storage. */
  hash: string;
}

export interface Source {
  endpoint: string;
  id: string;
  revision: string;
  headers: Readonly<Record<string, string>>;
}

export const fileAddress = ({ endpoint, id, revision }: Source, path: string): string =>
  `${endpoint}/${id}/resolve/${encodeURIComponent(revision)}/${path.split("/").map(encodeURIComponent).join("/")}`;

/** Downloads to `blob`; goes on where an earlier attempt stopped, and keeps nothing whose checksum is wrong. */
export async function downloadFile(
  source: Source,
  file: RemoteFile,
  blob: string,
  onBytes: (count: number) => void,
): Promise<void> {
  const part = `${blob}.incomplete`;
  await mkdir(dirname(blob), { recursive: true });
  const start = existsSync(part) ? (await stat(part)).size : 0;
  const resumed = start > 0 && start < file.size;
  const headers = { ...source.headers, ...(resumed && { Range: `bytes=${start}-` }) };
  const response = await fetch(fileAddress(source, file.path), { headers });
  if (!response.ok || !response.body) throw refusal(source, response.status, file.path);
  const append = resumed && response.status === 206;
  if (append) onBytes(start);
  const body = Readable.fromWeb(response.body as ReadableStream);
  body.on("data", (chunk: Uint8Array) => onBytes(chunk.length));
  await pipeline(body, createWriteStream(part, { flags: append ? "a" : "w" }));
  await check(part, file);
  await rename(part, blob);
}

async function check(part: string, { path, size, hash }: RemoteFile): Promise<void> {
  const received = (await stat(part)).size;
  const digest = hash.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${received}\0`);
  if (received === size) {
    await pipeline(createReadStream(part), digest);
    if (digest.digest("hex") === hash) return;
  }
  if (received >= size) await rm(part);
  const why = received === size ? "its checksum is wrong" : `${received} of ${size} bytes arrived`;
  throw problem("E088", { at: path, why, try: "run the command again; what is complete is kept" });
}

export function refusal({ endpoint, id }: Source, status: number, at: string): Error {
  const hints: Record<number, readonly [string, string]> = {
    401: [
      "it wants a token, or there is no such model",
      `check the name; if the model is private or gated, ask for access on ${endpoint}/${id} and set HF_TOKEN`,
    ],
    403: ["the model is gated", `ask for access on ${endpoint}/${id} and set HF_TOKEN`],
    404: ["there is no such model, file or revision", "check the name and --revision; a local path must exist"],
  };
  const [why, hint] = hints[status] ?? [`the server answered ${status}`, "try again later, or set HF_ENDPOINT"];
  return problem("E088", { at: `${id}: ${at}`, why, try: hint });
}
