/** What holds of every compiled model, whatever the method. */
import { describe, expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { run } from "../../../test/support/runtime.js";
import { vit } from "../../../test/support/vit.js";
import { compile } from "../src/compile.js";
import { originalBytes, readMetadata } from "../src/metadata.js";
import { builtMethods as methods } from "../src/methods/registry.js";
import { version } from "../src/version.js";
import { cases, modelOf } from "./golden/golden.js";
import { methods as general } from "./support/methods.js";
import { addedTo, distance, explained, feedsOf, targets } from "./support/program.js";

const models: Record<string, Uint8Array> = {
  "a vision transformer": vit({ depth: 2 }),
  "decomposed norms, mean pooling": vit({ depth: 2, norm: "decomposed", pooling: "mean", opset: 14 }),
  "a text encoder": modelOf(cases[2]!, "hf_sdpa_dynamo_op20"),
};

for (const [name, model] of Object.entries(models))
  describe.each((name.startsWith("a text") ? general : methods).map((m) => m.id))(`${name}, %s`, (method) => {
    const program = compile(model, { method });
    const added = addedTo(model, program.bytes);

    test("the original bytes are an exact prefix", () => {
      expect(Buffer.compare(program.bytes.subarray(0, model.length), model)).toBe(0);
      expect(Buffer.compare(program.bytes.subarray(model.length), program.patch)).toBe(0);
      expect(Buffer.compare(originalBytes(program.bytes), model)).toBe(0);
    });

    test("compiling twice, and compiling what was compiled, gives equal bytes", () => {
      expect(Buffer.compare(compile(model, { method }).bytes, program.bytes)).toBe(0);
      const other = method === "raw-attention" ? "generic-attention" : "raw-attention";
      expect(Buffer.compare(compile(compile(model, { method: other }).bytes, { method }).bytes, program.bytes)).toBe(0);
    });

    test("added names are Vitrail's own, and nobody else's", () => {
      const names = [...added.nodes.flatMap((n) => n.output), ...added.initializers.map((i) => i.name)];
      expect(names.filter((n) => !n.startsWith("vitrail/") && n !== "relevance")).toEqual([]);
      expect(new Set(names).size).toBe(names.length);
      const nodes = added.nodes.map((n) => n.name).filter((n) => n !== "relevance");
      expect(nodes.filter((n) => !/^vitrail\/\w+\/\w+\/./.test(n))).toEqual([]);
      expect(new Set(nodes).size).toBe(nodes.length);
      expect(added.inputs.map((i) => i.name)).toEqual(["target"]);
      expect(added.outputs.map((o) => o.name)).toEqual(["relevance"]);
    });

    test("nodes are in topological order, and none is dead", () => {
      const graph = added.merged.graph!;
      const known = new Set([...graph.input, ...graph.initializer].map((v) => v.name));
      for (const node of graph.node) {
        for (const input of node.input) if (input !== "") expect(known.has(input), `${node.name}: ${input}`).toBe(true);
        for (const output of node.output) known.add(output);
      }
      const used = new Set(["relevance"]);
      const dead = [...added.nodes].reverse().filter((node) => {
        const alive = node.output.some((o) => used.has(o));
        if (alive) for (const input of node.input) used.add(input);
        return !alive;
      });
      expect(dead.map((n) => n.name)).toEqual([]);
      expect(added.initializers.map((i) => i.name).filter((n) => !used.has(n))).toEqual([]);
    });

    test("no two added nodes are the same", () => {
      const key = (n: (typeof added.nodes)[number]) =>
        JSON.stringify([n.opType, n.domain, n.input, n.attribute], (_, v) => (typeof v === "bigint" ? `${v}` : v));
      const computed = added.nodes.filter((n) => n.opType !== "Identity").map(key);
      expect(new Set(computed).size).toBe(computed.length);
    });

    test("metadata says what was done", () => {
      const metadata = readMetadata(program.bytes)!;
      expect(metadata).toEqual(program.report.metadata);
      expect(metadata).toMatchObject({ version, method, target: { name: "target", mode: "index" } });
      expect(metadata.source.bytes).toBe(model.length);
      expect(readMetadata(model)).toBeUndefined();
      expect(program.report.nodes.added).toBe(added.nodes.length);
      expect(program.report.patchBytes).toBe(program.patch.length);
    });
  });

describe("names that a model already has", () => {
  const taken = vit({ depth: 1, names: { input: "target", output: "relevance" } });
  test("the target and the relevance get others", async () => {
    const { bytes, report } = compile(taken);
    const names = { target: report.metadata!.target.name!, relevance: report.metadata!.relevance.name };
    expect(names).toEqual({ target: "vitrail_target", relevance: "vitrail_relevance" });
    const feeds = feedsOf({ names: { input: "target" } }, 1);
    const results = await run(bytes, { ...feeds, vitrail_target: targets(2).target! });
    const [expected] = await explained(vit({ depth: 1 }), {}, { ...feedsOf({}, 1), ...targets(2) });
    expect(distance(results.vitrail_relevance!.values, expected!)).toBeLessThan(1e-6);
    expect(results.relevance!.dims, "the model's own output is still there").toEqual([1, 5]);
  });

  test("a model that uses Vitrail's own names keeps them", async () => {
    const m = new ModelWriter({ opset: 17 });
    const x = m.input("x", "float32", ["batch", 4]);
    const w = m.weights([1, 2, 3, 4, 5, 6, 7, 8], [4, 2], "float32", "vitrail/0");
    m.output(m.op("MatMul", [m.op("Tanh", [x], {}, ["vitrail/2"]), w], {}, ["y"]), "float32", ["batch", 2]);
    const { bytes } = compile(m.bytes(), { method: "gradient-x-input" });
    const feeds = { x: { type: "float32", dims: [1, 4], values: [0.1, 0.2, 0.3, 0.4] } as const };
    const { relevance } = await run(bytes, { ...feeds, ...targets(1) });
    const expected = feeds.x.values.map((v, i) => v * (1 - Math.tanh(v) ** 2) * (2 * i + 2));
    expect(distance(relevance!.values, expected)).toBeLessThan(1e-6);
  });
});
