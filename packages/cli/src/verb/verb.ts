import type { Command } from "commander";
import type { CommonFlags } from "../flags.js";
import type { Terminal } from "../terminal.js";

/** Runs a verb with its flags and turns what happens into an exit code. */
export type RunVerb = (flags: CommonFlags, verb: (terminal: Terminal) => Promise<number>) => Promise<void>;

/** Adds a verb to the command line. */
export type AddVerb = (program: Command, run: RunVerb) => void;
