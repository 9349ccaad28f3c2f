import { describe, expect, it } from "vitest";
import { assemble, engine, kernel, loopWhile, vector, when, whole } from "../src/wasm.js";

/** What one kernel does to a memory of a page that begins with `floats`. */
function run(of: ReturnType<typeof kernel>, places: readonly number[], floats: readonly number[] = []): ArrayBuffer {
  const memory = new engine.Memory({ initial: 1 });
  new Float32Array(memory.buffer).set(floats);
  const { exports } = new engine.Instance(new engine.Module(assemble({ of })), { host: { memory } });
  (exports as { of(...places: readonly number[]): void }).of(...places);
  return memory.buffer;
}

describe("assembler", () => {
  it.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8193, 65536, 2 ** 31 - 1, -(2 ** 31)])(
    "writes the whole number %i",
    (value) => {
      // As a vector's bits: there is no other way to store.
      const difference = kernel(["x", "to"], { wholes: ["at"], vectors: [] }, ({ x, to, at }) => [
        at.set(whole.subtract(x.get, whole.of(value))),
        when(whole.less(at.get, whole.of(1)), vector.store(to.get, vector.of(5))),
      ]);
      expect(new Float32Array(run(difference, [value, 16]), 16, 4)).toEqual(Float32Array.of(5, 5, 5, 5));
      expect(new Float32Array(run(difference, [value + 1, 16]), 16, 4)).toEqual(new Float32Array(4));
    },
  );

  it("calculates with four floats at once, over and over, at offsets of more than a byte", () => {
    const sums = kernel(["at", "end", "to"], { wholes: [], vectors: ["sum"] }, ({ at, end, to, sum }) => [
      loopWhile(
        whole.less(at.get, end.get),
        sum.set(vector.add(sum.get, vector.times(vector.of(2), vector.load(at.get, 256)), vector.spread(at.get))),
        at.add(whole.of(16)),
      ),
      vector.store(to.get, vector.subtract(sum.get, vector.of(0.5))),
    ]);
    const floats = Array.from({ length: 76 }, (_, i) => i);
    const result = new Float32Array(run(sums, [0, 48, 4096], floats), 4096, 4);
    const expected = [0, 1, 2, 3].map((lane) => {
      return [0, 4, 8].reduce((sum, first) => sum + 2 * (64 + first + lane) + first, 0) - 0.5;
    });
    expect([...result]).toEqual(expected);
  });
});
