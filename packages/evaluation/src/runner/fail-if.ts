/**
 * Gates for continuous integration, each the condition under which a run fails:
 *   pointing-game<0.6                     the figure
 *   pointing-game.low<0.6                 an end of its 95 % interval
 *   srg@attention-rollout<1               one method
 *   average-precision<before-0.02         against the same cell of a former summary
 * Without `@method` every judged method must pass; baselines are never judged. What is missing does not pass.
 */
import { chooseMetric } from "../registry.js";
import type { Cell, EvaluationSummary } from "./summary.js";
import { figure } from "./table.js";

export interface Gate {
  readonly text: string;
  readonly metric: string;
  /** What of the cell is judged; its figure when not said. */
  readonly bound?: "low" | "high";
  readonly method?: string;
  readonly operator: "<" | "<=" | ">" | ">=";
  readonly threshold: number;
  /** The threshold is counted from the former figure. */
  readonly fromBefore?: true;
}

const operators: Record<Gate["operator"], (value: number, threshold: number) => boolean> = {
  "<": (value, threshold) => value < threshold,
  "<=": (value, threshold) => value <= threshold,
  ">": (value, threshold) => value > threshold,
  ">=": (value, threshold) => value >= threshold,
};

export function parseGate(text: string): Gate {
  const number = String.raw`(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`;
  const match = new RegExp(
    String.raw`^\s*([^<>@]+?)\s*(?:@\s*([^<>@]+?)\s*)?(<=|>=|<|>)\s*(?:([-+]?${number})|(before)\s*([-+]\s*${number})?)\s*$`,
    "i",
  ).exec(text);
  if (!match)
    throw new RangeError(
      `cannot read "${text}"; write a metric (or metric.low, metric.high), one of < <= > >= and a number or before-0.02, such as pointing-game<0.6`,
    );
  const [, name = "", method, operator, absolute, before, change] = match;
  const [, metric = "", bound] = /^(.*?)(?:\.(low|high))?$/s.exec(name)!;
  return {
    text: text.trim(),
    metric: chooseMetric(metric).name,
    ...(bound !== undefined && { bound: bound as "low" | "high" }),
    ...(method !== undefined && { method }),
    operator: operator as Gate["operator"],
    threshold: Number((before === undefined ? absolute! : (change ?? "0")).replace(/\s/g, "")),
    ...(before !== undefined && { fromBefore: true }),
  };
}

/** Why gates fail; empty when all pass. `before`: the summary of a former run. */
export function failedGates(
  summary: EvaluationSummary,
  gates: readonly Gate[],
  before?: Pick<EvaluationSummary, "cells">,
): string[] {
  return gates.flatMap((gate) => {
    const cells = summary.cells.filter(
      (cell) =>
        cell.metric === gate.metric && (gate.method === undefined ? !cell.baseline : cell.method === gate.method),
    );
    if (cells.length === 0) return [`${gate.text}: nothing was measured`];
    return cells.flatMap((cell) => judged(gate, cell, before));
  });
}

function judged(gate: Gate, cell: Cell, before: Pick<EvaluationSummary, "cells"> | undefined): string[] {
  const { method, n } = cell;
  const value = cell[gate.bound ?? "value"];
  const former = before?.cells.find((one) => one.metric === cell.metric && one.method === method)?.value;
  if (gate.fromBefore && former === undefined) return [`${gate.text}: ${method} is not in the former summary`];
  const threshold = gate.fromBefore ? former! + gate.threshold : gate.threshold;
  if (Number.isFinite(value) && !operators[gate.operator](value, threshold)) return [];
  const was = gate.fromBefore ? `, before ${figure(former!)}` : "";
  return [`${gate.text}: ${method} has ${figure(value)}${was} (n = ${n})`];
}
