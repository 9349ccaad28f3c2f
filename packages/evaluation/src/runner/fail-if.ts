/**
 * Gates for continuous integration: `pointing-game<0.6`, `deletion:fill=blur>=0.3`, `srg@attention-rollout<1`.
 * Without `@method` every judged method must pass; baselines are never judged. A figure that is missing does not pass.
 */
import { chooseMetric } from "../registry.js";
import type { EvaluationSummary } from "./summary.js";
import { figure } from "./table.js";

export interface Gate {
  readonly text: string;
  readonly metric: string;
  readonly method?: string;
  readonly operator: "<" | "<=" | ">" | ">=";
  readonly threshold: number;
}

const operators: Record<Gate["operator"], (value: number, threshold: number) => boolean> = {
  "<": (value, threshold) => value < threshold,
  "<=": (value, threshold) => value <= threshold,
  ">": (value, threshold) => value > threshold,
  ">=": (value, threshold) => value >= threshold,
};

export function parseGate(text: string): Gate {
  const match =
    /^\s*([^<>@]+?)\s*(?:@\s*([^<>@]+?)\s*)?(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*$/i.exec(text);
  if (!match)
    throw new RangeError(
      `cannot read "${text}"; write a metric, one of < <= > >= and a number, such as pointing-game<0.6`,
    );
  const [, metric, method, operator, threshold] = match;
  return {
    text: text.trim(),
    metric: chooseMetric(metric!).name,
    ...(method !== undefined && { method }),
    operator: operator as Gate["operator"],
    threshold: Number(threshold),
  };
}

/** Why gates fail; empty when all pass. */
export function failedGates(summary: EvaluationSummary, gates: readonly Gate[]): string[] {
  return gates.flatMap((gate) => {
    const cells = summary.cells.filter(
      (cell) =>
        cell.metric === gate.metric && (gate.method === undefined ? !cell.baseline : cell.method === gate.method),
    );
    if (cells.length === 0) return [`${gate.text}: nothing was measured`];
    return cells.flatMap(({ method, value, n }) =>
      Number.isFinite(value) && !operators[gate.operator](value, gate.threshold)
        ? []
        : [`${gate.text}: ${method} has ${figure(value)} (n = ${n})`],
    );
  });
}
