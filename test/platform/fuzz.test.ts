/** Damaged models from one seed: each ends in an explanation or in a refusal with a code, in time and within its memory. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const RUN = fileURLToPath(new URL("../fuzz/run.js", import.meta.url));

test("300 damaged models have no finding", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, "--runs", "300", "--seed", "1"]).catch((e) => e);
  expect(stdout).toMatch(/^300 damaged models, \d+ of them explained, 0 findings$/m);
});
