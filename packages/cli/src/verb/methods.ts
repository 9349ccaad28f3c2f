import type { Command } from "commander";
import { methods } from "vitrail";
import { addSpeechFlags, type CommonFlags } from "../flags.js";
import { costOf, defaultMethod, findMethod, type MethodInfo } from "../method.js";
import { exit } from "../problem.js";
import type { Terminal } from "../terminal.js";
import type { RunVerb } from "./verb.js";

export function methodsVerb(program: Command, run: RunVerb): void {
  const command = program
    .command("methods")
    .description("list the methods, their options and where they come from")
    .argument("[id]", "one method");
  addSpeechFlags(command);
  command.action((id: string | undefined, flags: CommonFlags) =>
    run(flags, async (terminal) => list(id, flags, terminal)),
  );
}

function list(id: string | undefined, flags: CommonFlags, terminal: Terminal): number {
  const chosen = id === undefined ? methods : [findMethod(id)];
  if (flags.json) terminal.json(chosen.map(describe));
  else for (const method of chosen) terminal.print(`${text(method, terminal)}\n`);
  return exit.done;
}

const describe = (method: MethodInfo) => {
  const { id, title, citation, needs, classSpecific, kind, options } = method;
  const cost = costOf(method);
  return { id, title, citation, needs, cost, classSpecific, kind, options, default: id === defaultMethod };
};

function text(method: MethodInfo, { colors, width }: Terminal): string {
  const { id, title, citation, needs, classSpecific, kind, options } = method;
  const specific = classSpecific ? "class-specific" : "not class-specific";
  const passes = needs.filter((need) => need !== "many forwards");
  const explains = kind === "input" ? "explains the input itself" : "explains tokens (patches, words)";
  return [
    `${colors.bold(id)}${id === defaultMethod ? " (default)" : ""}  ${title}`,
    ...wrap(citation, width, "  ").map(colors.dim),
    `  ${[specific, explains, ...(passes.length > 0 ? [`needs ${passes.join(", ")}`] : []), costOf(method)].join(" · ")}`,
    ...options.flatMap(({ name, type, choices, default: value, description }) => [
      `  --option ${name}=${colors.cyan(String(value))}`,
      ...wrap(`${choices?.join(" or ") ?? type}: ${description}`, width, "      ").map(colors.dim),
    ]),
  ].join("\n");
}

/** Lines of at most `width` characters, each indented. */
function wrap(content: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  for (const word of content.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines;
}
