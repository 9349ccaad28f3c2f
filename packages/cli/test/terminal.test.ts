import { expect, test, vi } from "vitest";
import { main } from "../src/program.js";
import { Terminal, type TerminalOptions } from "../src/terminal.js";

function recorder(tty = false) {
  const stream = () => {
    const chunks: string[] = [];
    return { chunks, isTTY: tty, write: (text: string) => chunks.push(text) };
  };
  const [stdout, stderr] = [stream(), stream()];
  const terminal = (options: TerminalOptions) => new Terminal(options, stdout, stderr);
  return { stdout, stderr, terminal, out: () => stdout.chunks.join(""), err: () => stderr.chunks.join("") };
}

test("with --json, standard output holds the document alone", () => {
  const { terminal, out, err } = recorder();
  const place = terminal({ json: true });
  place.say("hello");
  place.note("aside");
  place.json({ a: 1 });
  expect(out()).toBe('{"a":1}\n');
  expect(err()).toBe("hello\naside\n");
});

test("quiet keeps answers and errors", () => {
  const { terminal, out, err } = recorder();
  const place = terminal({ quiet: true });
  place.say("hello");
  place.note("aside");
  place.print("the answer");
  place.complain("wrong");
  expect(out()).toBe("the answer\n");
  expect(err()).toBe("wrong\n");
});

test("colours and progress need a terminal", async () => {
  const plain = recorder();
  expect(plain.terminal({}).colors.red("x")).toBe("x");
  const bar = plain.terminal({}).progress("work", 3);
  bar.step();
  bar.end();
  expect(await plain.terminal({}).busy("compiling", async () => 1)).toBe(1);
  expect(plain.err()).toBe("");
  const watched = recorder(true);
  expect(watched.terminal({ color: false }).colors.red("x")).toBe("x");
  expect(await watched.terminal({}).busy("compiling", async () => 1)).toBe(1);
  expect(watched.err()).toMatch(/compiling ….*\r/s);
});

test("the time that is left is told from the pace after the first step, which opened and compiled everything", () => {
  const { terminal, err } = recorder();
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  const bar = terminal({}).progress("evaluating", 100, "cases");
  now = 29_000; // the first step
  bar.step();
  for (let i = 0; i < 9; i++) {
    now += 1_000;
    bar.step();
  }
  clock.mockRestore();
  // At the thirtieth second two were done: 98 are left, a second each. From the start on it would have been 24 minutes.
  expect(err()).toBe("evaluating: 2 of 100 cases, about 2 min left\n");
});

test("wrong use ends with code 2, help with 0", async () => {
  const run = async (...args: string[]) => {
    const { stdout, stderr, out, err } = recorder();
    return { code: await main(args, { stdout, stderr }), out: out(), err: err() };
  };
  expect(await run("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  expect(await run("explain", "--help")).toMatchObject({ code: 0, out: expect.stringMatching(/--contrast/) });
  expect(await run("expalin")).toMatchObject({ code: 2, err: expect.stringMatching(/Did you mean explain/) });
  expect(await run("explain", "x.onnx", "--method")).toMatchObject({ code: 2 });
  expect(await run("methods", "magic")).toMatchObject({ code: 2, err: expect.stringMatching(/E080[\s\S]*one of/) });
});

test("every verb's help names its flags", async () => {
  for (const verb of ["explain", "evaluate", "diff", "compile", "inspect", "methods", "doctor"]) {
    const { stdout, stderr, out } = recorder();
    expect(await main([verb, "--help"], { stdout, stderr })).toBe(0);
    expect(out()).toMatch(/--json/);
  }
});
