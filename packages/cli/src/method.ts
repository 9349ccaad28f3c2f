import type { Command } from "commander";
import { methods } from "vitrail";
import { nearest } from "vitrail/node";
import { collect } from "./flags.js";
import { problem } from "./problem.js";

export type MethodInfo = (typeof methods)[number];

export const defaultMethod = "transformer-attribution";

export function findMethod(id: string): MethodInfo {
  const found = methods.find((method) => method.id === id);
  if (found) return found;
  const near = nearest(
    id,
    methods.map((method) => method.id),
  );
  const hint =
    near.length > 0 ? `did you mean ${near.join(" or ")}?` : `one of: ${methods.map(({ id }) => id).join(", ")}`;
  throw problem("E080", { at: `--method ${id}`, why: "there is no such method", try: hint });
}

/** What one map costs. */
export const costOf = ({ needs }: MethodInfo): "one run" | "many runs" =>
  needs.includes("many forwards") ? "many runs" : "one run";

export interface MethodFlags {
  method: string;
  option?: string[];
  startLayer?: string;
  normalizeRows?: boolean;
  seed?: string;
}

/** The flags that choose a method and its options. */
export const addMethodFlags = (command: Command): Command =>
  addOptionFlags(command.option("-m, --method <id>", "how relevance is computed; see vitrail methods", defaultMethod));

export function addOptionFlags(command: Command): Command {
  return command
    .option("--option <key=value>", "an option of the method; repeatable", collect)
    .option("--start-layer <n>", "first block that counts (shorthand for --option startLayer=n)")
    .option("--normalize-rows", "normalise the rows of each block's matrix")
    .option("--seed <n>", "where random numbers start, for methods that use them");
}

/** The method and its options, checked against what the method declares. */
export function readMethod({ method: id, option = [], startLayer, normalizeRows, seed }: MethodFlags) {
  const method = findMethod(id);
  const given = option.map((pair) => {
    const at = pair.indexOf("=");
    if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const;
    throw problem("E080", {
      at: `--option ${pair}`,
      why: "it is not of the form key=value",
      try: "--option key=value",
    });
  });
  if (startLayer !== undefined) given.push(["startLayer", startLayer]);
  if (normalizeRows) given.push(["normalizeRows", "true"]);
  // Most methods are deterministic: a seed changes nothing there, and is no mistake.
  if (seed !== undefined && method.options.some(({ name }) => name === "seed")) given.push(["seed", seed]);
  return { method, options: Object.fromEntries(given.map(([name, text]) => [name, readOption(method, name, text)])) };
}

function readOption(method: MethodInfo, name: string, text: string): unknown {
  const declared = method.options.find((option) => option.name === name);
  if (!declared) {
    const names = method.options.map((option) => option.name).join(", ");
    const hint = names ? `its options are: ${names}` : "it has no options";
    throw problem("E080", { at: `--option ${name}`, why: `${method.id} has no such option`, try: hint });
  }
  const type = String(declared.type);
  const wrong = (what: string) =>
    problem("E080", {
      at: `--option ${name}=${text}`,
      why: `it is not ${what}`,
      try: `see vitrail methods ${method.id}`,
    });
  if (/bool/.test(type)) {
    if (/^(true|false)$/.test(text)) return text === "true";
    throw wrong("true or false");
  }
  if (/int|number|float/.test(type)) {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) throw wrong("a number");
    return value;
  }
  return text;
}
