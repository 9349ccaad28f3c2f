import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { SUM_OF_64, saturationProbe } from "vitrail";
import { openSession, tensor } from "vitrail/node";
import { cacheRoot } from "../model/hub-cache.js";
import { size } from "../output/size.js";
import { messageOf } from "../problem.js";
import { version } from "../version.js";

export interface Check {
  name: string;
  ok: boolean;
  /** Whether Vitrail cannot do without it. */
  needed?: boolean;
  detail: string;
}

interface Backend {
  name: string;
  bundled: boolean;
}

/** What this machine has that matters. */
export async function examineMachine(): Promise<Check[]> {
  const { node } = process.versions;
  const [processor] = cpus();
  const threads = availableParallelism();
  return [
    { name: "vitrail", ok: true, detail: version },
    {
      name: "node",
      ok: Number(node.split(".")[0]) >= 20,
      needed: true,
      detail: `${node}, ${process.platform} ${process.arch}`,
    },
    { name: "processor", ok: true, detail: `${processor?.model.trim() ?? "unknown"}, ${threads} threads` },
    { name: "memory", ok: freemem() > 1e9, detail: `${size(freemem())} free of ${size(totalmem())}` },
    await nativeRuntime(),
    await integerSums(),
    await installed("onnxruntime-web", "for --device wasm; npm install onnxruntime-web"),
    await pictureDecoder(),
    { name: "hub", ok: true, detail: hubDetail() },
  ];
}

async function nativeRuntime(): Promise<Check> {
  const name = "onnxruntime-node";
  try {
    const runtime = await import("onnxruntime-node");
    const listed = (runtime as unknown as { listSupportedBackends?(): Backend[] }).listSupportedBackends?.() ?? [];
    const providers = listed.filter(({ bundled }) => bundled).map((backend) => backend.name);
    const detail = `${runtime.env.versions.node ?? ""}, providers ${providers.join(", ") || "cpu"}`;
    return { name, ok: true, needed: true, detail };
  } catch (error) {
    return { name, ok: false, needed: true, detail: `${messageOf(error).split("\n")[0]}; try --device wasm` };
  }
}

/** Whether this processor adds products of unsigned and signed 8-bit integers exactly. */
export async function integerSums(): Promise<Check> {
  const name = "8-bit sums";
  try {
    const session = await openSession(saturationProbe());
    const x = tensor(new Uint8Array(SUM_OF_64.length).fill(255), [1, SUM_OF_64.length], "uint8");
    const { y } = await session.run({ x });
    await session.release();
    const found = Number(y!.data[0]);
    const ok = found === SUM_OF_64.exact;
    const wrong = `saturate (64 products of 255 and 127 give ${found}, not ${SUM_OF_64.exact}): int8 files may decide otherwise here; --int8 exact`;
    return { name, ok, detail: ok ? "exact" : wrong };
  } catch (error) {
    return { name, ok: false, detail: `not measured: ${messageOf(error).split("\n")[0]}` };
  }
}

async function pictureDecoder(): Promise<Check> {
  try {
    const { default: sharp } = await import("sharp");
    return { name: "sharp", ok: true, needed: true, detail: `${sharp.versions.sharp}, libvips ${sharp.versions.vips}` };
  } catch (error) {
    return { name: "sharp", ok: false, needed: true, detail: messageOf(error).split("\n")[0]! };
  }
}

async function installed(name: string, hint: string): Promise<Check> {
  try {
    let folder = dirname(createRequire(import.meta.url).resolve(name));
    while (!(await isRootOf(folder, name)) && dirname(folder) !== folder) folder = dirname(folder);
    const { version: found } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { version: string };
    return { name, ok: true, detail: found };
  } catch {
    return { name, ok: false, detail: `not installed; ${hint}` };
  }
}

async function isRootOf(folder: string, name: string): Promise<boolean> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
  return (JSON.parse(text) as { name?: string }).name === name;
}

function hubDetail(): string {
  const { HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN } = process.env;
  const state = [
    HF_HUB_OFFLINE ? "offline" : (HF_ENDPOINT ?? "https://huggingface.co"),
    HF_TOKEN ? "with a token" : "no token",
  ];
  return `${state.join(", ")}; cache ${cacheRoot()}`;
}
