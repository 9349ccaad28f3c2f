#!/usr/bin/env node
try {
  await import("../dist/main.js");
} catch (error) {
  // Where not even the program's own files can be opened, only these lines can say so.
  if (error?.code !== "EMFILE" && error?.code !== "ENFILE") throw error;
  process.stderr.write(`E077 the operating system refused
  at    the program's own files
  why   too many files are open at once
  try   raise the limit: ulimit -n 1024\n`);
  process.exitCode = 4;
}
