/** The figures of one model, method and provider, each measured in a process of its own. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Diagnostic, diagnostic, VitrailError } from "vitrail";
import type { BenchReply, BenchRequest, Measurement } from "./perform.js";

export type Bench = Omit<BenchRequest, "measurement">;

/** No `extra` where the model takes one target at a time only, and for methods of many runs. */
export type MethodFigures = BenchReply["explain"] &
  BenchReply["memory"] & { readonly extra: BenchReply["targets"]["extra"] | undefined };

export const measurePlain = (bench: Bench): Promise<BenchReply["alone"]> => measure("alone", bench);

export async function measureMethod(bench: Bench): Promise<MethodFigures> {
  const explain = await measure("explain", bench);
  const { memory } = await measure("memory", bench);
  if (!explain.compiled) return { ...explain, memory, extra: undefined };
  const targets = await measure("targets", bench).catch((error: unknown) => {
    // One target at a time is all that some operators allow: that is no failure of the rest.
    if (error instanceof VitrailError && error.diagnostics.every(({ code }) => code === "E034")) return undefined;
    throw error;
  });
  return { ...explain, memory, extra: targets?.extra };
}

/** @throws VitrailError with what the other process met */
export function measure<M extends Measurement>(measurement: M, bench: Bench): Promise<BenchReply[M]> {
  const child = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    child.once("message", (message: { reply: BenchReply[M] } | { diagnostics: Diagnostic[] }) => {
      if ("reply" in message) resolve(message.reply);
      else reject(new VitrailError(message.diagnostics));
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const why = `the process that measures ended with ${signal ?? `code ${code}`}`;
      reject(new VitrailError([diagnostic("E067", "", { why, try: "a smaller batch or picture, or more memory" })]));
    });
    child.send({ ...bench, measurement });
  });
}
