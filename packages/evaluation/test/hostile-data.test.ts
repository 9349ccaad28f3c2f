/** Data that name files outside of their folder, and a disk that fills up while results grow. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { loadCoco } from "../src/data/coco.js";
import { diskFolder } from "../src/node/folder.js";
import { diskStore } from "../src/node/store.js";
import { openResults } from "../src/runner/results.js";

/** Bytes that still fit. */
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY }));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const writeSync = (handle: number, bytes: Buffer, at: number) => {
    const fits = bytes.subarray(at, at + Math.max(0, disk.room));
    disk.room -= fits.length;
    if (fits.length === 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    return fs.writeSync(handle, fits);
  };
  return { ...fs, writeSync };
});

const place = () => mkdtempSync(join(tmpdir(), "vitrail-data-"));

test.each(["../secret.png", "a/../../secret.png", "/etc/passwd", "..\\secret.png", "c:\\secret.png"])(
  "COCO's %s stays unread",
  (name) => {
    const coco = {
      images: [{ id: 1, file_name: name, width: 4, height: 4 }],
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 2, 2] }],
      categories: [{ id: 1, name: "cat" }],
    };
    expect(() => loadCoco(JSON.stringify(coco))).toThrow(/leaves the folder/);
    expect(loadCoco(JSON.stringify(coco), { broken: "skip" }).samples).toEqual([]);
  },
);

test("a folder gives nothing from outside of it", async () => {
  const root = place();
  writeFileSync(join(root, "a.txt"), "a");
  expect(await diskFolder(root).bytes("a.txt")).toEqual(Uint8Array.of(97));
  await expect(diskFolder(root).bytes("../a.txt")).rejects.toThrow(/leaves the folder/);
});

test("a full disk takes whole lines or nothing, and results go on from there", async () => {
  const path = join(place(), "results.jsonl");
  const row = (id: string) => ({ case: id, group: id, method: "m", values: {} });
  const first = diskStore(path);
  const results = await openResults(first, { seed: 0 });
  await results.append(row("a"));
  const before = readFileSync(path, "utf8");
  disk.room = 20;
  await expect(results.append(row("b"))).rejects.toThrow(/ENOSPC/);
  expect(readFileSync(path, "utf8")).toBe(before);
  disk.room = Number.POSITIVE_INFINITY;
  await results.append(row("c"));
  first.close();
  const second = diskStore(path);
  expect((await openResults(second, { seed: 0 })).rows.map((each) => each.case)).toEqual(["a", "c"]);
  second.close();
});
