/** Several targets in one run: the maps of single runs, for every method, many architectures and both kinds of target. */
import { describe, expect, test } from "vitest";
import { type Arrays, array, type NumberArray, open } from "../../../test/support/runtime.js";
import { type VitStyle, vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { builtMethods as methods } from "../src/methods/registry.js";
import type { CompileOptions } from "../src/options.js";
import { besides, families, fileOf, goldensOf, inputsOf, targetOf } from "./collection/collection.js";
import { addedTo, distance, feedsOf } from "./support/program.js";

/** Float32 leaves this much undecided on these nets. */
const NOISE = 2e-3;
type Beside = readonly { path: string; data: Uint8Array }[];

/** One map per target: from single runs, and from one run. */
async function bothWays(
  model: Uint8Array,
  options: CompileOptions,
  feeds: Arrays,
  targets: readonly NumberArray[],
  beside: Beside = [],
) {
  const single = await open(compile(model, options).bytes, true, beside);
  const alone: NumberArray[] = [];
  for (const target of targets) alone.push((await single.run({ ...feeds, target }, ["relevance"])).relevance!);
  await single.release();
  const several = await open(compile(model, { ...options, severalTargets: true }).bytes, true, beside);
  const [{ type, dims }] = targets as [NumberArray];
  const stacked = array(
    type,
    targets.flatMap((t) => t.values),
    [targets.length, ...dims],
  );
  const { relevance } = await several.run({ ...feeds, target: stacked }, ["relevance"]);
  await several.release();
  const size = alone[0]!.values.length;
  expect(relevance!.dims).toEqual([targets.length, ...alone[0]!.dims]);
  const together = alone.map((_, i) => relevance!.values.slice(i * size, (i + 1) * size));
  return { alone: alone.map((a) => a.values), together };
}

const classes = (...list: number[]) => array("int64", list, [list.length]);
const spellings: Record<string, VitStyle> = {
  "a class token": { depth: 2, gain: 1 },
  "mean pooling": { depth: 2, gain: 1, pooling: "mean", qkv: "separate" },
  "a decomposed norm": { depth: 2, gain: 1, norm: "decomposed", opset: 13 },
};

describe.each(methods)("$id", ({ id: method, classSpecific }) => {
  test.each(Object.entries(spellings))("%s", async (_, style) => {
    const targets = [classes(4, 0), classes(1, 1), classes(0, 4)];
    const { alone, together } = await bothWays(vit(style), { method }, feedsOf(style, 2), targets);
    for (const [i, map] of together.entries()) expect(distance(map, alone[i]!), `target ${i}`).toBeLessThan(NOISE);
    if (classSpecific) expect(distance(together[0]!, together[2]!), "classes differ").toBeGreaterThan(NOISE);
    else expect(together[0]).toEqual(together[2]);
  });
});

/** Windows, dense outputs, two towers, encoder and decoder, Einsum, convolutions, rotary positions, causal masks. */
const FAMILIES = ["swin", "segformer", "clip", "bart_cls", "einsum_vit", "mobilevit", "llama_cls", "bert_token_cls"];

describe.each(families.filter((f) => FAMILIES.includes(f.family)))("$family", (family) => {
  const [spelling] = family.spellings as [(typeof family.spellings)[number]];
  test.each(["transformer-attribution", "gradient-x-input"])("%s", async (method) => {
    const model = fileOf(spelling.file);
    const types = new Map(compile(model, { method, output: family.output }).report.inputs.map((i) => [i.name, i.type]));
    const feeds = Object.fromEntries(
      Object.entries(inputsOf(family, goldensOf(family))).map(([name, { type, dims, values }]) => [
        name,
        array(types.get(name) ?? type, values, dims),
      ]),
    );
    for (const { explains } of family.maps) {
      const options = { method, explains, output: family.output };
      const targets = family.targets.map(targetOf);
      const { alone, together } = await bothWays(model, options, feeds, targets, besides(spelling));
      const bound = Math.max(2e-4, 20 * family.float32Noise.map);
      for (const [i, map] of together.entries()) expect(distance(map, alone[i]!), explains).toBeLessThan(bound);
    }
  });
});

test("several weightings, contrasts among them", async () => {
  const style = spellings["a class token"]!;
  const weights = [
    [0, 1, 0, -1, 0],
    [0.5, 0.5, 0, 0, 0],
  ].map((row) => array("float32", [...row, ...row], [2, 5]));
  const options = { method: "generic-attention", target: "weights" } as const;
  const { alone, together } = await bothWays(vit(style), options, feedsOf(style, 2), weights);
  for (const [i, map] of together.entries()) expect(distance(map, alone[i]!)).toBeLessThan(NOISE);
});

test("the forward pass and the denominators are computed once for all targets", () => {
  const model = vit(spellings["a class token"]!);
  const count = (options: CompileOptions) => {
    const { nodes } = addedTo(model, compile(model, options).bytes);
    const of = (...types: string[]) => nodes.filter((n) => types.includes(n.opType)).length;
    // With one target, products with the same weights are joined: one product that is split.
    return { products: of("MatMul", "Gemm") + of("Split"), magnitudes: of("Abs"), repeats: of("Expand") };
  };
  const [one, several] = [count({}), count({ severalTargets: true })];
  expect(several).toEqual(one);
});

test("targets stand behind samples, tokens and heads: only what comes in and goes out begins with them", () => {
  const { report } = compile(vit({ ...spellings["a class token"]!, batch: "batch" }), { severalTargets: true });
  const shapes = [...report.print().matchAll(/^ .*: \w+\[(.*)\]$/gm)].map(([, dims]) => dims!.split(","));
  const lifted = shapes.filter((dims) => dims.includes("targets"));
  expect(lifted.length).toBeGreaterThan(100);
  expect(lifted.filter(([first]) => first === "targets").length).toBe(2);
  const wide = lifted.filter((dims) => dims.length > 4);
  expect(wide.length).toBeGreaterThan(20);
  expect(wide.filter((dims) => dims.indexOf("targets") < 2)).toEqual([]);
});

test("the axes of target and relevance are named", () => {
  const model = vit({ ...spellings["a class token"]!, batch: "batch" });
  const { report } = compile(model, { severalTargets: true });
  expect(report.metadata?.target).toEqual({ name: "target", mode: "index", several: true, axes: ["class"] });
  const { inputs, outputs } = addedTo(model, compile(model, { severalTargets: true }).bytes);
  const dims = (info: (typeof inputs)[number]) => {
    const type = info.type!.value;
    return type.case === "tensorType" ? type.value.shape!.dim.map((d) => d.value.value) : [];
  };
  expect(dims(inputs[0]!)).toEqual(["targets", "batch"]);
  expect(dims(outputs[0]!).slice(0, 2)).toEqual(["targets", "batch"]);
});

test("the model's own choice is one class", () => {
  const model = vit(spellings["a class token"]!);
  expect(() => compile(model, { target: "predicted", severalTargets: true })).toThrow(/E015/);
});
