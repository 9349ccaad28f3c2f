/**
 * The peak memory of one map: that of a process of its own which opens the model and explains once, as `vitrail bench` measures it.
 * In the evaluation's own process sessions and workers stand beside each other, and no peak belongs to one of them.
 */
import type { Feeds } from "vitrail/node";
import { measure } from "../bench/run.js";
import type { ChosenMethod, Setup } from "./setup.js";

/** Bytes, measured once for each method and inputs of up to twice the size: what grows is small beside the model. */
export function memoryMeter({ model: { file }, opening }: Setup) {
  const known = new Map<string, Promise<number>>();
  return ({ name, id, options }: ChosenMethod, feeds: Feeds): Promise<number> => {
    const size = Object.values(feeds).reduce((total, { data }) => total + data.length, 0);
    const key = `${name} ${Math.ceil(Math.log2(size))}`;
    const { device, threads, optimisation, int8, ...choice } = opening;
    const compile = { method: id, ...choice, ...options };
    const runtime = { device, threads, optimisation, int8 };
    const peak =
      known.get(key) ?? measure("memory", { file, feeds, compile, runtime, rounds: 1 }).then(({ memory }) => memory);
    known.set(key, peak);
    return peak;
  };
}
