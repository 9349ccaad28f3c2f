import { Worker } from "node:worker_threads";
import { VitrailError } from "../../errors.js";
import { failure, messageOf, problem } from "../problem.js";
import type { CallName, Calls, Reply } from "./protocol.js";

interface Pending {
  resolve(value: never): void;
  reject(error: unknown): void;
}

/** Calls to one worker thread. The thread keeps the process alive only while it has something to answer. */
export class WorkerClient {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private readonly ended: Promise<void>;
  private count = 0;
  private over: unknown;

  constructor(script: URL) {
    this.worker = new Worker(script, workerOptions());
    this.worker.unref();
    this.worker.on("message", (reply: Reply) => this.settle(reply));
    this.worker.on("error", (error) => this.end(crashed(messageOf(error))));
    this.ended = new Promise((resolve) => {
      this.worker.on("exit", (code) => {
        this.end(crashed(`it ended with code ${code}`));
        resolve();
      });
    });
  }

  call<Name extends CallName>(
    call: Name,
    argument: Calls[Name]["argument"],
    moved: readonly ArrayBuffer[] = [],
  ): Promise<Calls[Name]["result"]> {
    if (this.over) return Promise.reject(this.over);
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.worker.postMessage({ id, call, argument }, moved);
      this.pending.set(id, { resolve: resolve as Pending["resolve"], reject });
      this.worker.ref();
    });
  }

  /** Lets the calls that are under way finish: a run must not be cut off in the middle. */
  async close(): Promise<void> {
    if (this.over) return this.ended;
    const done = this.call("close", null);
    await done.catch(() => undefined);
    this.worker.ref();
    await this.ended;
  }

  private settle(reply: Reply): void {
    const waiting = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if (this.pending.size === 0) this.worker.unref();
    if ("result" in reply) waiting?.resolve(reply.result as never);
    else waiting?.reject(errorOf(reply.error));
  }

  private end(error: unknown): void {
    this.over ??= error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

/**
 * Compiling makes short-lived objects, and a small nursery for them is enough (20 MB less for as long as the worker lives). A worker
 * inherits the flags of its process, of which `node --input-type=module -e` has one that only fits code on a line.
 */
const workerOptions = () => ({
  resourceLimits: { maxYoungGenerationSizeMb: 8 },
  ...(process.execArgv.some((flag) => flag.startsWith("--input-type")) && { execArgv: [] }),
});

const errorOf = ({ message, diagnostics }: Extract<Reply, { error: object }>["error"]): Error =>
  diagnostics ? new VitrailError(diagnostics) : new Error(message);

const crashed = (why: string) =>
  failure(problem("E069", { why, try: "free memory, use fewer threads or a smaller batch" }));
