/** Files that others made, read with care: only files, not pipes or devices; not larger than they can sensibly be; JSON in our own words. */
import { open, stat } from "node:fs/promises";
import { size } from "../output/size.js";
import { problem, systemMessage } from "../problem.js";

type Code = Parameters<typeof problem>[0];

/** The largest file that is read into memory, and the largest that is read as text, in bytes. */
const [LARGEST, LARGEST_TEXT] = [2 ** 31 - 1, 2 ** 28];

interface Reading {
  /** What it is reported as where the path leads to nothing that can be read. */
  code?: Code;
  hint?: string;
  most?: number;
}

/** @throws VitrailError where it is no file, too large or unreadable */
export async function readBytes(path: string, reading: Reading = {}): Promise<Buffer> {
  const { code = "E081", hint = "check the path", most = LARGEST } = reading;
  const refuse = (why: string, advice = hint) => problem(code, { at: path, why, try: advice });
  // A pipe that nobody writes to would keep whoever opens it waiting.
  const found = await stat(path).catch((error: unknown) => {
    throw refuse(systemMessage(error));
  });
  if (found.isDirectory()) throw refuse("it is a folder");
  if (!found.isFile()) throw refuse("it is a pipe or a device, not a file", "give a file; - stands for standard input");
  if (found.size > most) throw refuse(`it has ${size(found.size)}, and at most ${size(most)} are read`);
  try {
    const file = await open(path);
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw refuse(systemMessage(error));
  }
}

/** Text in UTF-8, with or without a byte order mark. */
export async function readText(path: string, reading: Reading = {}): Promise<string> {
  return (await readBytes(path, { most: LARGEST_TEXT, ...reading })).toString("utf8").replace(/^\uFEFF/, "");
}

/** JSON that belongs to a model. What is in the file is never repeated in an error. */
export async function readJson<T>(path: string): Promise<T> {
  const hint = "mend the file or download the folder again";
  const text = await readText(path, { code: "E087", hint });
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw problem("E087", { at: path, why: notJson(error), try: hint });
  }
}

/** Where a text ceases to be JSON, without repeating it. */
export function notJson(error: unknown): string {
  const place = /position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return place === undefined ? "it is not JSON" : `it is not JSON from character ${place} on`;
}
