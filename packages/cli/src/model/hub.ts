import { existsSync } from "node:fs";
import { join } from "node:path";
import { refuseTooLarge } from "vitrail/node";
import { asVitrailError, problem } from "../problem.js";
import type { Terminal } from "../terminal.js";
import { chooseFiles, externalNames } from "./choose.js";
import { cachedSnapshot, cacheFolder, checkLinks, linkBlob, listSnapshot, writeReference } from "./hub-cache.js";
import { downloadFile, fileAddress, isSystemError, unwritable } from "./hub-download.js";
import { isCommit, listRemote, readEndpoint, readToken, staysInside } from "./hub-listing.js";
import { ask, refusal, type Source, Unreachable } from "./hub-request.js";
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
  if (!staysInside(revision)) {
    const why = "it is no name of a branch, a tag or a commit";
    throw problem("E080", { at: `--revision ${revision}`, why, try: "main, or a commit of 40 hex digits" });
  }
  const cached = await cachedSnapshot(id, revision);
  const usable = async () => {
    if (!cached) return undefined;
    const paths = await listSnapshot(cached);
    if (!complete(paths, options)) return undefined;
    await checkLinks(id, cached, paths);
    return cached;
  };
  if (isOffline()) {
    const folder = await usable();
    if (folder !== undefined) return folder;
    const hint = "unset HF_HUB_OFFLINE once, so that it can be downloaded";
    throw problem("E088", { at: id, why: "it is not in the cache, and HF_HUB_OFFLINE is set", try: hint });
  }
  const source: Source = {
    endpoint: readEndpoint(process.env.HF_ENDPOINT || "https://huggingface.co"),
    id,
    revision,
    token: readToken(process.env.HF_TOKEN ?? process.env.HF_ACCESS_TOKEN),
    note: (text) => terminal.note(text),
  };
  try {
    return await download(source, options, terminal);
  } catch (error) {
    const folder = error instanceof Unreachable ? await usable() : undefined;
    if (folder === undefined) throw explain(source, error);
    terminal.note(`${source.endpoint} cannot be reached; using the copy in the cache`);
    return folder;
  }
}

async function download(source: Source, { dtype, purpose }: OpenModelOptions, terminal: Terminal) {
  const files = await listRemote(source);
  const paths = [...files.keys()];
  const { model, text } = chooseFiles(paths, source.id, dtype, purpose);
  const models = text === undefined ? [model] : [model, text];
  for (const path of models) refuseTooLarge(files.get(path)!.size, `${source.id}: ${path}`);
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
      await linkBlob(source.id, blob, join(snapshot, file.path));
    }
  } finally {
    bar.end();
  }
  await checkLinks(
    source.id,
    snapshot,
    needed.map(({ path }) => path),
  );
  await writeReference(source.id, source.revision, commit);
  return snapshot;
}

/** The commit that a revision stands for, which names the snapshot's folder. */
async function commitOf(source: Source, path: string): Promise<string> {
  if (isCommit(source.revision)) return source.revision;
  const address = fileAddress(source, path);
  const named = (response: Response) => isCommit(response.headers.get("x-repo-commit") ?? "");
  const { response, end } = await ask(source, address, { method: "HEAD", enough: named });
  end();
  if (named(response)) return response.headers.get("x-repo-commit")!;
  if (response.status >= 400) throw refusal(source, response, path);
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

function explain(source: Source, error: unknown): Error {
  if (error instanceof Unreachable) {
    const hint = "check the network or HF_ENDPOINT; a local folder works without one";
    return problem("E088", { at: source.id, why: error.message, try: hint });
  }
  return isSystemError(error) ? unwritable(cacheFolder(source.id), error) : asVitrailError(error);
}
