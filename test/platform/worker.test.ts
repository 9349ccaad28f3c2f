import { appendFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { createExplainer, tensor } from "vitrail/node";
import { readModel, writeModel } from "../../packages/vitrail/dist/onnx/model.js";
import { weightsInFile } from "../../packages/vitrail/dist/onnx/weights-in-file.js";
import { WorkerClient } from "../../packages/vitrail/dist/runtime/node/worker-client.js";
import { golden, temporaryFolder, vitrail } from "./command-line.js";

/** What happens around the worker thread: crashes, processes that should end, weights in other files. */
const spelling = golden("vit_a/models/timm_torchscript_op17.onnx");
const here = fileURLToPath(new URL(".", import.meta.url));
const feeds = { pixel_values: tensor(new Float32Array(3072).fill(0.25), [1, 3, 32, 32]) };
const script = (code: string) =>
  new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from "node:worker_threads";\n${code}`)}`);

describe("a worker that dies", () => {
  const call = (worker: WorkerClient) => worker.call("run", { feeds: {}, part: "prediction" });

  test("rejects what is pending and what comes after", async () => {
    const worker = new WorkerClient(script(`parentPort.on("message", () => process.exit(7));`));
    const pending = [call(worker), call(worker)];
    for (const each of pending) await expect(each).rejects.toThrow(/E069[\s\S]*code 7/);
    await expect(call(worker)).rejects.toThrow(/E069/);
    await worker.close();
  });

  test("by an exception says which", async () => {
    const worker = new WorkerClient(script(`parentPort.on("message", () => { throw new Error("out of paint"); });`));
    await expect(call(worker)).rejects.toThrow(/E069[\s\S]*out of paint/);
  });

  test("that cannot start", async () => {
    const worker = new WorkerClient(script(`import "vitrail-is-not-here";`));
    await expect(call(worker)).rejects.toThrow(/E069/);
  });
});

test("a file that changes under an open explainer is not mistaken for the model", async () => {
  const copy = join(temporaryFolder(), "model.onnx");
  writeFileSync(copy, readFileSync(spelling));
  const explainer = await createExplainer(copy);
  writeFileSync(copy, Buffer.concat([readFileSync(spelling), Buffer.alloc(4)]));
  await expect(explainer.predict(feeds)).rejects.toThrow(/E070[\s\S]*has changed/);
  expect((await explainer.explain(feeds, { target: 1 })).relevance.dims).toEqual([1, 17]);
  await explainer.close();
});

describe("a file whose weights are mapped", () => {
  const bytes = new Uint8Array(readFileSync(new URL("../../models/blood-cells/onnx/model.onnx", import.meta.url)));
  const picture = { pixel_values: tensor(new Float32Array(3 * 96 * 96).fill(0.25), [1, 3, 96, 96]) };
  const copied = () => {
    const copy = join(temporaryFolder(), "model.onnx");
    writeFileSync(copy, bytes);
    return copy;
  };

  test.each([{}, { lowMemory: true }])("gives what the same bytes give, %j", async (options) => {
    expect(weightsInFile(bytes, "model.onnx").length).toBeLessThan(bytes.length / 3);
    const [mapped, given] = [await createExplainer(copied(), options), await createExplainer(bytes, options)];
    for (const explainer of [mapped, given])
      expect((await explainer.explain(picture, { target: 0 })).relevance.dims).toEqual([1, 145]);
    const [a, b] = [await mapped.explain(picture, { target: 1 }), await given.explain(picture, { target: 1 })];
    expect(a.toTokens()).toEqual(b.toTokens());
    expect((await mapped.predict(picture)).logits!.data).toEqual((await given.predict(picture)).logits!.data);
    await Promise.all([mapped.close(), given.close()]);
  });

  test("may be a link to another folder, as in the cache of the Hub", async () => {
    const link = join(temporaryFolder(), "model.onnx");
    symlinkSync(copied(), link);
    const [linked, given] = [await createExplainer(link), await createExplainer(bytes)];
    const [a, b] = [await linked.explain(picture, { target: 1 }), await given.explain(picture, { target: 1 })];
    expect(a.toTokens()).toEqual(b.toTokens());
    expect((await linked.predict(picture)).logits!.data).toEqual((await given.predict(picture)).logits!.data);
    await Promise.all([linked.close(), given.close()]);
  });

  test("may lose its name to another file", async () => {
    const copy = copied();
    const explainer = await createExplainer(copy);
    const before = await explainer.explain(picture, { target: 0 });
    writeFileSync(`${copy}.new`, readFileSync(spelling));
    renameSync(`${copy}.new`, copy);
    expect((await explainer.explain(picture, { target: 0 })).toTokens()).toEqual(before.toTokens());
    await expect(explainer.predict(picture)).rejects.toThrow(/E070[\s\S]*has changed/);
    await explainer.close();
  });

  test("must not be written into", async () => {
    const copy = copied();
    const explainer = await createExplainer(copy);
    appendFileSync(copy, Buffer.alloc(4));
    await expect(explainer.explain(picture, { target: 0 })).rejects.toThrow(/E070[\s\S]*has changed/);
    await explainer.close();
  });
});

test("an explainer that nobody closes does not keep the process alive", async () => {
  const code = `import { createExplainer } from "vitrail/node";
    const explainer = await createExplainer(${JSON.stringify(spelling)});
    console.log(explainer.metadata.method);`;
  const { execFile } = await import("node:child_process");
  const printed = await new Promise<string>((resolve, reject) => {
    const options = { cwd: here, timeout: 60_000 };
    execFile(process.execPath, ["--input-type=module", "-e", code], options, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  expect(printed.trim()).toBe("transformer-attribution");
});

describe("weights in a file beside the model", () => {
  const folder = temporaryFolder();
  const moved = join(folder, "model.onnx");
  beforeAll(() => moveWeights(spelling, moved, "model.onnx_data"));

  test("are found there", async () => {
    const [inside, outside] = [await createExplainer(spelling), await createExplainer(moved)];
    const [a, b] = [await inside.explain(feeds, { target: 1 }), await outside.explain(feeds, { target: 1 })];
    expect(b.toTokens()).toEqual(a.toTokens());
    expect((await outside.predict(feeds)).logits!.data).toEqual((await inside.predict(feeds)).logits!.data);
    await Promise.all([inside.close(), outside.close()]);
  });

  test("are found behind links to other folders, as in the cache of the Hub", async () => {
    const links = temporaryFolder();
    for (const name of ["model.onnx", "model.onnx_data"]) symlinkSync(join(folder, name), join(links, name));
    const [linked, beside] = [await createExplainer(join(links, "model.onnx")), await createExplainer(moved)];
    const [a, b] = [await linked.explain(feeds, { target: 1 }), await beside.explain(feeds, { target: 1 })];
    expect(a.toTokens()).toEqual(b.toTokens());
    await Promise.all([linked.close(), beside.close()]);
  });

  test("are asked for where they are not", async () => {
    await expect(createExplainer(new Uint8Array(readFileSync(moved)))).rejects.toThrow(/E002[\s\S]*given as bytes/);
    const fromBytes = await createExplainer(new Uint8Array(readFileSync(moved)), { folder });
    await fromBytes.close();
    const alone = join(folder, "alone");
    mkdirSync(alone);
    writeFileSync(join(alone, "model.onnx"), readFileSync(moved));
    await expect(createExplainer(join(alone, "model.onnx"))).rejects.toThrow(/E002[\s\S]*put it beside the model/);
  });

  test("must all be there: a file that was cut off is incomplete", async () => {
    const cut = temporaryFolder();
    const whole = readFileSync(join(folder, "model.onnx_data"));
    writeFileSync(join(cut, "model.onnx"), readFileSync(moved));
    writeFileSync(join(cut, "model.onnx_data"), whole.subarray(0, whole.length - 4));
    await expect(createExplainer(join(cut, "model.onnx"))).rejects.toThrow(/E002[\s\S]*incomplete/);
  });

  test("must not lie outside of the folder", async () => {
    const sly = join(folder, "sly.onnx");
    moveWeights(spelling, sly, "../model.onnx_data");
    await expect(createExplainer(sly)).rejects.toThrow(/E002[\s\S]*leaves the model's folder/);
  });

  test("stay where they are when the model is compiled", async () => {
    const out = join(temporaryFolder(), "explained.onnx");
    const { code, stderr } = await vitrail(["compile", moved, "-o", out]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/copy them beside/)]);
  });
});

/** Takes the large weights of a model out into a file of their own. */
function moveWeights(from: string, to: string, location: string): void {
  const model = readModel(new Uint8Array(readFileSync(from)));
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph!.initializer) {
    if (tensor.rawData.length < 256) continue;
    const entry = (key: string, value: string) => ({ $typeName: "onnx.StringStringEntryProto", key, value }) as const;
    tensor.externalData = [
      entry("location", location),
      entry("offset", String(offset)),
      entry("length", String(tensor.rawData.length)),
    ];
    tensor.dataLocation = 1;
    parts.push(tensor.rawData);
    offset += tensor.rawData.length;
    tensor.rawData = new Uint8Array(0);
  }
  expect(parts.length).toBeGreaterThan(10);
  writeFileSync(to, writeModel(model));
  if (!location.startsWith("..")) writeFileSync(join(dirname(to), location), Buffer.concat(parts));
}
