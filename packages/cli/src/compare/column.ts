/** What is compared: methods with their options, each a column. */
import { existsSync } from "node:fs";
import { methods } from "vitrail";
import { type MethodFlags, type MethodInfo, readMethod } from "../method.js";
import { problem } from "../problem.js";

export interface Column {
  /** The method's id, and the options in which it differs from its defaults: what stands above the column. */
  readonly name: string;
  readonly method: MethodInfo;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface ColumnFlags extends Omit<MethodFlags, "method"> {
  methods?: readonly string[];
}

/** The flag takes several words, so that a model and inputs behind it look like methods: what cannot be one is given back. */
export function partMethods(words: readonly string[] = []): { methods: readonly string[]; inputs: string[] } {
  const isInput = (word: string, at: number) =>
    at > 0 && !methods.some(({ id }) => word.split(/[:,]/)[0] === id) && (/[/\\]|^-$/.test(word) || existsSync(word));
  const first = words.findIndex(isInput);
  return first < 0 ? { methods: words, inputs: [] } : { methods: words.slice(0, first), inputs: words.slice(first) };
}

/** The model and the inputs of a command line on which `--methods` may stand before them. */
export function takeArguments(given: readonly (string | undefined)[], flags: ColumnFlags) {
  const { methods: named, inputs } = partMethods(flags.methods);
  const [model, ...rest] = [...given.filter((word) => word !== undefined), ...inputs];
  if (model === undefined) {
    throw problem("E080", { at: "the command line", why: "it names no model", try: "MODEL first, then --methods" });
  }
  return { model, rest, methods: flags.methods && named };
}

/**
 * `--methods a b:key=value c`, commas between them or spaces, or `all`. Flags that are about options (`--option`, `--start-layer`, ...) go to every method that has
 * such an option; an option that no method has is a mistake.
 */
export function readColumns({ methods: words, ...flags }: ColumnFlags): Column[] {
  const text = words?.join(" ");
  const entries = words === undefined ? usual() : words.flatMap((word) => word.split(",")).map((word) => word.trim());
  const named = entries.filter(Boolean).flatMap((entry) => (entry === "all" ? methods.map(({ id }) => id) : [entry]));
  const columns = named.map((entry) => readColumn(entry, flags));
  refuseUnused(columns, flags);
  const twice = columns.find(({ name }, index) => columns.findIndex((each) => each.name === name) !== index);
  if (twice) {
    const hint = `leave one out, or give it other options: ${twice.method.id}:KEY=VALUE`;
    throw problem("E080", { at: `--methods ${text}`, why: `${twice.name} is there twice`, try: hint });
  }
  return columns;
}

/** One method of each kind, the first in the registry for each set of needs; those of many runs only when asked for. */
export function usual(): string[] {
  const kinds = new Set<string>();
  return methods.flatMap(({ id, needs, kind }) => {
    const key = [kind, ...needs].join();
    if (kinds.has(key) || needs.includes("many forwards")) return [];
    kinds.add(key);
    return [id];
  });
}

function readColumn(entry: string, flags: Omit<MethodFlags, "method">): Column {
  const [id = "", ...own] = entry.split(":");
  const { method } = readMethod({ method: id });
  const has = (name: string) => method.options.some((option) => option.name === name);
  const shared = (flags.option ?? []).filter((pair) => has(pair.slice(0, pair.indexOf("="))));
  const { options } = readMethod({
    method: id,
    option: [...shared, ...own],
    ...(flags.startLayer !== undefined && has("startLayer") && { startLayer: flags.startLayer }),
    ...(flags.normalizeRows && has("normalizeRows") && { normalizeRows: true }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
  });
  const changed = method.options.flatMap(({ name, default: usual }) =>
    options[name] !== undefined && options[name] !== usual ? [`${name}=${options[name]}`] : [],
  );
  return { name: [method.id, ...changed].join(" "), method, options };
}

function refuseUnused(columns: readonly Column[], flags: Omit<MethodFlags, "method">): void {
  const names = (flags.option ?? []).map((pair) => pair.split("=")[0]!);
  if (flags.startLayer !== undefined) names.push("startLayer");
  if (flags.normalizeRows) names.push("normalizeRows");
  const unused = names.find((name) => !columns.some(({ method }) => method.options.some((o) => o.name === name)));
  if (unused === undefined) return;
  const why = "none of the compared methods has such an option";
  throw problem("E080", { at: `--option ${unused}`, why, try: "see vitrail methods" });
}
