/** Explainers of driven methods over plain sessions, as `vitrail/node` and `vitrail/web` make them. */
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Arrays } from "../../../../test/support/runtime.js";
import type { CompileOptions } from "../../src/options.js";
import { exactSums } from "../../src/runtime/execution.js";
import { type Explainer, explainerOver } from "../../src/runtime/explainer.js";
import { load } from "../../src/runtime/load.js";
import { type NativeSession, pairSession } from "../../src/runtime/session.js";
import { type Feeds, type Outputs, tensor } from "../../src/runtime/tensor.js";
import { toFloat16 } from "../../src/tensor/half.js";

export interface Counted {
  readonly explainer: Explainer;
  /** Rows that were fed to each session so far. */
  readonly rows: { explanation: number; prediction: number };
}

export async function drivenExplainer(model: Uint8Array, options: CompileOptions): Promise<Counted> {
  const { original, toRun, findings } = load(model, options);
  const rows = { explanation: 0, prediction: 0 };
  const open = async (content: Uint8Array, part: keyof typeof rows): Promise<NativeSession> => {
    const session = await InferenceSession.create(content, {
      extra: { session: exactSums },
      logSeverityLevel: 4,
      intraOpNumThreads: 1,
    });
    return {
      run: async (feeds) => {
        const own = Object.entries(feeds).map(([name, t]) => [
          name,
          new OrtTensor(t.type as "float32", t.data as Float32Array, t.dims),
        ]);
        rows[part] += feeds[findings.metadata.explains]!.dims[0]!;
        return (await session.run(Object.fromEntries(own))) as unknown as Outputs;
      },
      release: () => session.release(),
    };
  };
  const first = await open(toRun?.(original) ?? original, toRun ? "explanation" : "prediction");
  const session = pairSession(first, toRun && (() => open(original, "prediction")));
  return { explainer: explainerOver(session, findings), rows };
}

export const toFeeds = (arrays: Arrays): Feeds =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, { type, dims, values }]) => {
      const data = {
        float32: () => Float32Array.from(values),
        float64: () => Float64Array.from(values),
        float16: () => Uint16Array.from(values, toFloat16),
        int64: () => BigInt64Array.from(values, BigInt),
        int32: () => Int32Array.from(values),
        bool: () => Uint8Array.from(values),
      }[type as "float32"]();
      return [name, tensor(data, dims, type)];
    }),
  );
