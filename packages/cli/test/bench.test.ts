/** What a bench prints of methods of one run and of many. */
import { expect, test } from "vitest";
import { spreadOf } from "../src/bench/measure.js";
import { benchLines, benchRows } from "../src/bench/report.js";
import { Terminal } from "../src/terminal.js";

const common = {
  forward: spreadOf([10, 10, 10]),
  explain: spreadOf([50, 50, 50]),
  prediction: spreadOf([1, 1, 1]),
  memory: 2e8,
  extra: undefined,
};
const built = {
  ...common,
  name: "generic-attention",
  forwards: spreadOf([5, 5, 5]),
  compiled: { compileMs: 80, patchBytes: 34_000, nodes: { original: 281, added: 282 } },
};
const driven = { ...common, name: "rise", forwards: spreadOf([100, 102]), compiled: undefined };
const providers = [
  { device: "cpu", plain: { forward: common.forward, memory: 1e8 }, methods: [built, driven] },
] as const;

test("what is no graph has neither patch nor further targets, and says how many rounds it had time for", () => {
  const machine = { processor: "a processor", cores: 2, node: "20", vitrail: "0", threads: 2, rounds: 3 };
  const lines = benchLines("model.onnx", [], providers, machine, new Terminal({ color: false }).colors);
  const [of, after] = [lines.indexOf("  generic-attention"), lines.indexOf("  rise")];
  const named = (from: number, to?: number) => lines.slice(from, to).map((line) => line.slice(2, 21).trim());
  const shared = ["explanation", "prediction alone", "peak memory"];
  expect(named(of + 1, after)).toEqual([shared[0], "each more target", shared[1], shared[2], "compile", "patch"]);
  expect(named(after + 1, after + 5)).toEqual([...shared, ""]);
  expect(lines[of + 1]).not.toMatch(/rounds/);
  expect(lines[after + 1]).toMatch(/101 forwards \(101 to 102\), 50.0 ms, 2 rounds$/);
  const [one, many] = benchRows(providers).providers[0]!.methods;
  expect(one).toMatchObject({ compileMs: 80, patchBytes: 34_000, nodes: { added: 282 }, rounds: 3 });
  expect(many).toMatchObject({ compileMs: null, patchBytes: null, nodes: null, rounds: 2 });
});
