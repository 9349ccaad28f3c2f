/** Where a model comes from: bytes that a caller gave, or a file whose weights the runtime may read by itself. */
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { VitrailError } from "../../errors.js";
import { refuseTooLarge } from "../../onnx/size.js";
import { weightsInFile } from "../../onnx/weights-in-file.js";
import { failure, messageOf, problem } from "../problem.js";
import { externalPaths } from "./external-data.js";

export interface ModelSource {
  /** The model for as long as `use` runs: what is large is given back right after it, not when memory is next collected. */
  reading<T>(use: (model: Uint8Array) => T): Promise<T>;
  /** What a runtime is given in place of a model that was read here. */
  handedOver(model: Uint8Array): Uint8Array;
  /** The folder of the file that holds the weights of what was handed over, once they were left there. */
  mappedFrom(): string | undefined;
  /** @throws VitrailError where a runtime may no longer read what it was opened with */
  check(): Promise<void>;
  close(): Promise<void>;
}

export const inMemory = (model: Uint8Array): ModelSource => ({
  reading: async (use) => use(model),
  handedOver: (bytes) => bytes,
  mappedFrom: () => undefined,
  check: async () => undefined,
  close: async () => undefined,
});

/**
 * A file, which stays open. With `mapped`, the runtime maps the weights from it: none of them is copied to be loaded. Another file
 * may take the name meanwhile, but who writes into this one changes the model under the runtime's feet: that is noticed and refused.
 */
export async function fromFile(path: string, { mapped }: { mapped: boolean }): Promise<ModelSource> {
  const file = await orRefuse(path, () => open(path));
  const opened = await file.stat();
  // A runtime follows no link that leads out of a folder, and in the cache of the Hub every file is one.
  const place = await orRefuse(path, () => realpath(path));
  let left = false;
  let read: ArrayBuffer | undefined;
  const unchanged = async (now: Awaited<ReturnType<FileHandle["stat"]>>) => {
    const same = now.ino === opened.ino && now.size === opened.size && now.mtimeMs === opened.mtimeMs;
    if (!same) throw new Error("it has changed since it was opened");
  };
  return {
    reading: async (use) => {
      const buffer = await orRefuse(path, async () => {
        refuseTooLarge(opened.size, path);
        await unchanged(await stat(path));
        read = await readAll(file, opened.size);
        return read;
      });
      try {
        return use(new Uint8Array(buffer));
      } finally {
        buffer.resize(0);
      }
    },
    handedOver: (model) => {
      // Weights lie in one folder: where some have files of their own already, the others are few.
      // What was written anew (an older operator set) lies in no file.
      if (!mapped || model.buffer !== read || externalPaths(model).length > 0) return model.slice();
      const lean = weightsInFile(model, basename(place));
      left ||= lean.length < model.length;
      return lean;
    },
    mappedFrom: () => (left ? dirname(place) : undefined),
    check: async () => {
      if (left) await orRefuse(path, async () => unchanged(await file.stat()));
    },
    close: () => file.close(),
  };
}

async function readAll(file: FileHandle, size: number): Promise<ArrayBuffer> {
  const buffer = new ArrayBuffer(size, { maxByteLength: size });
  const bytes = new Uint8Array(buffer);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(bytes, at, size - at, at);
    if (bytesRead === 0) throw new Error("it became shorter while it was read");
    at += bytesRead;
  }
  return buffer;
}

async function orRefuse<T>(path: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof VitrailError) throw error;
    throw failure(problem("E070", { at: path, why: messageOf(error), try: "check the file and open it again" }));
  }
}
