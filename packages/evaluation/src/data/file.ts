/** A folder, wherever it is: on disk, in a browser's file list, in memory. Paths are relative, with forward slashes. */
export interface Folder {
  /** All files below, sorted. */
  list(): Promise<readonly string[]>;
  bytes(path: string): Promise<Uint8Array>;
}

export const readText = async (folder: Folder, path: string): Promise<string> =>
  new TextDecoder().decode(await folder.bytes(path)).replace(/^\uFEFF/, "");

declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** A folder made of values: for tests and for files that a browser already holds. */
export function memoryFolder(files: Readonly<Record<string, Uint8Array | string>>): Folder {
  return {
    list: async () => Object.keys(files).sort(),
    bytes: async (path) => {
      const content = files[path];
      if (content === undefined) throw new RangeError(`no file ${path}`);
      return typeof content === "string" ? new TextEncoder().encode(content) : content;
    },
  };
}

/** Whether a path that data name stays in the folder that they belong to. */
export const staysInside = (path: string): boolean =>
  !/^([/\\]|[a-z]:)|\0/i.test(path) && !path.split(/[/\\]/).includes("..");

export const isPicture = (path: string): boolean => /\.(jpe?g|png|webp|gif|bmp|tiff?|avif)$/i.test(path);
export const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
export const stem = (path: string): string => baseName(path).replace(/\.[^.]*$/, "");
