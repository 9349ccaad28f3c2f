import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { methods } from "vitrail";
import { main } from "../src/program.js";

async function script(shell: string): Promise<string> {
  let text = "";
  const code = await main(["completion", shell], {
    stdout: { write: (part) => (text += part) },
    stderr: process.stderr,
  });
  expect(code).toBe(0);
  return text;
}

/** What bash would offer after these words, the last of which is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const line = words.map((word) => `'${word}'`).join(" ");
  const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _vitrail; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", `${await script("bash")}\n${ask}`], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

test("bash is offered verbs, options and values", async () => {
  expect(await offered("vitrail", "co")).toEqual(["compare", "compile", "completion"]);
  expect(await offered("vitrail", "explain", "model", "--contr")).toEqual(["--contrast"]);
  expect(await offered("vitrail", "explain", "model", "-m", "")).toEqual(methods.map(({ id }) => id));
  expect(await offered("vitrail", "compile", "model", "--target-input", "w")).toEqual(["weights"]);
  expect(await offered("vitrail", "explain", "pict")).toEqual([]);
  expect(await offered("vitrail", "completion", "")).toEqual(["bash", "zsh", "fish"]);
});

test("zsh takes the same, fish one line per option", async () => {
  expect(await script("zsh")).toContain(await script("bash"));
  const lines = (await script("fish")).trim().split("\n");
  expect(lines.every((line) => line.startsWith("complete -c vitrail -n "))).toBe(true);
  expect(lines.some((line) => /from explain' -s m -l method -x -a 'transformer-attribution /.test(line))).toBe(true);
  expect(await main(["completion", "cmd"], { stdout: { write: () => {} }, stderr: { write: () => {} } })).toBe(2);
});
