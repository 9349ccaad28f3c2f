/** onnxruntime-node with plain numbers in and out. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { saturatingWeights } from "../../packages/vitrail/src/ops/saturation.js";
import { exactSums } from "../../packages/vitrail/src/runtime/execution.js";
import type { ElementType } from "../../packages/vitrail/src/tensor/element-type.js";
import { fromFloat16 } from "../../packages/vitrail/src/tensor/half.js";

export interface NumberArray {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}
export type Arrays = Readonly<Record<string, NumberArray>>;

export interface Session {
  readonly run: (feeds: Arrays, fetches?: readonly string[]) => Promise<Arrays>;
  readonly release: () => Promise<void>;
}

/**
 * Without graph optimisation, so that each node is computed as it is written; `optimized` runs what users run, but for products of
 * 8-bit integers: their exact sums on every processor (see runtime/execution.ts; the option works in the optimiser).
 */
export async function open(
  bytes: Uint8Array,
  optimized = false,
  externalData: readonly { path: string; data: Uint8Array }[] = [],
): Promise<Session> {
  if (!optimized) refuseSaturating(bytes);
  const session = await InferenceSession.create(bytes, {
    ...(externalData.length > 0 && { externalData }),
    graphOptimizationLevel: optimized ? "all" : "disabled",
    extra: { session: exactSums },
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  return {
    run: async (feeds, fetches = session.outputNames) => {
      const tensors = Object.fromEntries(Object.entries(feeds).map(([name, a]) => [name, tensorFrom(a)]));
      const results = await session.run(tensors, [...fetches]);
      return Object.fromEntries(fetches.map((name) => [name, arrayFrom(results[name]!)]));
    },
    release: () => session.release(),
  };
}

/** Exact 8-bit sums are found by the optimiser: without it, a test of wide signed weights would depend on the processor. */
function refuseSaturating(bytes: Uint8Array): void {
  const [first] = saturatingWeights(bytes);
  if (first)
    throw new Error(
      `products with "${first}" saturate on some processors: open it optimised, or keep weights within ±64`,
    );
}

/** Opens, runs once and releases. */
export async function run(bytes: Uint8Array, feeds: Arrays, optimized = false): Promise<Arrays> {
  const session = await open(bytes, optimized);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

export const array = (type: ElementType, values: readonly number[], dims: readonly number[]): NumberArray => ({
  type,
  dims,
  values,
});

function tensorFrom({ type, dims, values }: NumberArray): Tensor {
  switch (type) {
    case "float32":
      return new Tensor("float32", Float32Array.from(values), dims);
    case "float64":
      return new Tensor("float64", Float64Array.from(values), dims);
    case "float16":
      return new Tensor("float16", Uint16Array.from(values, toFloat16), dims);
    case "int64":
      return new Tensor("int64", BigInt64Array.from(values, BigInt), dims);
    case "int32":
      return new Tensor("int32", Int32Array.from(values), dims);
    case "int8":
      return new Tensor("int8", Int8Array.from(values), dims);
    case "uint8":
      return new Tensor("uint8", Uint8Array.from(values), dims);
    case "bool":
      return new Tensor("bool", Uint8Array.from(values), dims);
    default:
      throw new Error(`no feeds of type ${type}`);
  }
}

function arrayFrom({ type, dims, data }: Tensor): NumberArray {
  const half = type === "float16" && data instanceof Uint16Array;
  const values = Array.from(data as ArrayLike<number | bigint>, (x) => (half ? fromFloat16(x as number) : Number(x)));
  return { type: type as ElementType, dims, values };
}

/** The nearest binary16; what is too large becomes infinite. */
function toFloat16(x: number): number {
  const magnitude = Math.abs(x);
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 2 ** -14)));
  const bits = ((exponent + 14) << 10) + Math.round(magnitude / 2 ** (exponent - 10));
  return (x < 0 ? 0x8000 : 0) + Math.min(bits, 0x7c00);
}
