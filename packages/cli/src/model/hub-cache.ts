import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";

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
  return existsSync(snapshot) ? snapshot : undefined;
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
export async function linkBlob(blob: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
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
