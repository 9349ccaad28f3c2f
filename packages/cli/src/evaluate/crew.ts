/** Worker threads, each with a bench of its own. A request goes to whoever is free; who does it changes no result. */
import { Worker } from "node:worker_threads";
import type { Job, ResultRow } from "@vitrail/evaluation";
import { VitrailError } from "vitrail";
import { problem } from "../problem.js";
import type { Shown, ShowRequest } from "./bench.js";
import type { Setup } from "./setup.js";
import type { Reply, Request } from "./worker.js";

export class Crew {
  private readonly all: Member[];
  private readonly free: Member[];
  private readonly waiting: ((member: Member) => void)[] = [];

  constructor(setup: Setup, size: number) {
    this.all = Array.from({ length: size }, () => new Member(setup));
    this.free = [...this.all];
  }

  perform(job: Job): Promise<readonly ResultRow[]> {
    return this.ask({ call: "perform", argument: job }) as Promise<readonly ResultRow[]>;
  }

  show(request: ShowRequest): Promise<Shown> {
    return this.ask({ call: "show", argument: request }) as Promise<Shown>;
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((member) => member.close()));
  }

  private async ask(request: Request): Promise<unknown> {
    const member = this.free.pop() ?? (await new Promise<Member>((resolve) => this.waiting.push(resolve)));
    try {
      return await member.ask(request);
    } finally {
      const next = this.waiting.shift();
      if (next) next(member);
      else this.free.push(member);
    }
  }
}

class Member {
  private readonly worker: Worker;
  private pending: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
  private over: unknown;

  constructor(setup: Setup) {
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: setup });
    this.worker.unref();
    this.worker.on("message", (reply: Reply) => this.settle(reply));
    this.worker.on("error", (error) => this.end(error.message));
    this.worker.on("exit", (code) => this.end(`it ended with code ${code}`));
  }

  ask(request: Request): Promise<unknown> {
    if (this.over) return Promise.reject(this.over);
    return new Promise((resolve, reject) => {
      this.pending = { resolve, reject };
      this.worker.ref();
      this.worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    if (!this.over) await this.ask({ call: "close" }).catch(() => undefined);
    await this.worker.terminate();
  }

  private settle({ result, error }: Reply): void {
    const { pending } = this;
    this.pending = undefined;
    this.worker.unref();
    if (!error) pending?.resolve(result);
    else pending?.reject(error.diagnostics ? new VitrailError(error.diagnostics) : new Error(error.message));
  }

  private end(why: string): void {
    const hint = "the results so far are kept: run the command again, with fewer --workers if memory was short";
    this.over ??= problem("E098", { why, try: hint });
    this.pending?.reject(this.over);
    this.pending = undefined;
  }
}
