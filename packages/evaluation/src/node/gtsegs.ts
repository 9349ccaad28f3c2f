import { type Hdf5File, loadGtsegs } from "../data/gtsegs.js";
import type { Loaded, LoadOptions } from "../data/loaded.js";
import type { PictureSample } from "../data/picture-sample.js";

/** Opens `gtsegs_ijcv.mat` with h5wasm, which must be installed. Call `close` when the samples are done with. */
export async function openGtsegs(
  path: string,
  options?: LoadOptions,
): Promise<Loaded<PictureSample> & { close(): void }> {
  const { default: h5wasm } = await import("h5wasm/node").catch(() => {
    throw new Error("reading MATLAB 7.3 files needs the package h5wasm: npm install h5wasm");
  });
  await h5wasm.ready;
  const file = new h5wasm.File(path, "r");
  return { ...loadGtsegs(file as unknown as Hdf5File, options), close: () => file.close() };
}
