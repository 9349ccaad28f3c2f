/** What a caller may ask for, checked against the method's own declaration. */
import type { Start } from "./analysis.js";
import { diagnostic, fail, VitrailError } from "./errors.js";
import { type Readout, readReadout } from "./flow/readout.js";
import type { BuiltMethod, Method, MethodOption, OptionValue, OptionValues } from "./methods/method.js";
import { methods } from "./methods/registry.js";
import type { Operator } from "./ops/operator.js";
import type { TargetMode } from "./seed.js";

export interface CompileOptions {
  /** Id of a method (see `methods`), or one of your own (`defineMethod`); default "transformer-attribution". */
  readonly method?: string | BuiltMethod;
  /** Operators of your own (`defineOp`), before those of the same name that are known. */
  readonly operators?: readonly Operator[];
  /** Where the target comes from: a class index (default), weights in the output's shape, or the model's own arg-max. */
  readonly target?: TargetMode;
  /** Several targets in one run: `target` and `relevance` get a leading axis, [targets, ...]. Not with "predicted". */
  readonly severalTargets?: boolean;
  /** Name of the explained output. */
  readonly output?: string;
  /** Where a file ends in a softmax or sigmoid: start at the scores before it (default), or at the "probability" that it gives. */
  readonly from?: Start;
  /** Name of the explained input, or several of them: then each has a relevance output of its own. */
  readonly explains?: string | readonly string[];
  /** Which tokens the head reads, instead of what was found: "index:K", "mean" or "mean:FROM:TO" (negative from the end). */
  readonly readout?: string;
  /** A second output that tells how far float32 can be trusted with this explanation (for methods with relevance rules). */
  readonly stability?: boolean;
  /** Whether what is added shall need little memory rather than time; by default where the model has more than 128 MB of weights. */
  readonly compact?: boolean;
  /** Options of the method, such as `startLayer`. */
  readonly [option: string]: unknown;
}

export interface ResolvedOptions {
  readonly method: Method;
  readonly operators: readonly Operator[];
  readonly values: OptionValues;
  readonly target: TargetMode;
  readonly several: boolean;
  readonly choice: {
    readonly output: string | undefined;
    readonly from: Start;
    readonly explains: readonly (string | undefined)[];
  };
  readonly readout: Readout | undefined;
  /** The read-out as the caller wrote it. */
  readonly readoutText: string | undefined;
  readonly stability: boolean;
  readonly compact: boolean | undefined;
}

/** What of a request the caller named, rather than left to be found. */
export const chosenIn = ({ choice, readoutText }: ResolvedOptions) => {
  return { output: choice.output, from: choice.from, explains: choice.explains[0], readout: readoutText };
};

const STARTS: readonly Start[] = ["logit", "probability"];
const TARGETS: readonly TargetMode[] = ["index", "weights", "predicted"];
const GENERAL = new Set([
  "method",
  "operators",
  "target",
  "severalTargets",
  "output",
  "from",
  "explains",
  "readout",
  "stability",
  "compact",
]);

export function resolveOptions(options: CompileOptions): ResolvedOptions {
  const { method: asked = "transformer-attribution", operators = [] } = options;
  const method = typeof asked === "string" ? findMethod(asked) : asked;
  const target = options.target ?? "index";
  if (!TARGETS.includes(target))
    fail("E015", `"${target}"`, {
      why: `the modes are ${TARGETS.join(", ")}`,
      try: '"index", unless the class is not known',
    });
  const from = options.from ?? "logit";
  if (!STARTS.includes(from))
    fail("E016", '"from"', { why: `"${from}" is none of ${STARTS.join(", ")}`, try: '"logit", which is the default' });
  const several = options.severalTargets ?? false;
  if (several && target === "predicted")
    fail("E015", '"predicted"', { why: "it is one class, and several were asked for", try: 'target: "index"' });
  const given = Object.entries(options).filter(([name, value]) => !GENERAL.has(name) && value !== undefined);
  const problems = given.flatMap(([name, value]) => {
    const option = method.options.find((o) => o.name === name);
    if (!option) {
      const known = method.options.map((o) => o.name).join(", ");
      return [
        diagnostic("E011", `"${name}"`, {
          why: `"${method.id}" knows ${known || "no options"}`,
          try: known ? "one of these, or leave it out" : "leave it out",
        }),
      ];
    }
    const why = mismatch(option, value);
    const hint = `a value like ${JSON.stringify(option.default)}, which is the default`;
    return why === undefined ? [] : [diagnostic("E016", `"${name}"`, { why, try: hint })];
  });
  if (problems.length > 0) throw new VitrailError(problems);
  if (options.stability && !method.needs.includes("relevance"))
    fail("E016", '"stability"', {
      why: `"${method.id}" divides by nothing that could vanish`,
      try: "leave it out",
    });
  const defaults = Object.fromEntries(method.options.map((o) => [o.name, o.default]));
  const values = { ...defaults, ...(Object.fromEntries(given) as Record<string, OptionValue>) };
  return {
    method,
    operators,
    values,
    target,
    several,
    choice: { output: options.output, from, explains: explainedInputs(options.explains) },
    readout: readReadout(options.readout),
    readoutText: options.readout,
    stability: options.stability === true,
    compact: options.compact,
  };
}

/** No name stands for the compiler's own choice. */
function explainedInputs(names: CompileOptions["explains"]): readonly (string | undefined)[] {
  const list = typeof names === "string" || names === undefined ? [names] : [...new Set(names)];
  return list.length > 0 ? list : [undefined];
}

export function findMethod(id: string): Method {
  const method = methods.find((m) => m.id === id);
  if (method) return method;
  const near = methods.map((m) => m.id).filter((known) => known.includes(id) || id.includes(known.split("-")[0]!));
  fail("E010", `"${id}"`, {
    why: `the methods are ${methods.map((m) => m.id).join(", ")}`,
    ...(near.length > 0 && { try: near.join(" or ") }),
  });
}

function mismatch(option: MethodOption, value: unknown): string | undefined {
  const { type, choices, negative = false } = option;
  const said = JSON.stringify(value);
  if (type === "string") {
    if (typeof value !== "string") return `${said} is no string`;
    return !choices || choices.includes(value) ? undefined : `${said} is none of ${choices.join(", ")}`;
  }
  if (type === "boolean") return typeof value === "boolean" ? undefined : `${said} is no boolean`;
  if (type === "integer")
    return Number.isInteger(value) && (value as number) >= 0 ? undefined : `${said} is no whole number from 0 on`;
  if (!Number.isFinite(value)) return `${said} is no number`;
  return negative || (value as number) >= 0 ? undefined : `${said} is below 0`;
}
