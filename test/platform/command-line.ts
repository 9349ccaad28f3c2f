import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { main } from "@vitrail/cli";

const bin = fileURLToPath(new URL("../../packages/cli/bin/vitrail.js", import.meta.url));

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command as a person would, and waits for it to end. */
export function vitrail(
  args: readonly string[],
  options: { input?: Uint8Array; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: temporaryFolder(),
    env: { ...process.env, NO_COLOR: "1", ...options.env },
  });
  const ran: Ran = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (data) => {
    ran.stdout += data;
  });
  child.stderr.on("data", (data) => {
    ran.stderr += data;
  });
  child.stdin.end(options.input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...ran, code }));
  });
}

/** The same inside this process, which is quicker: for what ends before there is much to do. */
export async function vitrailHere(args: readonly string[]): Promise<Ran> {
  const ran: Ran = { code: null, stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    write: (text: string) => {
      ran[name] += text;
    },
  });
  ran.code = await main(args, { stdout: stream("stdout"), stderr: stream("stderr") });
  return ran;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "vitrail-test-"));
}

/** The path of a golden file; compressed ones are unpacked first. */
export function golden(path: string): string {
  const plain = fileURLToPath(new URL(`../goldens/${path}`, import.meta.url));
  if (existsSync(plain)) return plain;
  const unpacked = join(unpackedFolder, basename(path));
  if (!existsSync(unpacked)) writeFileSync(unpacked, gunzipSync(readFileSync(`${plain}.gz`)));
  return unpacked;
}

const unpackedFolder = temporaryFolder();
