/**
 * How a runtime computes the model that it is given, as far as the numbers depend on it: its optimiser puts several operators into
 * one, which rounds elsewhere, and on x86-64 processors without VNNI (or AVX-VNNI) products of unsigned and signed 8-bit integers
 * are added in pairs that saturate at 16 bits, unless the session option below turns the weights into unsigned ones.
 */
import { failure, problem } from "./problem.js";

/** What the runtime's optimiser does: nothing, what leaves every operator apart, or all (its default). */
export type Optimisation = "none" | "basic" | "all";

/** Sums of 8-bit products: as fast as the processor can, or exact on every processor. */
export type Int8 = "fast" | "exact";

export interface ExecutionOptions {
  /** What the runtime's optimiser may do (default: `all`). `none` computes each operator as it is written; it takes longer. */
  optimisation?: Optimisation | undefined;
  /**
   * `exact`: sums of 8-bit products are those of integers on every processor, rather than saturated on some (default: `fast`).
   * On a CPU it needs the optimiser (E035); WebAssembly and WebGPU add exactly in any case.
   */
  int8?: Int8 | undefined;
}

/** What was used, as answers record it. */
export interface Execution {
  readonly device: string;
  readonly optimisation: Optimisation;
  readonly int8: Int8;
}

/**
 * Weights become unsigned, whose sums do not saturate; a file that quantises and dequantises (QDQ) is computed in reals, since the
 * runtime refuses to turn weights that two nodes dequantise.
 */
export const exactSums = { x64quantprecision: "1", disable_quant_qdq: "1" } as const;

const levels = { none: "disabled", basic: "basic", all: "all" } as const;

/**
 * The runtime's names for it, and what was chosen.
 * @throws VitrailError E016 for a value that is none, E035 where the exact sums need an optimiser that is off
 */
export function executionOf(device: string, { optimisation = "all", int8 = "fast" }: ExecutionOptions) {
  if (!Object.hasOwn(levels, optimisation)) throw wrong("optimisation", optimisation, Object.keys(levels));
  if (int8 !== "fast" && int8 !== "exact") throw wrong("int8", int8, ["fast", "exact"]);
  const native = device === "cpu";
  if (native && int8 === "exact" && optimisation !== "all") {
    const why = `the runtime's optimiser makes them so, and optimisation is "${optimisation}"`;
    throw failure(problem("E035", { at: 'int8: "exact"', why, try: 'optimisation: "all", or device: "wasm"' }));
  }
  const used: Execution = { device, optimisation, int8: native ? int8 : "exact" };
  const session = native && int8 === "exact" ? exactSums : {};
  return { used, session, options: { graphOptimizationLevel: levels[optimisation] } };
}

function wrong(option: string, value: unknown, known: readonly string[]) {
  const why = `there is no ${JSON.stringify(value)}`;
  return failure(problem("E016", { at: `option "${option}"`, why, try: known.join(", ") }));
}
