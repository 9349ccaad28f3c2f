import { existsSync } from "node:fs";
import { join } from "node:path";
import { HubApiError, listFiles } from "@huggingface/hub";
import { asVitrailError, messageOf, problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import { chooseFiles, externalNames } from "./choose.js";
import { cachedSnapshot, cacheFolder, linkBlob, listSnapshot, writeReference } from "./hub-cache.js";
import {
  codeOf,
  downloadFile,
  fileAddress,
  isSystemError,
  type RemoteFile,
  refusal,
  type Source,
  unwritable,
} from "./hub-download.js";
import type { OpenModelOptions } from "./open.js";

const wanted = [
  "config.json",
  "preprocessor_config.json",
  "processor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "1_Pooling/config.json",
];

/** Brings a model of the Hub into the usual cache and gives its folder there. */
export async function downloadModel(id: string, options: OpenModelOptions, terminal: Terminal): Promise<string> {
  const { revision = "main" } = options;
  const cached = await cachedSnapshot(id, revision);
  if (isOffline()) {
    if (cached && complete(await listSnapshot(cached), options)) return cached;
    const hint = "unset HF_HUB_OFFLINE once, so that it can be downloaded";
    throw problem("E088", { at: id, why: "it is not in the cache, and HF_HUB_OFFLINE is set", try: hint });
  }
  const token = process.env.HF_TOKEN ?? process.env.HF_ACCESS_TOKEN;
  const source: Source = {
    endpoint: (process.env.HF_ENDPOINT ?? "https://huggingface.co").replace(/\/+$/, ""),
    id,
    revision,
    headers: token ? { Authorization: `Bearer ${token}` } : {},
  };
  try {
    return await download(source, token, options, terminal);
  } catch (error) {
    if (cached && isUnreachable(error) && complete(await listSnapshot(cached), options)) {
      terminal.note(`${source.endpoint} cannot be reached; using the copy in the cache`);
      return cached;
    }
    throw explain(source, error);
  }
}

async function download(
  source: Source,
  token: string | undefined,
  { dtype, purpose }: OpenModelOptions,
  terminal: Terminal,
) {
  const files = await listRemote(source, token);
  const paths = [...files.keys()];
  const { model, text } = chooseFiles(paths, source.id, dtype, purpose);
  const models = text === undefined ? [model] : [model, text];
  // A model comes after what belongs to it: where it is, the rest is too.
  const weights = models.flatMap((path) => [...externalNames(paths, path), path]);
  const needed = [...wanted, ...weights].flatMap((path) => files.get(path) ?? []);
  const commit = await commitOf(source, model);
  // A branch may move on while its files come in; a commit does not.
  const pinned = { ...source, revision: commit };
  const folder = cacheFolder(source.id);
  const snapshot = join(folder, "snapshots", commit);
  const missing = needed.filter(({ path }) => !existsSync(join(snapshot, path)));
  const bar = terminal.progress(
    source.id,
    missing.reduce((sum, { size }) => sum + size, 0),
    "bytes",
  );
  try {
    for (const file of missing) {
      const blob = join(folder, "blobs", file.hash);
      if (!existsSync(blob)) await downloadFile(pinned, file, blob, (count) => bar.step(count));
      await linkBlob(blob, join(snapshot, file.path));
    }
  } finally {
    bar.end();
  }
  await writeReference(source.id, source.revision, commit);
  return snapshot;
}

async function listRemote({ id, endpoint, revision }: Source, token: string | undefined) {
  const files = new Map<string, RemoteFile>();
  const credentials = token ? { accessToken: token } : {};
  const listing = listFiles({ repo: id, recursive: true, hubUrl: endpoint, revision, ...credentials });
  for await (const { type, path, size, oid, lfs } of listing) {
    if (type === "file")
      files.set(path, { path, size: lfs?.size ?? size, hash: (lfs?.oid ?? oid ?? "").replace(/^sha256:/, "") });
  }
  return files;
}

/** The commit that a revision stands for, which names the snapshot's folder. */
async function commitOf(source: Source, path: string): Promise<string> {
  if (/^[0-9a-f]{40}$/.test(source.revision)) return source.revision;
  const address = fileAddress(source, path);
  const response = await fetch(address, { method: "HEAD", redirect: "manual", headers: source.headers });
  const commit = response.headers.get("x-repo-commit");
  if (commit && /^[0-9a-f]{40}$/.test(commit)) return commit;
  if (response.status >= 400) throw refusal(source, response.status, path, codeOf(response));
  throw problem("E088", { at: address, why: "the server does not say the commit", try: "--revision with a commit" });
}

function complete(paths: readonly string[], { dtype, purpose }: OpenModelOptions): boolean {
  try {
    return chooseFiles(paths, "", dtype, purpose).model !== "";
  } catch {
    return false;
  }
}

const isOffline = (): boolean => /^(1|true|yes|on)$/i.test(process.env.HF_HUB_OFFLINE ?? "");
const isUnreachable = (error: unknown): boolean => error instanceof TypeError && messageOf(error) === "fetch failed";

function explain(source: Source, error: unknown): Error {
  if (error instanceof HubApiError) return refusal(source, error.statusCode, source.revision);
  if (isUnreachable(error)) {
    const cause = (error as Error).cause;
    const why = `${source.endpoint} cannot be reached (${cause ? messageOf(cause) : messageOf(error)})`;
    const hint = "check the network or HF_ENDPOINT; a local folder works without one";
    return problem("E088", { at: source.id, why, try: hint });
  }
  return isSystemError(error) ? unwritable(cacheFolder(source.id), error) : asVitrailError(error);
}
