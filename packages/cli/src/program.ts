import { Command, CommanderError } from "commander";
import type { CommonFlags } from "./flags.js";
import { visible } from "./output/visible.js";
import { asVitrailError, exit, exitCodeOf } from "./problem.js";
import { type Stream, Terminal } from "./terminal.js";
import { type RunVerb, verbs } from "./verb/index.js";
import { version } from "./version.js";

export interface Streams {
  stdout: Stream;
  stderr: Stream;
}

/** Runs a command line and gives its exit code. */
export async function main(args: readonly string[], streams: Streams = process): Promise<number> {
  const { stdout, stderr } = streams;
  let code: number = exit.done;
  const run: RunVerb = async (flags, verb) => {
    const terminal = new Terminal(flags, stdout, stderr);
    try {
      code = await verb(terminal);
    } catch (error) {
      code = fail(error, flags, terminal);
    }
  };
  const program = new Command("vitrail")
    .description("Makes ONNX transformers explain themselves.")
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(visible(text)),
    });
  for (const addVerb of verbs) addVerb(program, run);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.done : exit.usage;
    throw error;
  }
  return code;
}

function fail(error: unknown, flags: CommonFlags, terminal: Terminal): number {
  const failure = asVitrailError(error);
  if (flags.json) terminal.json({ error: { diagnostics: failure.diagnostics } });
  terminal.complain(terminal.colors.red(failure.message));
  if (flags.verbose && error instanceof Error && error.stack) terminal.complain(error.stack);
  return exitCodeOf(error);
}
