import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { messageOf, problem, systemMessage } from "../problem.js";

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
  const headers = { ...source.headers, ...(start > 0 && { Range: `bytes=${start}-` }) };
  const response = await fetch(fileAddress(source, file.path), { headers });
  if (!response.ok || !response.body) throw refusal(source, response.status, file.path, codeOf(response));
  const append = start > 0 && response.status === 206;
  // A server that knows no ranges starts from the beginning.
  if (start > 0 && !append) onBytes(-start);
  const body = Readable.fromWeb(response.body as ReadableStream);
  body.on("data", (chunk: Uint8Array) => onBytes(chunk.length));
  try {
    await pipeline(body, createWriteStream(part, { flags: append ? "a" : "w" }));
    return undefined;
  } catch (error) {
    if (isSystemError(error) && !isNetworkError(error)) throw error;
    return messageOf(error);
  }
}

async function check(part: string, { path, size, hash }: RemoteFile): Promise<void> {
  const digest = hash.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
  await pipeline(createReadStream(part), digest);
  if ((await sizeOf(part)) === size && digest.digest("hex") === hash) return;
  await rm(part);
  throw problem("E088", {
    at: path,
    why: "its checksum is wrong",
    try: "run the command again; nothing of it was kept",
  });
}

const sizeOf = async (path: string): Promise<number> => (existsSync(path) ? (await stat(path)).size : 0);

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

/** What the Hub calls the reason, which says more than the status. */
export const codeOf = (response: Response): string | undefined => response.headers.get("x-error-code") ?? undefined;

export function refusal({ endpoint, id, revision }: Source, status: number, at: string, code?: string): Error {
  const page = `${endpoint}/${id}`;
  const gated = ["the model is gated", `ask for access on ${page} and set HF_TOKEN`] as const;
  const byCode: Record<string, readonly [string, string]> = {
    GatedRepo: gated,
    RevisionNotFound: [`it has no revision "${revision}"`, "check --revision: a branch, a tag or a commit"],
    EntryNotFound: ["there is no such file in it", `look at ${page}/tree/${revision}`],
  };
  const byStatus: Record<number, readonly [string, string]> = {
    401: [
      "it wants a token, or there is no such model",
      `check the name; if the model is private or gated, ask for access on ${page} and set HF_TOKEN`,
    ],
    403: gated,
    404: ["there is no such model, file or revision", "check the name and --revision; a local path must exist"],
    429: ["the server says that it was asked too often", "try again later, or set HF_TOKEN"],
  };
  const other = [`the server answered ${status}`, "try again later, or set HF_ENDPOINT"] as const;
  const [why, hint] = byCode[code ?? ""] ?? byStatus[status] ?? other;
  return problem("E088", { at: `${id}: ${at}`, why, try: hint });
}
