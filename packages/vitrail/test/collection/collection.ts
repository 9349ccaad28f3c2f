/** The model collection: small transformers of many families in many spellings, with float64 goldens (made by reference/). */
import { existsSync, readFileSync } from "node:fs";
import { type Arrays, array, type NumberArray } from "../../../../test/support/runtime.js";
import type { ElementType } from "../../src/tensor/element-type.js";
import { readNumbers } from "../../src/tensor/tensor.js";

const root = new URL("../../../../test/collection/", import.meta.url);

export interface Spelling {
  readonly file: string;
  readonly spelling: string;
  /** How near the file's function is to the family's: `half` and `correlation` spellings have goldens of their own. */
  readonly compare: "exact" | "folded" | "half" | "correlation" | "forward";
  /** Prefix of own goldens. */
  readonly own?: string;
  /** How many samples the runtime takes at a time, where it is fewer than there are. */
  readonly batch?: number;
}

export interface Family {
  readonly family: string;
  readonly inputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    /** Names of the dynamic axes, by number. */
    readonly axes: Readonly<Record<string, string>>;
  }[];
  readonly output: string;
  readonly maps: readonly {
    readonly explains: string;
    readonly suffix: string;
    /** Special tokens in front, and rows and columns of patches; null for texts. */
    readonly prefix: number;
    readonly grid: readonly [number, number] | null;
  }[];
  /** [case][sample][axis after the batch] */
  readonly targets: readonly (readonly (readonly number[])[])[];
  readonly golden: string;
  readonly float32Noise: { readonly E: number; readonly map: number };
  readonly spellings: readonly Spelling[];
}

export const families = (JSON.parse(readFileSync(new URL("manifest.json", root), "utf8")) as { families: Family[] })
  .families;

export const fileOf = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(new URL(path, root)));
/** Weights that lie beside a model. */
export const besides = ({ file }: Spelling): { path: string; data: Uint8Array }[] => {
  const path = `${file}.data`;
  return existsSync(new URL(path, root)) ? [{ path: path.split("/").at(-1)!, data: fileOf(path) }] : [];
};

const TYPES: Record<string, ElementType> = { F64: "float64", F32: "float32", I64: "int64", I32: "int32", BOOL: "bool" };

/** A .safetensors file: length of the header, header in JSON, tensors. */
export function goldensOf({ golden }: Family): ReadonlyMap<string, NumberArray> {
  const bytes = fileOf(golden);
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => {
          const type = TYPES[dtype]!;
          const values = readNumbers({ type, dims: shape, bytes: bytes.subarray(start + from, start + to) })!;
          return [name, array(type, values, shape)];
        },
      ),
  );
}

export const inputsOf = ({ inputs }: Family, goldens: ReadonlyMap<string, NumberArray>): Arrays =>
  Object.fromEntries(inputs.map(({ name }) => [name, goldens.get(`input.${name}`)!]));

/** The target input of a case: a class per sample, or a position per sample. */
export function targetOf(positions: readonly (readonly number[])[]): NumberArray {
  const width = positions[0]!.length;
  return array("int64", positions.flat(), width === 1 ? [positions.length] : [positions.length, width]);
}

/**
 * Where the embedding goes straight into a norm, nothing depends on its length: x · gradient sums to zero but for the norm's
 * epsilon, and what float32 gives there is noise.
 */
export const isScaleFree = ({ family }: Family): boolean => /^(deberta_v2|modernbert|bloom)/.test(family);
