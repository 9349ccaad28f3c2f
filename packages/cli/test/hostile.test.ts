/** Files and names that strangers made: each is refused in words or taken, at once, and none stops the others. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { preprocess, readPreprocessing } from "@vitrail/picture";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { explainAll } from "../src/explain/run.js";
import type { Sample } from "../src/explain/sample.js";
import { readBytes, readJson } from "../src/input/file.js";
import { forDrawing, readPicture } from "../src/input/picture.js";
import type { Source } from "../src/input/source.js";
import { readTextFile } from "../src/input/text-sample.js";
import { labelsOf, openFolder } from "../src/model/folder.js";
import { lockFolder } from "../src/output/lock.js";
import { fileStem, freeName, uniqueStems } from "../src/output/name.js";
import { escaped, visible, visibleInColour } from "../src/output/visible.js";
import { asVitrailError, exitCodeOf } from "../src/problem.js";
import { Terminal } from "../src/terminal.js";

const folder = () => mkdtempSync(join(tmpdir(), "vitrail-strange-"));
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder(), name);
  writeFileSync(path, content);
  return path;
};

describe("names", () => {
  const text = fc.string({ unit: "binary", maxLength: 300 });

  test("fit every file system, whatever they are made of", () => {
    fc.assert(
      fc.property(text, text, (stem, label) => {
        const name = fileStem(stem, "transformer-attribution", { index: "12-345-vs-678", label });
        expect(Buffer.byteLength(`${name}-99.json.1234567.tmp`)).toBeLessThanOrEqual(255);
        expect(name).toBe(Buffer.from(name).toString("utf8"));
      }),
    );
    expect(fileStem("写".repeat(80), "lrp")).toBe(`${"写".repeat(26)}__lrp`);
  });

  test("that are long and equal still come apart", () => {
    const stems = uniqueStems(["写".repeat(90), "写".repeat(91), "写".repeat(92)]);
    expect(new Set(stems.map((stem) => fileStem(stem, "lrp"))).size).toBe(3);
  });

  test("are not given twice", () => {
    const taken = new Set<string>();
    expect(["a", "A", "b", "a"].map((name) => freeName(name, taken))).toEqual(["a", "A-2", "b", "a-3"]);
  });
});

describe("a terminal", () => {
  const nasty = "\x1b]0;owned\x07\x1b[2Jname\u202e\u2066\x9b31m\r";

  test("is never driven by what is shown", () => {
    const chunks: string[] = [];
    const stream = (isTTY: boolean) => ({ isTTY, write: (part: string) => chunks.push(part) });
    for (const isTTY of [false, true]) {
      const terminal = new Terminal({}, stream(isTTY), stream(false));
      terminal.say(nasty);
      terminal.print(terminal.colors.red(nasty));
      terminal.complain(nasty);
      terminal.json({ name: nasty });
    }
    const shown = chunks.join("");
    expect(shown).toContain("name");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(shown.replace(/\x1b\[\d+m/g, "")).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
  });

  test("keeps its colours, tabs and lines, and JSON its meaning", () => {
    expect(visibleInColour("\x1b[31mred\x1b[39m\tx\n")).toBe("\x1b[31mred\x1b[39m\tx\n");
    expect(visible("\x1b[31m\u202e")).toBe("␛[31m<U+202E>");
    expect(JSON.parse(escaped(JSON.stringify(nasty)))).toBe(nasty);
  });
});

describe("files", () => {
  test("are files: no folder, device or pipe", async () => {
    const pipe = join(folder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const path of [pipe, "/dev/zero", folder()]) await expect(readBytes(path)).rejects.toThrow(/E081/);
    await expect(readPicture("/dev/zero")).rejects.toThrow(/E081[\s\S]*device/);
    await expect(readTextFile(pipe)).rejects.toThrow(/E081[\s\S]*pipe/);
    await expect(readBytes(file("a", "12345"), { most: 4 })).rejects.toThrow(/E081[\s\S]*at most/);
  });

  test("in JSON may begin with a byte order mark, and are never repeated in an error", async () => {
    expect(await readJson(file("a.json", '\uFEFF{"a":1}'))).toEqual({ a: 1 });
    const error = await readJson(file("a.json", "root:x:0:0")).catch((thrown: Error) => thrown.message);
    expect(error).toMatch(/E087[\s\S]*it is not JSON/);
    expect(error).not.toContain("root");
  });

  test("with settings that are none", async () => {
    for (const content of ["null", "[]", "7"]) {
      const path = file("config.json", content);
      writeFileSync(join(path, "..", "model.onnx"), "");
      await expect(openFolder(join(path, ".."))).rejects.toThrow(/E087/);
    }
  });
});

test("labels are read up to a sensible number", () => {
  expect(labelsOf({ id2label: { 2: "c" } })).toEqual(["class 0", "class 1", "c"]);
  for (const index of ["1000000000", "-1", "1.5", "length", "1e3"])
    expect(() => labelsOf({ id2label: { [index]: "x" } })).toThrow(/E087/);
  expect(() => labelsOf({ id2label: "cat" as never })).toThrow(/E087/);
});

describe("pictures", () => {
  test("of a few bytes and gigabytes of pixels are refused at once", async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="16000" height="16000"><rect width="9" height="9"/></svg>';
    await expect(readPicture(file("huge.svg", svg))).rejects.toThrow(/E082[\s\S]*16000 x 16000/);
  });

  test("settings that make a picture larger than any model sees", () => {
    const raster = { width: 2, height: 2, channels: 3 as const, data: new Uint8Array(12) };
    for (const size of [{ shortest_edge: 1e9 }, { height: 1e9, width: 1 }, { height: 30_000, width: 30_000 }]) {
      const settings = readPreprocessing({ image_processor_type: "ViTImageProcessor", size }, {});
      expect(() => preprocess(raster, settings)).toThrow(/pixels are prepared/);
    }
  });

  test("are drawn smaller where they are very large", async () => {
    const raster = { width: 8192, height: 4096, channels: 1 as const, data: new Uint8Array(8192 * 4096) };
    const { width, height, data } = await forDrawing(raster);
    expect(width * height).toBeLessThanOrEqual(2 ** 24);
    expect(width / height).toBeCloseTo(2, 2);
    expect(data.length).toBe(width * height);
  });
});

describe("a folder in which results grow", () => {
  test("is for one process at a time", () => {
    const place = folder();
    const unlock = lockFolder(place);
    expect(() => lockFolder(place)).toThrow(/E076/);
    unlock();
    expect(readdirSync(place)).toEqual([]);
    lockFolder(place)();
  });

  test.each([
    ["of a process that is gone", JSON.stringify({ pid: 2 ** 30, host: hostname() })],
    ["of an earlier process of this number", JSON.stringify({ pid: process.pid, host: hostname() })],
    ["that is damaged", "{"],
  ])("a lock %s is taken over", (_, content) => {
    const place = folder();
    writeFileSync(join(place, ".vitrail.lock"), content);
    lockFolder(place)();
    expect(readdirSync(place)).toEqual([]);
  });

  test.each([
    ["of a process that lives", JSON.stringify({ pid: process.ppid, host: hostname() })],
    ["of another machine", JSON.stringify({ pid: 1, host: "elsewhere.invalid" })],
  ])("a lock %s is left", (_, content) => {
    const place = folder();
    writeFileSync(join(place, ".vitrail.lock"), content);
    expect(() => lockFolder(place)).toThrow(/E076[\s\S]*\.vitrail\.lock/);
    expect(readFileSync(join(place, ".vitrail.lock"), "utf8")).toBe(content);
  });
});

test("what the operating system says is no mistake of ours", () => {
  const refused = Object.assign(new Error("EMFILE: too many open files"), {
    code: "EMFILE",
    errno: -24,
    syscall: "open",
  });
  expect(asVitrailError(refused).message).toMatch(/E077[\s\S]*ulimit -n/);
  expect(exitCodeOf(refused)).toBe(4);
});

describe("one input never stops the others", () => {
  const sample = (name: string) => ({ name, stem: name, kind: "tensors", parts: [] }) as unknown as Sample;
  const source = (name: string): Source => ({ name, kind: "tensors", load: async () => [sample(name)] });
  const quiet = new Terminal({ quiet: true }, { write: () => {} }, { write: () => {} });
  const work = {
    answer: async (samples: readonly Sample[]) => {
      if (samples.some(({ name }) => name === "bad")) throw new Error("no");
      return samples.map(() => []);
    },
  };

  test("of its batch", async () => {
    const run = { batchSize: 3, terminal: quiet };
    const { answered, failures } = await explainAll(["a", "bad", "b"].map(source), work, run);
    expect(answered).toBe(2);
    expect(failures.map(({ input }) => input)).toEqual(["bad"]);
  });
});

test("a place that is taken away in the middle is said in words", async () => {
  const place = folder();
  expect(existsSync(place)).toBe(true);
  mkdirSync(join(place, "a"));
  await expect(readBytes(join(place, "a", "gone"))).rejects.toThrow(/E081[\s\S]*no such file/);
});
