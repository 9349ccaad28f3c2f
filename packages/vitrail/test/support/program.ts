/** Compiled models in tests: feeds, maps, and what the merged file holds. */
import { type Arrays, array, open } from "../../../../test/support/runtime.js";
import { pictures, type VitStyle } from "../../../../test/support/vit.js";
import { compile } from "../../src/compile.js";
import { readModel } from "../../src/onnx/model.js";
import type { CompileOptions } from "../../src/options.js";
import { elementCount } from "../../src/tensor/tensor.js";

export const feedsOf = (style: VitStyle, batch: number, seed = 7): Arrays => {
  const { dims, values } = pictures(style, batch, seed);
  const name = style.names?.input ?? (style.input === "tokens" ? "tokens" : "pixel_values");
  return { [name]: array(style.type ?? "float32", values, dims) };
};
export const targets = (...classes: number[]): Arrays => ({ target: array("int64", classes, [classes.length]) });

/** Sample `i` of every feed that has as many samples. */
export const sampleOf = (feeds: Arrays, i: number): Arrays =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, values }]) => {
      const size = elementCount(dims.slice(1));
      return [name, array(type, values.slice(i * size, (i + 1) * size), [1, ...dims.slice(1)])];
    }),
  );

/** Compiles, runs and gives the rows of `relevance`. */
export async function explained(model: Uint8Array, options: CompileOptions, feeds: Arrays): Promise<number[][]> {
  const session = await open(compile(model, options).bytes);
  const { relevance } = await session.run(feeds, ["relevance"]);
  await session.release();
  const { dims, values } = relevance!;
  const size = elementCount(dims.slice(1));
  return Array.from({ length: dims[0]! }, (_, i) => values.slice(i * size, (i + 1) * size));
}

/** The merged file, and the nodes that only it has. */
export function addedTo(model: Uint8Array, bytes: Uint8Array) {
  const [original, merged] = [readModel(model), readModel(bytes)];
  const graph = merged.graph!;
  const before = original.graph!;
  return {
    merged,
    nodes: graph.node.slice(before.node.length),
    initializers: graph.initializer.slice(before.initializer.length),
    inputs: graph.input.slice(before.input.length),
    outputs: graph.output.slice(before.output.length),
  };
}

/** ‖a - b‖ / ‖b‖; 0 where both vanish. */
export function distance(a: readonly number[], b: readonly number[]): number {
  const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const difference = norm(a.map((v, i) => v - b[i]!));
  return difference === 0 ? 0 : difference / norm(b);
}
