import type { Diagnostic } from "../errors.js";
import type { ValueReport } from "../report.js";
import { problem } from "./problem.js";
import { type Feeds, sizeOf, type Tensor } from "./tensor.js";

type Symbols = Map<string, { value: number; input: string }>;

const shape = (dims: readonly (number | string)[]): string => `[${dims.join(", ")}]`;

/**
 * Everything that is wrong with a set of inputs, at once; symbolic dimensions must agree between inputs. Of all but the explained input
 * infinity is allowed: masks that are added to scores hold it.
 */
export function checkFeeds(inputs: readonly ValueReport[], feeds: Feeds, explains?: string): Diagnostic[] {
  const problems: Diagnostic[] = [];
  const symbols: Symbols = new Map();
  const names = inputs.map((input) => input.name);
  for (const name of Object.keys(feeds).filter((name) => !names.includes(name))) {
    const why = `the model's inputs are: ${names.join(", ")}`;
    problems.push(problem("E061", { at: `input "${name}"`, why, try: "rename or drop it" }));
  }
  for (const input of inputs) {
    const at = `input "${input.name}"`;
    const fed = feeds[input.name];
    const wanted = `${input.type} ${shape(input.dims)}`;
    if (fed === undefined) {
      problems.push(problem("E060", { at, why: `the model needs ${wanted}`, try: "add it to the feeds" }));
      continue;
    }
    if (fed.type !== input.type) {
      const why = `the model needs ${wanted}, it was given ${fed.type} ${shape(fed.dims)}`;
      problems.push(problem("E062", { at, why, try: `give it as ${input.type}` }));
    }
    const why = misfit(input, fed.dims, fed.data.length, symbols);
    if (why) problems.push(problem("E063", { at, why, try: `give it the shape ${shape(input.dims)}` }));
    else problems.push(...notFinite(fed, at, input.name !== explains));
  }
  return problems;
}

/** E072 for every sample with a value that is no number. */
function notFinite({ type, dims, data }: Tensor, at: string, infinity: boolean): Diagnostic[] {
  const odd = oddity(type, infinity);
  if (!odd) return [];
  const [batch = 1] = dims;
  const size = data.length / batch;
  return Array.from({ length: batch }, (_, sample) => sample).flatMap((sample) => {
    const count = (data.subarray(sample * size, (sample + 1) * size) as Float32Array).reduce(
      (sum, value) => sum + Number(odd(value)),
      0,
    );
    if (count === 0) return [];
    const whose = batch > 1 ? ` of sample ${sample}` : "";
    const why = `${count} of ${size} values${whose} are ${infinity ? "NaN" : "NaN or infinite"}`;
    return [
      problem("E072", { at, why, try: "look at where they come from: a division by zero, an overflow, missing data" }),
    ];
  });
}

/** What no element of a type may be; of float16 the bits are looked at. Integers are always finite. */
function oddity(type: string, infinity: boolean): ((value: number) => boolean) | undefined {
  if (type === "float16") return (bits) => (infinity ? (bits & 0x7fff) > 0x7c00 : (bits & 0x7c00) === 0x7c00);
  if (type === "float32" || type === "float64") return infinity ? Number.isNaN : (value) => !Number.isFinite(value);
  return undefined;
}

function misfit(input: ValueReport, dims: readonly number[], length: number, symbols: Symbols): string | undefined {
  if (sizeOf(dims) !== length) return `${shape(dims)} holds ${sizeOf(dims)} elements, the data ${length}`;
  if (dims.length !== input.dims.length) return `the model needs ${shape(input.dims)}, it was given ${shape(dims)}`;
  for (const [axis, wanted] of input.dims.entries()) {
    const given = dims[axis]!;
    if (typeof wanted === "number") {
      if (wanted !== given) return `axis ${axis} is fixed to ${wanted} in the model, it was given ${given}`;
      continue;
    }
    const earlier = wanted === "" ? undefined : symbols.get(wanted);
    if (earlier && earlier.value !== given)
      return `axis ${axis} ("${wanted}") is ${given}, but ${earlier.value} in input "${earlier.input}"`;
    if (wanted !== "") symbols.set(wanted, { value: given, input: input.name });
  }
  return undefined;
}
