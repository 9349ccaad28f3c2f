import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { LineStore } from "../runner/results.js";

/** Lines in a file. Each append is one write of whole bytes, so that a kill tears at most the last line. */
export function diskStore(path: string): LineStore & { close(): void } {
  mkdirSync(dirname(path), { recursive: true });
  const handle = openSync(path, "a+");
  return {
    async load() {
      const bytes = readFileSync(path);
      const end = bytes.lastIndexOf(10) + 1;
      if (end < bytes.length) ftruncateSync(handle, end);
      return bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
    },
    async append(line) {
      const bytes = Buffer.from(`${line}\n`);
      const before = fstatSync(handle).size;
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      } catch (error) {
        // A full disk takes a part of a line: nothing may be written behind it.
        ftruncateSync(handle, before);
        throw error;
      }
    },
    close: () => closeSync(handle),
  };
}
