import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryFolder, vitrail } from "./command-line.js";

/** The command `evaluate` as it was built, on the planted models. */
const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "packages/cli/bin/vitrail.js");
const sentences = join(root, "models/planted-sentences");
const limit = 8;
const methods = ["attention-rollout", "raw-attention"];
const rowsOf = (out: string): string[] => {
  const path = join(out, "results.jsonl");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(1, -1) : [];
};
const argsFor = (out: string, workers: number, ...more: string[]) => [
  ...["evaluate", sentences, "--data", "planted-sentences", "--limit", `${limit}`, "--seed", "3", "-o", out],
  ...["--methods", ...methods, "--metrics", "token-f1", "auprc", "srg:steps=30", "--workers", `${workers}`, ...more],
];
const summaryOf = (out: string) => JSON.parse(readFileSync(join(out, "summary.json"), "utf8"));
const total = limit * (methods.length + 3);

/** Starts the command and kills it, without any warning, as soon as so many rows are written. */
function killAt(rows: number, out: string): Promise<number> {
  const child = spawn(process.execPath, [bin, ...argsFor(out, 2)], { stdio: "ignore" });
  return new Promise((resolve) => {
    const watch = setInterval(() => {
      if (rowsOf(out).length >= rows) child.kill("SIGKILL");
    }, 2);
    child.on("close", () => {
      clearInterval(watch);
      resolve(rowsOf(out).length);
    });
  });
}

describe("evaluate", () => {
  const whole = temporaryFolder();

  test("measures, says it, and writes rows, summary, CSV and a report", async () => {
    const { code, stdout, stderr } = await vitrail(argsFor(whole, 1));
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/attention-rollout +\d\.\d+ \[\d\.\d+, \d\.\d+\]/);
    expect(rowsOf(whole).length).toBe(total);
    const summary = summaryOf(whole);
    expect(summary.header).toMatchObject({ model: "planted-sentences", seed: 3, "broken rows": 0 });
    expect(summary.header.command).toContain("--data planted-sentences");
    expect(summary.methods).toEqual([...methods, "random", "centre", "area"]);
    expect(summary.cells.every((cell: { n: number }) => cell.n === limit)).toBe(true);
    expect(readFileSync(join(whole, "summary.csv"), "utf8")).toMatch(/^metric,direction,method/);
    const report = readFileSync(join(whole, "report.html"), "utf8");
    expect(report).toContain("Best and worst samples");
    expect(report).not.toMatch(/(src|href)="(?!data:)/);
  });

  test("survives kills at several moments: no line lost, none twice, the same figures with other workers", async () => {
    const out = temporaryFolder();
    const seen = [];
    for (const rows of [1, 6, 20]) seen.push(await killAt(rows, out));
    for (const count of seen) expect(count).toBeLessThan(total);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const { code, stdout } = await vitrail(argsFor(out, 3));
    expect(code).toBe(0);
    expect(stdout).toMatch(/cases were measured before|→/);
    expect(rowsOf(out).sort()).toEqual(rowsOf(whole).sort());
    const [{ cells }, expected] = [summaryOf(out), summaryOf(whole)];
    expect(cells).toEqual(expected.cells);
  });

  test("gates end with code 5, one JSON document on standard output; nothing is measured again", async () => {
    const before = readFileSync(join(whole, "results.jsonl"), "utf8");
    const gates = ["--fail-if", "auprc<0.01", "--fail-if", "token-f1@raw-attention<1.1"];
    const { code, stdout, stderr } = await vitrail(argsFor(whole, 1, "--json", ...gates));
    expect(code).toBe(5);
    const document = JSON.parse(stdout);
    expect(document.gates.map(({ failed }: { failed: string[] }) => failed.length)).toEqual([0, 1]);
    expect(stderr).toMatch(/gate token-f1@raw-attention<1\.1: raw-attention has/);
    expect(readFileSync(join(whole, "results.jsonl"), "utf8")).toBe(before);
  });

  test("refuses to mix seeds, and says what is wrong with names and data", async () => {
    const other = await vitrail(argsFor(whole, 1).with(7, "4"));
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/seed was 3, is 4[\s\S]*--fresh/)]);
    const metric = await vitrail(argsFor(whole, 1, "--metrics", "pointing"));
    expect([metric.code, metric.stderr]).toEqual([2, expect.stringContaining('no metric "pointing"')]);
    const data = await vitrail(argsFor(whole, 1).with(3, "nowhere"));
    expect([data.code, data.stderr]).toEqual([4, expect.stringContaining("no such file or folder")]);
    rmSync(whole, { recursive: true });
  });
});

describe("data", () => {
  test("texts longer than the model reads are counted, and broken rows named with line and reason", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "texts.jsonl");
    const long = "the film was good . ".repeat(200);
    const rows = [
      { id: "short", text: "the film was good", label: "1", spans: [[13, 17]] },
      { id: "long", text: long, label: "1", spans: [[13, 17]] },
      { id: "late", text: long, label: "1", spans: [[long.length - 7, long.length - 3]] },
      { id: "none", text: "", label: "1" },
    ];
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
    const args = ["evaluate", sentences, "--data", path, "--methods", "raw-attention", "--metrics", "gini", "--json"];
    const strict = await vitrail([...args, "-o", folder]);
    expect([strict.code, strict.stderr]).toEqual([4, expect.stringMatching(/texts\.jsonl:4 +has no text/)]);
    const { code, stdout, stderr } = await vitrail([...args, "-o", folder, "--skip-broken"]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("in 1 of them evidence lies behind it")]);
    const { shortened, brokenRows } = JSON.parse(stdout);
    expect(shortened).toEqual({ cases: 2, evidenceLost: 1 });
    expect(brokenRows).toEqual({ total: 4, rows: [{ file: "texts.jsonl", at: 4, reason: "has no text" }] });
    const report = readFileSync(join(folder, "report.html"), "utf8");
    expect(report).toContain("2 of 3 cases are longer than what the model reads");
    expect(report).toContain("texts.jsonl:4: has no text");
    expect(rowsOf(folder).filter((row) => JSON.parse(row).shortened).length).toBe(2 * 4);
  });
});

describe("sanity", () => {
  test("rollout is not class-specific; maps of random weights are other maps, those of baselines stay", async () => {
    const args = ["evaluate", sentences, "--data", "planted-sentences", "--limit", "3", "--workers", "1", "--json"];
    const chosen = ["--methods", ...["attention-rollout", "gradient-x-input"]];
    const metrics = ["--metrics", "class-sensitivity", "weight-randomisation"];
    const { code, stdout } = await vitrail([...args, ...chosen, ...metrics]);
    expect(code).toBe(0);
    const cells: { method: string; metric: string; value: number; notes: object }[] = JSON.parse(stdout).cells;
    const cell = (method: string, metric: string) =>
      cells.find((one) => one.method === method && one.metric === metric)!;
    expect(cell("attention-rollout", "class-sensitivity")).toMatchObject({
      value: 0,
      notes: { "not class-specific": 3 },
    });
    expect(cell("gradient-x-input", "class-sensitivity").value).toBeGreaterThan(0.1);
    expect(cell("random", "weight-randomisation").value).toBe(1);
    for (const method of ["attention-rollout", "gradient-x-input"])
      expect(cell(method, "weight-randomisation").value).toBeLessThan(0.9);
  });
});

describe("axioms", () => {
  test("conservation tells rules that keep relevance from those that double it; who has no rules is left out", async () => {
    const args = ["evaluate", sentences, "--data", "planted-sentences", "--limit", "2", "--metrics", "conservation"];
    const methods = ["transformer-attribution", "partial-lrp", "generic-attention"];
    const { code, stdout } = await vitrail([...args, "--methods", ...methods, "--workers", "1", "--json"]);
    expect(code).toBe(0);
    const { cells, missing } = JSON.parse(stdout);
    const figureOf = (id: string) => cells.find((cell: { method: string }) => cell.method === id)?.value;
    expect(figureOf("transformer-attribution")).toBeLessThan(1e-3);
    expect(figureOf("partial-lrp")).toBeGreaterThan(1);
    expect(figureOf("generic-attention") ?? null).toBeNull();
    expect(missing).toEqual([{ metric: "conservation", needs: "block-sums", count: 8 }]);
  });
});

describe("cost", () => {
  test("memory is the peak of a process that makes one map; rows that use no model have none", async () => {
    const args = ["evaluate", sentences, "--data", "planted-sentences", "--limit", "2", "--workers", "2", "--json"];
    const { code, stdout } = await vitrail([...args, "--methods", "raw-attention", "--metrics", "memory", "time"]);
    expect(code).toBe(0);
    const { cells, missing } = JSON.parse(stdout);
    const [memory] = cells.filter((cell: { metric: string }) => cell.metric === "memory");
    expect([memory.method, memory.n]).toEqual(["raw-attention", 2]);
    expect(memory.value).toBeGreaterThan(40);
    expect(memory.value).toBeLessThan(1000);
    expect(missing).toEqual([{ metric: "memory", needs: "memory-meter", count: 6 }]);
  });
});

describe("diff", () => {
  const model = (name: string) => join(root, "models", name);
  const data = ["--data", "planted-shapes", "--limit", "2", "--workers", "1", "--json"];

  test("two models on the same pictures: decisions, maps, and what chance would give", async () => {
    const args = ["diff", model("planted-shapes"), model("planted-shortcut"), ...data, "--methods", "raw-attention"];
    const { code, stdout } = await vitrail([...args, "--fail-if", "map-agreement<0.99"]);
    expect(code).toBe(5);
    const { header, methods, metrics, cells } = JSON.parse(stdout);
    expect(header).toMatchObject({ model: "planted-shapes", "held against": "planted-shortcut" });
    expect(methods).toEqual(["raw-attention", "random"]);
    const names = ["same-decision", "probability-change", "map-agreement", "top-overlap"];
    expect(metrics.map(({ name }: { name: string }) => name)).toEqual(names);
    expect(cells.length).toBe(8);
  });

  test("a model agrees with itself; other inputs are refused", async () => {
    const same = await vitrail(["diff", model("planted-shapes"), model("planted-shapes"), ...data]);
    const cells: { method: string; metric: string; value: number }[] = JSON.parse(same.stdout).cells;
    const value = (metric: string) => cells.find((cell) => cell.metric === metric && cell.method !== "random")!.value;
    expect([value("same-decision"), value("probability-change"), value("top-overlap")]).toEqual([1, 0, 1]);
    expect(value("map-agreement")).toBeCloseTo(1, 9);
    const { code, stderr } = await vitrail(["diff", model("planted-shapes"), sentences, ...data]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/differ in inputs, preprocessing, tokenizer, labels/)]);
  });
});
