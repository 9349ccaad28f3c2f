import { describe, expect, test } from "vitest";
import type { Stability } from "vitrail/node";
import { stabilityLine, stabilityOf } from "../src/explain/stability.js";
import type { Answer } from "../src/explain/work.js";

const steady: Stability = { weak: 0, magnification: 40, blocks: [1, 0.998], poor: false };
const shaky: Stability = { weak: 0.021, magnification: 3.2e7, blocks: [0.97, 1], poor: true };

/** An answer of several windows, of which only the reading is looked at. */
const answer = (...readings: (Stability | undefined)[]): Answer => {
  const parts = readings.map((reading, row) => ({ row, explanation: { stability: () => reading } }));
  return { parts } as unknown as Answer;
};

describe("the stability of an answer", () => {
  test("is that of its least steady window", () => {
    expect(stabilityOf(answer(steady, shaky, steady))).toBe(shaky);
    expect(stabilityOf(answer(steady))).toBe(steady);
    expect(stabilityOf(answer(undefined))).toBeUndefined();
  });

  test("is one line", () => {
    expect(stabilityLine(shaky)).toBe(
      "stability: rounding errors grow up to 3.2e+7 times; 2.1 % of the relevance passed weak denominators; its sum block by block: 0.970 1.00",
    );
  });
});
