/** One process at a time works in an output folder that results grow in. A lock of a process that is gone is taken over. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { problem, systemMessage } from "../problem.js";

const held = new Set<string>();

/** Locks a folder and gives what unlocks it. @throws VitrailError E076 where another process holds it */
export function lockFolder(folder: string): () => void {
  const path = join(folder, ".vitrail.lock");
  const own = JSON.stringify({ pid: process.pid, host: hostname() });
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, own, { flag: "wx" });
      held.add(path);
      return () => {
        if (held.delete(path)) rmSync(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        throw problem("E085", { at: folder, why: systemMessage(error), try: "choose another folder with -o" });
      }
    }
    const before = contentOf(path);
    if (attempt === 3 || (before !== undefined && isAlive(before, path))) throw inUse(folder, path, before);
    removeStale(path, before);
  }
}

/** Out of the way first, then looked at: in the meantime another process may have made a lock of its own. */
function removeStale(path: string, before: string | undefined): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (contentOf(aside) === before) rmSync(aside, { force: true });
    else renameSync(aside, path);
  } catch {
    // Somebody else was faster: the next attempt sees what is there now.
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function isAlive(content: string, path: string): boolean {
  const { pid, host } = ownerOf(content);
  if (pid === undefined) return false;
  // Whether a process of another machine lives cannot be asked.
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function ownerOf(content: string): { pid?: number; host?: unknown } {
  try {
    const { pid, host } = JSON.parse(content) as { pid?: unknown; host?: unknown };
    return Number.isSafeInteger(pid) && (pid as number) > 0 ? { pid: pid as number, host } : {};
  } catch {
    return {};
  }
}

function inUse(folder: string, path: string, content = ""): Error {
  const { pid } = ownerOf(content);
  const why = pid === undefined ? "another process works in it" : `process ${pid} works in it`;
  return problem("E076", { at: folder, why, try: `another -o FOLDER, or wait; if no process does, remove ${path}` });
}
