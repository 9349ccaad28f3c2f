import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** Packs `vitrail` as it is published, and unpacks it into `folder`. */
export function unpackVitrail(folder: string): void {
  const place = mkdtempSync(join(tmpdir(), "vitrail-packed-"));
  const said = execFileSync("npm", ["pack", "--json", "--silent", "-w", "vitrail", "--pack-destination", place], {
    cwd: root,
    encoding: "utf8",
  });
  const { filename } = (JSON.parse(said.slice(said.indexOf("["))) as [{ filename: string }])[0];
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["xzf", join(place, filename), "-C", folder, "--strip-components=1"]);
}
