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

/** @param mappedFrom the folder of the file that holds the weights which `bytes` only refer to */
export type OpenNative = (bytes: Uint8Array, mappedFrom?: string) => Promise<NativeSession>;

/**
 * The two sessions of a compiled file. Running the whole of it always computes the explanation (a runtime does not prune by
 * fetch list), so the prediction gets a session of its own over the original, made when it is first asked for. Runs and the
 * making of that session wait for one another: the web runtime allows no two at once, and on a CPU they would share its cores.
 * Where nothing was appended, `openPrediction` is undefined and one session serves both.
 */
export function pairSession(explanation: NativeSession, openPrediction?: () => Promise<NativeSession>): Session {
  let prediction: NativeSession | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const queue = <T>(task: () => Promise<T>): Promise<T> => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
  const run = async (feeds: Feeds, part: Part): Promise<Outputs> => {
    if (part === "explanation" || !openPrediction) return explanation.run(feeds);
    prediction ??= await openPrediction();
    return prediction.run(feeds);
  };
  const release = async (): Promise<void> => {
    await explanation.release();
    await prediction?.release();
  };
  return { run: (feeds, part) => queue(() => run(feeds, part)), close: () => queue(release) };
}
