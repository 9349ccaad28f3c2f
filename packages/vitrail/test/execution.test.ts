/** What a runtime is told about the numbers, and what of it is recorded. */
import { expect, test } from "vitest";
import { executionOf } from "../src/runtime/execution.js";

test("all that the optimiser does, and the sums of the processor, by default", () => {
  const { used, session, options } = executionOf("cpu", {});
  expect(used).toEqual({ device: "cpu", optimisation: "all", int8: "fast" });
  expect(session).toEqual({});
  expect(options).toEqual({ graphOptimizationLevel: "all" });
});

test("exact sums are an option of the native runtime, and what the others give anyway", () => {
  expect(executionOf("cpu", { int8: "exact" }).session).toMatchObject({ x64quantprecision: "1" });
  const elsewhere = executionOf("wasm", { optimisation: "none" });
  expect(elsewhere.session).toEqual({});
  expect(elsewhere.used).toEqual({ device: "wasm", optimisation: "none", int8: "exact" });
});

test("exact sums without the optimiser that makes them are refused, other words too", () => {
  for (const optimisation of ["none", "basic"] as const)
    expect(() => executionOf("cpu", { optimisation, int8: "exact" })).toThrow(/^E035/);
  expect(() => executionOf("cpu", { optimisation: "some" as "all" })).toThrow(/E016[\s\S]*none, basic, all/);
  expect(() => executionOf("cpu", { int8: "toString" as "fast" })).toThrow(/E016[\s\S]*fast, exact/);
});
