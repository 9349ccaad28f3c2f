/** The house as it stands: who may import whom, what the core may know, how long a file may be. */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { version } from "../src/version.js";

/** From the ground up. A file imports from its own layer and from those before it. */
const LAYERS: readonly (readonly string[])[] = [
  ["errors.ts", "version.ts"],
  ["tensor"],
  ["guard.ts"],
  ["onnx"],
  ["ir"],
  ["ops"],
  ["lift"],
  ["canonicalize"],
  ["gradient"],
  ["flow"],
  ["relevance"],
  ["analysis.ts", "outline.ts", "seed.ts"],
  ["methods"],
  ["explain.ts", "metadata.ts", "options.ts"],
  ["weights.ts"],
  ["emit"],
  ["evidence.ts", "report.ts"],
  ["compile.ts", "vector.ts"],
  ["inspect.ts", "prepare.ts"],
  ["index.ts"],
  ["runtime"],
];

const src = new URL("../src/", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, src), "utf8");
const files = (readdirSync(src, { recursive: true }) as string[])
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !path.includes("generated/"))
  .sort();

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Static and dynamic imports, comments and strings aside. */
function importsOf(path: string): Import[] {
  const source = read(path).replace(/\/\*[\s\S]*?\*\//g, "");
  const found = source.matchAll(/^(?:import|export)\s+(type\s)?[^"';]*?from\s+"([^"]+)"|import\("([^"]+)"\)/gm);
  return [...found].map(([, type, fixed, dynamic]) => {
    const to = (fixed ?? dynamic)!;
    const inside = posix.join(posix.dirname(path), to).replace(/\.js$/, ".ts");
    return { from: path, to: to.startsWith(".") ? inside : to, typeOnly: type !== undefined || dynamic !== undefined };
  });
}
const imports = files.flatMap(importsOf);
const inside = imports.filter((i) => files.includes(i.to) || i.to.includes("generated/"));
const outside = imports.filter((i) => !inside.includes(i));
const layerOf = (path: string): number => LAYERS.findIndex((names) => names.includes(path.split("/")[0]!));

describe("layers", () => {
  test("every file has one", () => {
    expect(files.filter((path) => layerOf(path) < 0)).toEqual([]);
    expect(imports.length).toBeGreaterThan(100);
  });

  test("imports go down only", () => {
    const upwards = inside.filter((i) => layerOf(i.to) > layerOf(i.from)).map((i) => `${i.from} -> ${i.to}`);
    expect([...new Set(upwards)]).toEqual([]);
  });

  test("no file imports itself by way of others", () => {
    const next = new Map(files.map((f) => [f, inside.filter((i) => i.from === f && !i.typeOnly).map((i) => i.to)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (path: string, above: readonly string[]): void => {
      if (above.includes(path)) cycles.push([...above.slice(above.indexOf(path)), path].join(" -> "));
      if (above.includes(path) || done.has(path)) return;
      for (const to of next.get(path) ?? []) walk(to, [...above, path]);
      done.add(path);
    };
    for (const path of files) walk(path, []);
    expect(cycles).toEqual([]);
  });
});

describe("the core", () => {
  const platform = (path: string): boolean => /^runtime\/(node|web)\//.test(path);
  const json = (path: string) => JSON.parse(read(path));

  test("compiles without DOM and Node types", () => {
    const base = json("../../../tsconfig.base.json").compilerOptions;
    const core = json("../tsconfig.json");
    expect([base.lib, base.types, base.strict]).toEqual([["ES2023"], [], true]);
    expect(core.extends).toBe("../../tsconfig.base.json");
    expect(core.include).toEqual(["src"]);
    expect(core.exclude.sort()).toEqual(["src/runtime/node", "src/runtime/web"]);
    expect(core.compilerOptions.lib ?? core.compilerOptions.types).toBeUndefined();
    expect(files.filter((path) => read(path).includes("/// <reference"))).toEqual([]);
  });

  test("depends on the protobuf library alone", () => {
    const { dependencies } = json("../package.json");
    expect(Object.keys(dependencies)).toEqual(["@bufbuild/protobuf"]);
    const foreign = outside.filter((i) => !platform(i.from) && !/^@bufbuild\/protobuf(\/|$)/.test(i.to));
    expect(foreign).toEqual([]);
    const onPlatform = outside.filter((i) => platform(i.from) && !/^(node:|onnxruntime-(node|web)(\/|$))/.test(i.to));
    expect(onPlatform.map((i) => `${i.from} -> ${i.to}`)).toEqual([]);
  });

  test("has the version of its package", () => expect(version).toBe(json("../package.json").version));

  test("has no file of more than 500 lines", () => {
    const long = files.map((path) => [path, read(path).split("\n").length] as const).filter(([, n]) => n > 501);
    expect(long).toEqual([]);
  });
});
