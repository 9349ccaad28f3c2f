/** All that a worker needs to know; plain data that crosses threads. */
import type { Int8, Optimisation, Patches } from "vitrail/node";
import type { ModelFiles } from "../model/folder.js";
import type { CaseChoice } from "./classes.js";
import type { DataRequest } from "./data.js";

/** A method with its options; `name` tells two settings of one method apart. */
export interface ChosenMethod {
  readonly name: string;
  readonly id: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What is said to `createExplainer` beside the method. */
export interface Opening {
  readonly output?: string;
  readonly from?: "logit" | "probability";
  readonly explains?: string;
  readonly readout?: string;
  readonly device?: "cpu" | "wasm";
  readonly optimisation?: Optimisation;
  readonly int8?: Int8;
  readonly threads: number;
}

export interface Setup {
  readonly model: ModelFiles;
  /** The model that it is held against, which reads its inputs in the same way. */
  readonly second?: ModelFiles;
  /** Its 8-bit products, where they are to differ. */
  readonly secondInt8?: Int8;
  readonly data: DataRequest;
  readonly choice: CaseChoice;
  readonly methods: readonly ChosenMethod[];
  readonly metrics: readonly string[];
  readonly seed: number;
  readonly batchSize: number;
  readonly opening: Opening;
  /** Pictures only. */
  readonly patches?: Patches;
  /** Explainers that one worker keeps open. */
  readonly sessions: number;
}
