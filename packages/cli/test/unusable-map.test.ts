/** A map that explains nothing is a failure of its input; the other maps and inputs are kept. */
import { expect, test } from "vitest";
import type { VitrailError } from "vitrail";
import type { Explanation } from "vitrail/node";
import { explainAll, problemOf } from "../src/explain/run.js";
import type { Answer, Answerer } from "../src/explain/work.js";
import type { Source } from "../src/input/source.js";
import { Terminal } from "../src/terminal.js";

/** An answer whose parts have these problems. */
const answer = (name: string, ...codes: (string | undefined)[]): Answer => {
  const parts = codes.map((code) => ({
    explanation: { problem: () => code && { code, title: "", kind: "input" } } as unknown as Explanation,
    row: 0,
  }));
  const scores = [{ index: 0, logit: 1, label: "cat" }];
  return {
    sample: { name },
    chosen: { kind: "class", index: [0], class: 0, places: [] },
    scores,
    parts,
  } as unknown as Answer;
};

test("input by input", async () => {
  const pages = [
    [answer("not finite in one window", undefined, "E040")],
    [answer("zero for two targets", "E041"), answer("zero for two targets", "E041")],
  ];
  const sources = pages.map(([first]) => ({ name: first!.sample.name, load: async () => [first!.sample] }));
  const work: Answerer = { answer: async () => pages };
  const terminal = new Terminal({ quiet: true });
  const outcome = await explainAll(sources as unknown as Source[], work, { batchSize: 3, terminal });
  expect(outcome.answered).toBe(0);
  const failures = outcome.failures.map(({ input, error }) => [input, (error as VitrailError).diagnostics[0]!.code]);
  expect(failures).toEqual([
    ["not finite in one window", "E040"],
    ["zero for two targets", "E041"],
    ["zero for two targets", "E041"],
  ]);
});

test("an input that cannot be run does not stop those that it shares a run with", async () => {
  const names = ["good", "bad", "also good"];
  const sources = names.map((name) => ({ name, kind: "picture", load: async () => [{ name }] }));
  const rows = { name: "rows", kind: "tensors", load: async () => [{ name: "rows[0]" }, { name: "bad" }] };
  const work: Answerer = {
    answer: async (samples) => {
      if (samples.some(({ name }) => name === "bad")) throw new Error("NaN");
      return samples.map(() => []);
    },
  };
  const terminal = new Terminal({ quiet: true });
  const outcome = await explainAll([...sources, rows] as unknown as Source[], work, { batchSize: 9, terminal });
  expect(outcome.answered).toBe(3);
  expect(outcome.failures.map(({ input }) => input)).toEqual(["bad", "bad"]);
});

test("a window of a long text may have no part in the answer", () => {
  expect(problemOf(answer("zero in one window", "E041", undefined))).toBeUndefined();
  expect(problemOf(answer("zero in all", "E041", "E041"))!.message).toMatch(
    /^E041.*\n {2}at {4}the map of a higher cat$/,
  );
});
