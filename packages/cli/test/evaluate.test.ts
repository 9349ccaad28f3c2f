import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { baselines, metrics } from "@vitrail/evaluation";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { inspect, methods, readWeights } from "vitrail";
import { chooseMethods, chooseMetrics, readGates, splitList } from "../src/evaluate/choose.js";
import { casesOf } from "../src/evaluate/classes.js";
import { type DataRequest, openData } from "../src/evaluate/data.js";
import { addEvaluationFlags } from "../src/evaluate/flags.js";
import { layersOf, openRandomiser } from "../src/evaluate/randomise.js";

const folder = (files: Readonly<Record<string, string>>): string => {
  const root = mkdtempSync(join(tmpdir(), "vitrail-data-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
};
const request = (spec: string, more: Partial<DataRequest> = {}): DataRequest => ({
  spec,
  seed: 0,
  skipBroken: false,
  ...more,
});
const labels = ["tabby, tabby cat", "dog", "object-like"];
const classes = { labels, count: 3 };

describe("choices", () => {
  test("options stay with their item", () => {
    expect(splitList(["deletion:fill=blur,score=logit,srg", "auprc"])).toEqual([
      "deletion:fill=blur,score=logit",
      "srg",
      "auprc",
    ]);
  });

  test("all methods but the baselines, from the registry; the seed goes to those that have one", () => {
    const { methods: chosen, named } = chooseMethods(undefined, 7);
    const taken = new Set(baselines.map(({ id }) => id));
    expect(chosen.map(({ id }) => id)).toEqual(methods.map(({ id }) => id).filter((id) => !taken.has(id)));
    expect(named.size).toBe(0);
    for (const { id, options } of chosen) {
      const seeded = methods.find((method) => method.id === id)!.options.some(({ name }) => name === "seed");
      expect(options).toEqual(seeded ? { seed: 7 } : {});
    }
  });

  test("groups by cost part all methods; what is named beside a group stays named", () => {
    const ids = (...texts: string[]) => chooseMethods(texts, 0).methods.map(({ id }) => id);
    expect(ids("many-runs")).toContain("rise");
    expect(ids("one-run")).not.toContain("rise");
    expect([...ids("one-run"), ...ids("many-runs")].sort()).toEqual(ids("all").sort());
    const { methods: both, named } = chooseMethods(["many-runs,rise,le-grad:layers=1"], 0);
    expect(both.filter(({ id }) => id === "rise").length).toBe(1);
    expect([...named]).toEqual(["rise", "le-grad:layers=1"]);
  });

  test("methods with options have names of their own; wrong ones are wrong use", () => {
    expect(chooseMethods(["le-grad:layers=1,le-grad"], 0).methods).toEqual([
      { name: "le-grad:layers=1", id: "le-grad", options: { layers: 1 } },
      { name: "le-grad", id: "le-grad", options: {} },
    ]);
    expect(() => chooseMethods(["random"], 0)).toThrow(/measured with every run/);
    expect(() => chooseMethods(["roll-out"], 0)).toThrow(/no such method/);
  });

  test("metrics by name, group or what the data offer", async () => {
    const words = await openData(request(join(folder({ "a.jsonl": '{"text": "a b", "label": "dog"}' }), "a.jsonl")));
    const planted = await openData(request("planted-shapes", { limit: 2 }));
    const names = (texts: string[] | undefined, data: typeof words) =>
      chooseMetrics(texts, data).map(({ name }) => name);
    expect(names(undefined, words)).toEqual(["srg", "class-sensitivity"]);
    expect(names(undefined, planted)).toContain("pointing-game");
    expect(names(undefined, planted)).not.toContain("token-f1");
    expect(names(["cost", "srg:steps=8,fill=zero"], words)).toEqual(["time", "memory", "srg:fill=zero,steps=8"]);
    expect(names(["auprc"], words)).toEqual(["auprc"]);
    expect(names(["all"], planted).every((name) => metrics.some(({ id }) => id === name))).toBe(true);
    expect(() => names(["pointing"], planted)).toThrow(/no metric "pointing"/);
    expect(() => readGates(["pointing-game=0.6"])).toThrow(/cannot read/);
  });
});

describe("the commands of docs/paper-tables.md", () => {
  const page = readFileSync(new URL("../../../docs/paper-tables.md", import.meta.url), "utf8");
  const commands = [...page.matchAll(/^npx vitrail evaluate ([^\\\n]*(?:\\\n[^\\\n]*)*)/gm)].map(([, text]) =>
    text!.replaceAll("\\\n", " ").trim().split(/\s+/),
  );
  const valuesOf = (words: readonly string[], flag: string) => {
    const rest = words.slice(words.indexOf(flag) + 1);
    const end = rest.findIndex((word) => word.startsWith("-"));
    return end < 0 ? rest : rest.slice(0, end);
  };

  test("name methods, options, metrics and flags that exist", async () => {
    expect(commands.length).toBe(6);
    const planted = await openData(request("planted-shapes", { limit: 1 }));
    const known = addEvaluationFlags(new Command(), "out").options.flatMap(({ long, short }) => [long, short]);
    for (const words of commands) {
      expect(chooseMethods(valuesOf(words, "--methods"), 0).named.size).toBeGreaterThanOrEqual(4);
      expect(chooseMetrics(valuesOf(words, "--metrics"), planted).length).toBeGreaterThanOrEqual(2);
      for (const flag of words.filter((word) => word.startsWith("-") && word !== "--metrics")) {
        expect(known).toContain(flag);
      }
    }
  });
});

describe("data", () => {
  const voc = (name: string, label: string) =>
    `<annotation><filename>${name}</filename><object><name>${label}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>`;
  const crops = JSON.stringify({
    sheet: "crops.png",
    tile: 96,
    columns: 2,
    side: 288,
    crops: [
      { photo: "p", labels: { dog: "present", cat: "uncounted" }, boxes: [{ label: "dog", box: [30, 0, 60, 30] }] },
      { photo: "p", labels: { dog: "absent" }, boxes: [] },
    ],
  });

  test.each([
    ["folder", { "dog/1.jpg": "", "tabby/2.png": "" }, undefined],
    ["imagenet", { "val.txt": "1.JPEG 1\n", "1.JPEG": "" }, undefined],
    ["voc", { "1.xml": voc("1.jpg", "dog"), "1.jpg": "" }, undefined],
    ["masks", { "images/dog/1.jpg": "", "masks/dog/1.png": "" }, undefined],
    ["sheet", { "crops.json": crops, "crops.png": "" }, undefined],
    ["coco", { "a.json": '{"images": [{"id": 1, "file_name": "1.jpg", "width": 2, "height": 2}]}' }, "a.json"],
    ["jsonl", { "a.jsonl": '{"text": "a"}' }, undefined],
    ["csv", { "a.csv": "text,label\nhello,1\n" }, "a.csv"],
    ["eraser", { "docs/d": "a b\n", "test.jsonl": '{"annotation_id": "d", "evidences": []}\n' }, undefined],
  ])("%s is recognised", async (format, files, inside) => {
    const data = await openData(request(join(folder(files as Record<string, string>), inside ?? "")));
    expect(data.format).toBe(format);
    expect(data.samples.length).toBeGreaterThan(0);
    expect(data.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  test("what is broken is named with its line, skipped only when asked, and counted", async () => {
    const path = join(folder({ "a.jsonl": '{"text": "a"}\n{"text": ""}\nnot json\n' }), "a.jsonl");
    await expect(openData(request(path))).rejects.toThrow(/2 of 3 rows are broken\n.*a\.jsonl:2 .*\n.*a\.jsonl:3 /);
    const { samples, broken, total } = await openData(request(path, { skipBroken: true }));
    expect([samples.length, broken.length, total]).toEqual([1, 2, 3]);
    await expect(openData(request("no-such-place"))).rejects.toThrow(/planted-shapes/);
    await expect(openData(request(folder({ "a.xyz": "" })))).rejects.toThrow(/not recognised/);
  });

  test("a larger limit keeps what a smaller one chose", async () => {
    const lines = Array.from({ length: 50 }, (_, i) => JSON.stringify({ id: i, text: `text ${i}` })).join("\n");
    const path = join(folder({ "a.jsonl": lines }), "a.jsonl");
    const ids = async (limit: number, seed = 0) =>
      (await openData(request(path, { limit, seed }))).samples.map(({ id }) => id);
    const [few, more] = [await ids(8), await ids(20)];
    expect(few.length).toBe(8);
    expect(few.every((id) => more.includes(id))).toBe(true);
    expect(await ids(8, 1)).not.toEqual(few);
  });

  test("a sheet's labels are explained only where they are present", async () => {
    const data = await openData(request(folder({ "crops.json": crops, "crops.png": "" })));
    expect(data.kind === "picture" && data.samples.map(({ labels, regions }) => [labels, regions[0]?.boxes])).toEqual([
      [["dog"], [{ x: 10, y: 0, width: 10, height: 10 }]],
      [[], undefined],
    ]);
    expect(casesOf(data, classes, { target: "labels" }).refs).toEqual([{ id: "p-0#dog", sample: 0, target: 1 }]);
  });
});

describe("cases", () => {
  const open = (files: Record<string, string>) => openData(request(folder(files)));

  test("one per class, by the label's name, and broken where the model has no such class", async () => {
    const data = await open({ "dog/1.jpg": "", "tabby cat/2.jpg": "", "zebra/3.jpg": "" });
    const { refs, broken, labelled } = casesOf(data, classes, { target: "labels" });
    expect(labelled).toBe(true);
    expect(refs.map(({ id, target }) => [id, target])).toEqual([
      ["dog/1.jpg#dog", 1],
      ["tabby cat/2.jpg#tabby cat", 0],
    ]);
    expect(broken).toEqual([{ file: "zebra/3.jpg", reason: 'no class of the model is called "zebra"' }]);
    expect(casesOf(data, classes, { target: "labels", only: ["dog"] }).refs.length).toBe(1);
    expect(casesOf(data, classes, { target: "predicted" }).refs.every(({ target }) => target === "predicted")).toBe(
      true,
    );
    expect(() => casesOf(data, classes, { target: "labels", only: ["object-like"] })).toThrow(/no sample is about/);
  });

  test("labels that say nothing to the model leave the choice to it", async () => {
    const data = await open({ "images/thing/1.jpg": "", "masks/thing/1.png": "" });
    const { refs, labelled, broken } = casesOf(data, classes, { target: "labels" });
    expect([labelled, refs[0]!.target, broken.length]).toEqual([false, "predicted", 0]);
  });

  test("synsets count in their order where the data hold every class", async () => {
    const files = Object.fromEntries(["n02000001", "n01000001", "n03000001"].map((name) => [`${name}/1.jpg`, ""]));
    const { refs } = casesOf(await open(files), classes, { target: "labels" });
    expect(refs.map(({ id, target }) => [id.slice(0, 9), target])).toEqual([
      ["n01000001", 0],
      ["n02000001", 1],
      ["n03000001", 2],
    ]);
    const few = await openData(request(folder(files), { limit: 1 }));
    expect(casesOf(few, classes, { target: "labels" }).refs.map(({ id, target }) => [id.slice(0, 9), target])).toEqual([
      [few.samples[0]!.id.slice(0, 9), Object.keys(files).sort().indexOf(few.samples[0]!.id)],
    ]);
  });
});

describe("random weights", () => {
  const model = readFileSync(new URL("../../../models/planted-shapes/onnx/model.onnx", import.meta.url));
  const sites = inspect(model).sites.map(({ node }) => node);

  test("lie between attention sites, the classifier in the last layer, none lost", () => {
    const layers = layersOf(model, sites);
    expect([sites.length, layers.length]).toEqual([4, 5]);
    const last = layers.at(-1)!.weights.map(({ values }) => values.length);
    expect(last).toContain(6 * 96);
    const count = layers.reduce((total, { weights }) => total + weights.length, 0);
    expect(count).toBe(readWeights(model).weights.length);
    expect(layersOf(model, []).length).toBe(1);
  });

  test("are the same for a seed, cascade from the output, and reach the first layer", async () => {
    const path = fileURLToPath(new URL("../../../models/planted-shapes/onnx/model.onnx", import.meta.url));
    const before = new Map(readWeights(model).weights.map(({ name, values }) => [name, values]));
    const changed = (bytes: Uint8Array) =>
      readWeights(bytes).weights.filter(({ name, values }) =>
        values.some((value, i) => value !== before.get(name)![i]),
      );
    const { depths, model: random } = await openRandomiser(path, sites, 1);
    const layers = layersOf(model, sites);
    const [last, all] = [random(1), random(depths)].map((bytes) => changed(bytes).map(({ name }) => name));
    expect(last).toEqual(layers.at(-1)!.weights.map(({ name }) => name));
    expect(all!.length).toBe(before.size);
    const again = await openRandomiser(path, sites, 1);
    const other = await openRandomiser(path, sites, 2);
    expect(Buffer.compare(random(1), again.model(1))).toBe(0);
    expect(Buffer.compare(random(1), other.model(1))).not.toBe(0);
  });
});
