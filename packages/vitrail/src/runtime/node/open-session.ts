import type { NativeSession } from "../session.js";
import { nativeRuntime } from "./native.js";
import type { RuntimeOptions } from "./protocol.js";

/**
 * A session of the runtime itself over any model, on the caller's own thread: for measuring, and for whoever keeps threads of
 * their own. `explainerOver` makes an explainer of one. Errors as in `createExplainer`.
 */
export async function openSession(model: Uint8Array, runtime: RuntimeOptions = {}): Promise<NativeSession> {
  const open = await nativeRuntime(runtime);
  return open(model);
}
