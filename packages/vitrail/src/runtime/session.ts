import type { Feeds, Outputs } from "./tensor.js";

/** Which part of a compiled file is run: `prediction` is the original model, which is the file's prefix. */
export type Part = "explanation" | "prediction";

/** All that an explainer asks of a runtime. */
export interface Session {
  run(feeds: Feeds, part: Part): Promise<Outputs>;
  close(): Promise<void>;
}

/** A runtime's own session, over bytes. */
export interface NativeSession {
  run(feeds: Feeds): Promise<Outputs>;
  release(): Promise<void>;
}

export type OpenNative = (bytes: Uint8Array) => Promise<NativeSession>;

/**
 * One session over a compiled file. Running it always computes the explanation (a runtime does not prune by fetch list),
 * so the prediction gets a session of its own over the first `prefix` bytes, made when it is first asked for. Runs and the
 * making of sessions wait for one another: the web runtime allows no two at once, and on a CPU they would share its cores.
 */
export async function pairSession(bytes: Uint8Array, prefix: number, open: OpenNative): Promise<Session> {
  const parts: Partial<Record<Part, NativeSession>> = {};
  let last: Promise<unknown> = Promise.resolve();
  const queue = <T>(task: () => Promise<T>): Promise<T> => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
  const part = async (which: Part): Promise<NativeSession> => {
    parts[which] ??= await open(which === "explanation" ? bytes : bytes.subarray(0, prefix));
    return parts[which];
  };
  await queue(() => part("explanation"));
  return {
    run: (feeds, which) => queue(async () => (await part(which)).run(feeds)),
    close: () =>
      queue(async () => {
        await parts.explanation?.release();
        await parts.prediction?.release();
        delete parts.explanation;
        delete parts.prediction;
      }),
  };
}
