/** Unlucky runs of the command: too few files, a reader that goes away, a folder in use, names and places that are strange. */
import { spawn } from "node:child_process";
import { copyFileSync, cpSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryFolder, vitrail } from "./command-line.js";

const bin = fileURLToPath(new URL("../../packages/cli/bin/vitrail.js", import.meta.url));
const models = fileURLToPath(new URL("../../models", import.meta.url));
const cells = join(models, "blood-cells");
const picture = join(cells, "samples", readdirSync(join(cells, "samples")).sort()[0]!);

/** A command in a shell, to its end: exit code and everything that was said. */
function shell(line: string): Promise<{ code: number | null; said: string }> {
  const child = spawn("sh", ["-c", line], { cwd: temporaryFolder(), env: { ...process.env, NO_COLOR: "1" } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, said })));
}

const command = `"${process.execPath}" "${bin}"`;

test.each([24, 48])("with %i files at once it says what is short", async (files) => {
  const { code, said } = await shell(`ulimit -n ${files}; ${command} explain "${cells}" "${picture}"`);
  expect(said).toMatch(/E077[\s\S]*too many files[\s\S]*ulimit -n/);
  expect(said).not.toMatch(/node:internal|E090/);
  expect(code).toBe(4);
});

test("a reader that goes away ends it quietly, of either stream", async () => {
  for (const line of [`${command} methods | head -1`, `${command} methods nothing 2>&1 >/dev/null | head -1`]) {
    const { said } = await shell(line);
    expect(said).not.toMatch(/EPIPE|node:/);
  }
});

describe("one input never stops the others", () => {
  test("whatever it is called or turns out to be", async () => {
    const place = temporaryFolder();
    const long = join(place, `${"写".repeat(80)}.png`);
    copyFileSync(picture, long);
    writeFileSync(join(place, "broken.png"), "no picture");
    const out = join(place, "out");
    const inputs = [join(place, "broken.png"), "/dev/zero", long, picture];
    const { code, stderr } = await vitrail(["explain", cells, ...inputs, "-o", out, "-f", "json"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/E082[\s\S]*E081[\s\S]*device/);
    expect(readdirSync(out)).toHaveLength(2);
  });
});

describe("the folder of an evaluation", () => {
  const args = (out: string) => ["evaluate", cells, "--data", join(cells, "test-split"), "--limit", "1", "-o", out];
  const own = ["--methods", "raw-attention", "--metrics", "gini", "--workers", "1", "--gallery", "0"];

  test("belongs to one process; that of a dead one is taken over", async () => {
    const out = temporaryFolder();
    const lock = join(out, ".vitrail.lock");
    writeFileSync(lock, JSON.stringify({ pid: process.pid, host: hostname() }));
    const refused = await vitrail([...args(out), ...own]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/E076[\s\S]*in use/) });
    expect(existsSync(join(out, "results.jsonl"))).toBe(false);
    writeFileSync(lock, JSON.stringify({ pid: 2 ** 30, host: hostname() }));
    const { code } = await vitrail([...args(out), ...own]);
    expect(code).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });
});

test("a model that is taken away before it is read is said to be gone", async () => {
  const place = temporaryFolder();
  cpSync(cells, join(place, "cells"), { recursive: true });
  rmSync(join(place, "cells", "onnx"), { recursive: true });
  const { code, stderr } = await vitrail(["explain", join(place, "cells"), picture]);
  expect([code, stderr]).toEqual([4, expect.stringMatching(/E086/)]);
});
