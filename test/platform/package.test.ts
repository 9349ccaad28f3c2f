/** What people get: the packed tarball in an empty project, running the README's own lines. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, unpackVitrail } from "./packed.js";

const project = mkdtempSync(join(tmpdir(), "vitrail-package-"));

/** The dependencies of an installed package, as the workspace has them: nothing is fetched. */
const DEPENDENCIES = ["@bufbuild/protobuf", "onnxruntime-node", "onnxruntime-common"];

beforeAll(() => {
  unpackVitrail(join(project, "node_modules/vitrail"));
  for (const name of DEPENDENCIES) {
    mkdirSync(join(project, "node_modules", name, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
  }
  mkdirSync(join(project, "models"));
  cpSync(join(root, "models/blood-cells"), join(project, "models/blood-cells"), { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
});
afterAll(() => rmSync(project, { recursive: true }));

/** The fenced block between the README's code markers. */
function readmeCode(): string {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const part = readme.split("<!-- code:library -->")[1]?.split("<!-- /code:library -->")[0] ?? "";
  return /```ts\n([\s\S]*?)```/.exec(part)?.[1] ?? "";
}

describe("the packed package", () => {
  test("runs the README's lines and explains", () => {
    const code = readmeCode();
    expect(code).toContain('from "vitrail/node"');
    const given = `const pixel_values = { type: "float32", dims: [1, 3, 96, 96], data: new Float32Array(3 * 96 * 96).fill(0.25) };\n`;
    writeFileSync(join(project, "readme.mjs"), given + code);
    const printed = execFileSync(process.execPath, ["readme.mjs"], { cwd: project, encoding: "utf8" });
    expect(printed).toMatch(/Float32Array\(2\)/);
    expect(printed).toMatch(/\[ 1, 145 \]/);
  });

  test("holds no test, no source and no build state", () => {
    const files = execFileSync("find", [join(project, "node_modules/vitrail"), "-type", "f"], {
      encoding: "utf8",
    }).split("\n");
    expect(files.filter((f) => /\.test\.|tsbuildinfo|\/src\//.test(f))).toEqual([]);
    expect(files.some((f) => f.endsWith("dist/runtime/node/session-worker.js"))).toBe(true);
  });
});
