import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { messageOf, problem, systemMessage } from "../problem.js";
import type { RemoteFile } from "./hub-listing.js";
import { ask, refusal, type Source } from "./hub-request.js";

export const fileAddress = ({ endpoint, id, revision }: Source, path: string): string =>
  `${endpoint}/${id}/resolve/${encodeURIComponent(revision)}/${path.split("/").map(encodeURIComponent).join("/")}`;

/** How often a connection that broke is taken up again before it is given up. */
const attempts = 3;

/**
 * Downloads to `blob`: into `blob.incomplete`, which becomes `blob` only when its checksum is right. It goes on where an earlier
 * attempt, or another tool, stopped.
 */
export async function downloadFile(
  source: Source,
  file: RemoteFile,
  blob: string,
  onBytes: (count: number) => void,
): Promise<void> {
  const part = `${blob}.incomplete`;
  try {
    await mkdir(dirname(blob), { recursive: true });
    const there = await sizeOf(part);
    if (there > file.size) await rm(part);
    else onBytes(there);
    for (let attempt = 1; (await sizeOf(part)) < file.size; attempt++) {
      const failure = await receive(source, file, part, onBytes);
      if (attempt === attempts && (await sizeOf(part)) < file.size) throw broken(file, await sizeOf(part), failure);
    }
    await check(part, file);
    await rename(part, blob);
  } catch (error) {
    throw isSystemError(error) ? unwritable(blob, error) : error;
  }
}

/** One connection, as far as it gets; gives what ended it too early. */
async function receive(
  source: Source,
  file: RemoteFile,
  part: string,
  onBytes: (count: number) => void,
): Promise<string | undefined> {
  const start = await sizeOf(part);
  const range: Record<string, string> = start > 0 ? { Range: `bytes=${start}-` } : {};
  const { response, saw, end } = await ask(source, fileAddress(source, file.path), {
    headers: { "Accept-Encoding": "identity", ...range },
  });
  try {
    if (!response.ok || !response.body) throw refusal(source, response, file.path);
    const append = start > 0 && response.status === 206;
    // A server that knows no ranges starts from the beginning.
    if (start > 0 && !append) onBytes(-start);
    let room = file.size - (append ? start : 0);
    const bounded = async function* (body: AsyncIterable<Uint8Array>) {
      for await (const chunk of body) {
        saw(chunk.length);
        room -= chunk.length;
        if (room < 0) throw tooMuch(file);
        onBytes(chunk.length);
        yield chunk;
      }
    };
    const body = Readable.fromWeb(response.body as ReadableStream);
    await pipeline(body, bounded, createWriteStream(part, { flags: append ? "a" : "w" }));
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "VitrailError") {
      if (response.ok) await rm(part, { force: true });
      throw error;
    }
    if (isSystemError(error)) throw error;
    return messageOf(error);
  } finally {
    end();
  }
}

async function check(part: string, { path, size, hash }: RemoteFile): Promise<void> {
  const digest = hash.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
  // An empty file needs no connection.
  if (size > 0) await pipeline(createReadStream(part), digest);
  else await pipeline(Readable.from([]), createWriteStream(part));
  if ((await sizeOf(part)) === size && digest.digest("hex") === hash) return;
  await rm(part);
  throw problem("E088", {
    at: path,
    why: "its checksum is wrong",
    try: "run the command again; nothing of it was kept",
  });
}

const sizeOf = async (path: string): Promise<number> => (existsSync(path) ? (await stat(path)).size : 0);

const tooMuch = ({ path, size }: RemoteFile): Error =>
  problem("E088", {
    at: path,
    why: `the server sends more than the ${size} bytes that its list of files states`,
    try: "check HF_ENDPOINT; nothing of it was kept",
  });

function broken({ path, size }: RemoteFile, received: number, failure: string | undefined): Error {
  const why = `${received} of ${size} bytes arrived${failure ? ` (${failure})` : ""}`;
  return problem("E088", { at: path, why, try: "run the command again: it goes on from there" });
}

export const unwritable = (path: string, error: unknown): Error =>
  problem("E085", {
    at: path,
    why: systemMessage(error),
    try: "free some space, or set HF_HUB_CACHE to another folder; what is there is taken up again",
  });

/** The operating system's own errors have a number; those of the network come with one too. */
export const isSystemError = (error: unknown): boolean =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === "number" && !isNetworkError(error);
const isNetworkError = (error: unknown): boolean =>
  /^(ECONN|EPIPE|ETIMEDOUT|ENET|EHOST|EAI_)/.test((error as NodeJS.ErrnoException).code ?? "");
