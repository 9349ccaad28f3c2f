/** Every operator of the registry against the runtime: shapes, folded integers and gradients of its samples. */
import { describe, expect, test } from "vitest";
import { random, seedFrom } from "../../../../test/support/random.js";
import { type Arrays, array, type NumberArray, open, type Session } from "../../../../test/support/runtime.js";
import { importModel } from "../../src/canonicalize/import.js";
import { VitrailError } from "../../src/errors.js";
import { readModel } from "../../src/onnx/model.js";
import { operators } from "../../src/ops/registry.js";
import { isFloat } from "../../src/tensor/element-type.js";
import { differences } from "./differences.js";
import { gradientProgram } from "./gradient.js";
import { type Form, type NodeModel, nodeModel } from "./node-model.js";
import type { Sample } from "./sample.js";
import { samples } from "./samples.js";
import { expectFolded, expectShape } from "./shapes.js";

test("every operator has samples, and every sample an operator", () => {
  expect(Object.keys(samples).sort()).toEqual([...operators.keys()].sort());
  for (const [name, list] of Object.entries(samples)) expect(list.length, name).toBeGreaterThan(0);
});

test("every norm that has a gradient has one with its deviation held constant", () => {
  const norms = [...operators.values()].filter(({ role, gradient }) => role === "normalization" && gradient);
  expect(norms.length).toBeGreaterThan(5);
  for (const { name, constantDeviation } of norms) expect(constantDeviation, name).toBeDefined();
});

for (const [operator, list] of Object.entries(samples))
  describe(operator, () => {
    for (const sample of list)
      for (const opset of sample.opsets ?? [17])
        test(`${sample.title ?? "plain"}, opset ${opset}`, () => check(operator, sample, opset));
  });

async function check(operator: string, sample: Sample, opset: number): Promise<void> {
  const form: Form = { operator, sample, opset, real: "float64", symbolic: false };
  const known = (model: NodeModel) => importModel(readModel(model.bytes));
  if (sample.shape === "refused") {
    expect(() => known(nodeModel(form))).toThrow(VitrailError);
    return;
  }
  if (sample.single || !(await attempt(form))) {
    const failed = await attempt({ ...form, real: "float32" });
    expect(failed, "the runtime runs the sample in float32").toBe(true);
  }
}

/** Checks a form; false where the runtime has no kernel for it. */
async function attempt(form: Form): Promise<boolean> {
  const model = nodeModel(form);
  let session: Session;
  try {
    session = await open(model.bytes);
  } catch (error) {
    if (form.real === "float64" && isMissingKernel(error)) return false;
    throw error;
  }
  try {
    const real = await session.run(model.feeds);
    const forms = form.sample.symbolic === false ? [form] : [form, { ...form, symbolic: true }];
    for (const f of forms) {
      const m = nodeModel(f);
      const graph = importModel(readModel(m.bytes));
      for (const name of m.outputs) {
        expectShape(graph.outputs.get(name)!, real[name]!, m, f.sample, f.symbolic);
        expectFolded(graph.outputs.get(name)!, real[name]!, m, f.sample);
      }
    }
    return await checkGradients(forms, model, session, real);
  } finally {
    await session.release();
  }
}

const isMissingKernel = (error: unknown): boolean =>
  /Could not find an implementation|tensor\(double\)' of input parameter .* is invalid/.test((error as Error).message);

async function checkGradients(
  forms: readonly Form[],
  model: NodeModel,
  session: Session,
  real: Arrays,
): Promise<boolean> {
  const [{ sample, operator, real: type }] = forms as [Form];
  if (sample.gradient === "none" || model.data.length === 0) return true;
  for (const output of model.outputs.filter((name) => isFloat(real[name]!.type))) {
    const graph = importModel(readModel(model.bytes));
    expect(graph.outputs.get(output)!.data, "what depends on data is data").toBe(true);
    if (sample.gradient === "refused") {
      expect(() => gradientProgram(model.bytes, output, model.data)).toThrow(VitrailError);
      continue;
    }
    const { values, dims } = real[output]!;
    const seed = array(type, random(seedFrom(`${operator} seed`)).normals(values.length), dims);
    const expected = await differences(session, model, { [output]: seed }, type);
    for (const form of forms) {
      const feeds = { ...model.feeds, [`seed_${output}`]: seed };
      const actual = await runGradient(gradientProgram(nodeModel(form).bytes, output, model.data), feeds, type);
      if (!actual) return false;
      const bound = sample.tolerance ?? (type === "float64" ? 1e-6 : 3e-3);
      for (const name of model.data) {
        const at = `d ${output} / d ${name}${form.symbolic ? ", symbolic" : ""}, ${type}`;
        expect([...actual[`d_${name}`]!.dims], at).toEqual([...expected.get(name)!.dims]);
        const distance = apart(actual[`d_${name}`]!.values, expected.get(name)!.values);
        expect(distance, at).toBeLessThanOrEqual(bound);
      }
    }
    await checkSeveral(forms.at(-1)!, model, output, seed);
  }
  return true;
}

/** Several cotangents in one run: a gradient is linear in them, so that the parts are known from the first one alone. */
async function checkSeveral(form: Form, model: NodeModel, output: string, { type, dims, values }: NumberArray) {
  const { bytes } = nodeModel(form);
  const factors = [1, -2, 0.5];
  const run = (several: boolean, list: readonly number[], shape: readonly number[]) =>
    runGradient(
      gradientProgram(bytes, output, model.data, several),
      { ...model.feeds, [`seed_${output}`]: array(type, list, shape) },
      type,
    );
  const single = await run(false, values, dims);
  const seeds = factors.flatMap((factor) => values.map((v) => v * factor));
  const together = await run(true, seeds, [factors.length, ...dims]);
  for (const name of model.data) {
    const [one, all] = [single![`d_${name}`]!, together![`d_${name}`]!];
    expect([...all.dims], name).toEqual([factors.length, ...one.dims]);
    const expected = factors.flatMap((factor) => one.values.map((v) => v * factor));
    expect(apart(all.values, expected), `several of ${name}`).toBeLessThanOrEqual(type === "float64" ? 1e-12 : 1e-5);
  }
}

async function runGradient(bytes: Uint8Array, feeds: Arrays, type: string): Promise<Arrays | undefined> {
  let session: Session;
  try {
    session = await open(bytes);
  } catch (error) {
    if (type === "float64" && isMissingKernel(error)) return undefined;
    throw error;
  }
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** ‖a - b‖ relative to ‖b‖ (absolute where b vanishes). */
function apart(a: readonly number[], b: readonly number[]): number {
  const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
  return norm(a.map((v, i) => v - b[i]!)) / Math.max(norm(b), 1e-3);
}
