#!/usr/bin/env node
import { readFileSync } from "node:fs";

try {
  await import("../dist/main.js");
} catch (error) {
  // Where not even the program's own files can be opened, only these lines can say so.
  if (!lacksFiles(error)) throw error;
  process.stderr.write(`E077 the operating system refused
  at    the program's own files
  why   too many files are open at once
  try   raise the limit: ulimit -n 1024\n`);
  process.exitCode = 4;
}

/** Node takes a file that it cannot open for one that is not there: a low limit tells the two apart. */
function lacksFiles({ code }) {
  if (code === "EMFILE" || code === "ENFILE") return true;
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return false;
  try {
    return Number(/^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]) < 256;
  } catch ({ code: why }) {
    return why === "EMFILE" || why === "ENFILE";
  }
}
