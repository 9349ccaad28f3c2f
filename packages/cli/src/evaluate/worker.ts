/** The thread in which one bench stands: it answers one request after the other. */
import { parentPort, workerData } from "node:worker_threads";
import type { Job } from "@vitrail/evaluation";
import { VitrailError } from "vitrail";
import { messageOf } from "../problem.js";
import { openBench, type ShowRequest } from "./bench.js";
import type { Setup } from "./setup.js";

export type Request =
  | { readonly call: "perform"; readonly argument: Job }
  | { readonly call: "show"; readonly argument: ShowRequest }
  | { readonly call: "close" };

export interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly diagnostics?: VitrailError["diagnostics"] };
}

const bench = openBench(workerData as Setup);
bench.catch(() => undefined);

async function answer(request: Request): Promise<unknown> {
  const { perform, show, close } = await bench;
  if (request.call === "perform") return perform(request.argument);
  return request.call === "show" ? show(request.argument) : close();
}

parentPort!.on("message", async (request: Request) => {
  let reply: Reply;
  try {
    reply = { result: await answer(request) };
  } catch (error) {
    const diagnostics = error instanceof VitrailError ? { diagnostics: error.diagnostics } : {};
    reply = { error: { message: messageOf(error), ...diagnostics } };
  }
  parentPort!.postMessage(reply);
  if (request.call === "close") parentPort!.close();
});
