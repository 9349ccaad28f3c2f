/** The list of a repository's files. What a server says is checked before anything is made of it: paths, sizes and hashes. */
import { messageOf, problem } from "../problem.js";
import { ask, nextOf, refusal, type Source, textOf } from "./hub-request.js";

export interface RemoteFile {
  path: string;
  size: number;
  /** Git's hash of the file (40 hex digits), or SHA-256 (64) where it is kept in large-file storage. */
  hash: string;
}

/** A page has 1000 entries of some 300 bytes. */
const [mostPages, mostBytes] = [200, 2 ** 26];

export async function listRemote(source: Source): Promise<Map<string, RemoteFile>> {
  const { endpoint, id, revision } = source;
  const files = new Map<string, RemoteFile>();
  const seen = new Set<string>();
  let room = mostBytes;
  let next: URL | undefined = new URL(
    `${endpoint}/api/models/${id}/tree/${encodeURIComponent(revision)}?recursive=true`,
  );
  while (next) {
    const page: URL = next;
    if (seen.has(page.href)) throw unclear(page, "it leads on to itself, and never ends");
    if (seen.size === mostPages) throw unclear(page, `it has more than ${mostPages} pages`);
    seen.add(page.href);
    const answer = await ask(source, page);
    const { ok, headers } = answer.response;
    if (!ok) {
      answer.end();
      throw refusal(source, answer.response, revision);
    }
    const text = await textOf(answer, room);
    if (text === undefined) throw unclear(page, `it has more than ${mostBytes} bytes`);
    room -= text.length;
    for (const file of filesOf(text, page)) files.set(file.path, file);
    const more = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(headers.get("link") ?? "")?.[1];
    next = more === undefined ? undefined : nextOf(page, more);
  }
  return files;
}

function filesOf(text: string, page: URL): RemoteFile[] {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    throw unclear(page, /^\s*</.test(text) ? "it is a web page" : "it is not JSON");
  }
  if (!Array.isArray(entries)) throw unclear(page, "it is not a list");
  return entries.flatMap((entry: unknown) => fileOf(entry, page) ?? []);
}

function fileOf(entry: unknown, page: URL): RemoteFile | undefined {
  const { type, path, size, oid, lfs } = (entry ?? {}) as Record<string, unknown>;
  if (typeof type !== "string" || typeof path !== "string") throw unclear(page, "an entry has no type or no path");
  if (type !== "file") return undefined;
  const large = (lfs ?? {}) as Record<string, unknown>;
  const bytes = large.size ?? size;
  const hash = String(large.oid ?? oid ?? "").replace(/^sha256:/, "");
  const name = JSON.stringify(path);
  if (!staysInside(path)) throw unclear(page, `the path ${name} leaves the model's folder`);
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0) throw unclear(page, `${name} has no size`);
  if (!isHash(hash)) throw unclear(page, `${name} has no hash of 40 or 64 hex digits`);
  return { path, size: bytes as number, hash };
}

export const isHash = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** Whether a path names something below the folder that it is joined to, on every system. */
export const staysInside = (path: string): boolean =>
  !/^[a-z]:|\p{Cc}/iu.test(path) && path.split(/[/\\]/).every((part) => part !== "" && part !== "." && part !== "..");

const unclear = (page: URL, why: string): Error =>
  problem("E088", {
    at: `the list of files from ${page.origin}`,
    why,
    try: "check HF_ENDPOINT, or download the model by other means and name its folder",
  });

/** An address that requests can be made from. */
export function readEndpoint(text: string): string {
  try {
    const url = new URL(text);
    if (!/^https?:$/.test(url.protocol) || url.username || url.password) throw new Error("not such an address");
    return text.replace(/\/+$/, "");
  } catch (error) {
    const why = `it is no address like https://huggingface.co (${messageOf(error)})`;
    throw problem("E080", { at: `HF_ENDPOINT=${text}`, why, try: "unset it, or give the mirror's address" });
  }
}

/** A token as a header takes it. Other servers' tokens need not look like those of huggingface.co. */
export function readToken(text: string | undefined): string | undefined {
  const token = text?.trim();
  if (!token) return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const why = "it holds characters that no token has";
  throw problem("E080", { at: "HF_TOKEN", why, try: "set it to the token alone" });
}
