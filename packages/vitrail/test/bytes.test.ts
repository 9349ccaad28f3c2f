/** Pictures of whole numbers behind a Cast: what needs no gradient of the pixels is as for a model of floats. */
import { describe, expect, test } from "vitest";
import { random } from "../../../test/support/random.js";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import type { VitrailError } from "../src/errors.js";
import { methods } from "../src/index.js";
import type { CompileOptions } from "../src/options.js";
import { prepare } from "../src/prepare.js";
import { fromFloat32, type Tensor, tensor } from "../src/runtime/tensor.js";
import { drivenExplainer } from "./support/driven.js";

const side = 8;
const shape = { size: side, patch: 4, depth: 2 } as const;
const bytes = Uint8Array.from(random(3).normals(3 * side * side), (x) => Math.min(255, Math.max(0, 128 + 60 * x)));
const floats = tensor(
  Float32Array.from(bytes, (v) => v / 64),
  [1, 3, side, side],
);
const first = tensor(bytes, [1, 3, side, side]);
const area = side * side;
const last = tensor(
  Uint8Array.from(bytes, (_, i) => bytes[(i % 3) * area + Math.floor(i / 3)]!),
  [1, side, side, 3],
);

async function map(input: "picture" | "bytes" | "bytes last", picture: Tensor, options: CompileOptions) {
  const { explainer } = await drivenExplainer(vit({ ...shape, input }), options);
  const explanation = await explainer.explain({ pixel_values: picture }, { target: 1 });
  await explainer.close();
  return explanation.toGrid()!;
}

describe.each(["transformer-attribution", "attention-rollout", "attention-grad-cam", "partial-lrp"])("%s", (method) => {
  test.each([
    ["bytes", first],
    ["bytes last", last],
  ] as const)("of %s is that of floats", async (input, picture) => {
    const [own, expected] = [await map(input, picture, { method }), await map("picture", floats, { method })];
    expect([own.rows, own.columns]).toEqual([2, 2]);
    const most = Math.max(...expected.values.map(Math.abs));
    own.values.forEach((v, i) => {
      expect(Math.abs(v - expected.values[i]!) / most).toBeLessThan(1e-3);
    });
  });
});

test.each(["occlusion", "rise"])("%s hides cells by whole numbers", async (method) => {
  const options = { method, fill: "0", ...(method === "rise" && { masks: 12, cells: 0 }) };
  const expected = await map("picture", floats, options);
  for (const [input, picture] of [
    ["bytes", first],
    ["bytes last", last],
  ] as const) {
    const own = await map(input, picture, options);
    own.values.forEach((v, i) => {
      expect(v).toBeCloseTo(expected.values[i]!, 4);
    });
  }
});

test("bytes are rounded and clipped", () => {
  const { data } = fromFloat32(Float32Array.of(-3, 0.4, 0.6, 254.6, 300), [5], "uint8");
  expect(data).toEqual(Uint8Array.of(0, 0, 1, 255, 255));
});

test.each(methods.filter(({ kind }) => kind === "input").map(({ id }) => id))(
  "%s is refused by the input's name and type",
  (method) => {
    try {
      prepare(vit({ ...shape, input: "bytes" }), { method });
      expect.unreachable();
    } catch (error) {
      expect((error as VitrailError).diagnostics).toMatchObject([{ code: "E075", at: 'input "pixel_values"' }]);
      expect((error as VitrailError).message).toContain("uint8");
    }
  },
);

test("a patch does not depend on how its picture is stored", () => {
  expect(compile(vit({ ...shape, input: "bytes" })).report.metadata!.tokens).toEqual(
    compile(vit(shape)).report.metadata!.tokens,
  );
});
