import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { problem } from "../problem.js";
import { isCommit } from "./hub-listing.js";

/** The cache that every Hugging Face tool shares: `models--owner--name/{blobs,refs,snapshots}`. */
export const cacheFolder = (id: string): string => join(cacheRoot(), `models--${id.replace("/", "--")}`);

export function cacheRoot(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface");
  return HF_HUB_CACHE ?? HUGGINGFACE_HUB_CACHE ?? join(home, "hub");
}

/** The folder of a revision that was downloaded before. */
export async function cachedSnapshot(id: string, revision: string): Promise<string | undefined> {
  const folder = cacheFolder(id);
  const reference = join(folder, "refs", revision);
  const commit = existsSync(reference) ? (await readFile(reference, "utf8")).trim() : revision;
  const snapshot = join(folder, "snapshots", commit);
  return isCommit(commit) && existsSync(snapshot) ? snapshot : undefined;
}

/**
 * Every file of a snapshot lies in the model's own folder of the cache, wherever links lead.
 * @throws VitrailError E087 where one does not
 */
export async function checkLinks(id: string, snapshot: string, paths: readonly string[]): Promise<void> {
  const home = await realpath(cacheFolder(id));
  for (const path of paths) {
    const file = join(snapshot, path);
    if (!existsSync(file) || (await realpath(file)).startsWith(home + sep)) continue;
    const hint = `remove ${cacheFolder(id)}, and run the command again`;
    throw problem("E087", { at: file, why: "it is a link that leads out of the cache", try: hint });
  }
}

export async function listSnapshot(snapshot: string): Promise<string[]> {
  const files = await readdir(snapshot, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => !file.isDirectory())
    .map((file) => relative(snapshot, join(file.parentPath, file.name)).replaceAll("\\", "/"));
}

export async function writeReference(id: string, revision: string, commit: string): Promise<void> {
  if (revision === commit) return;
  const reference = join(cacheFolder(id), "refs", revision);
  await mkdir(dirname(reference), { recursive: true });
  await writeFile(`${reference}.tmp`, commit);
  await rename(`${reference}.tmp`, reference);
}

/** Puts a blob into a snapshot: a relative link, or a copy where the system knows no links. Never half of it. */
export async function linkBlob(id: string, blob: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await checkLinks(id, dirname(path), ["."]);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    // A link that leads nowhere any more is in the way of a new one: rename replaces it.
    await symlink(relative(dirname(path), blob), temporary).catch(() => copyFile(blob, temporary));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
