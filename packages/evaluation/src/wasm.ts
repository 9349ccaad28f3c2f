/**
 * As much of an assembler for WebAssembly as the loops of sweeps.ts need: functions of whole numbers that read and write one memory, and
 * calculate with vectors of four 32-bit floats.
 *
 * WebAssembly Core Specification 2.0, chapter 5 (binary format).
 */

/** Instructions that leave one value or none. */
export type Code = readonly number[];

export interface Local {
  readonly get: Code;
  set(value: Code): Code;
  /** Whole numbers: moves it on. */
  add(value: Code): Code;
}

const unsigned = (value: number): Code => (value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]);
const signed = (value: number): Code =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
const binary =
  (...opcode: number[]) =>
  (a: Code, b: Code): Code => [...a, ...b, ...opcode];

/** Whole numbers of 32 bits. */
export const whole = {
  of: (value: number): Code => [0x41, ...signed(value)],
  load: (at: Code, offset = 0): Code => [...at, 0x28, 2, ...unsigned(offset)],
  add: binary(0x6a),
  subtract: binary(0x6b),
  shiftRight: binary(0x76),
  less: binary(0x49),
};

/** Vectors of four floats; offsets in bytes. */
export const vector = {
  load: (at: Code, offset = 0): Code => [...at, 0xfd, 0, 4, ...unsigned(offset)],
  /** One float, four times. */
  spread: (at: Code): Code => [...at, 0xfd, 9, 2, 0],
  of: (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer), 0xfd, 0x13],
  store: (at: Code, value: Code): Code => [...at, ...value, 0xfd, 11, 4, 0],
  add: (...[first, ...others]: [Code, ...Code[]]): Code => others.reduce(binary(0xfd, 0xe4, 1), first),
  subtract: binary(0xfd, 0xe5, 1),
  times: binary(0xfd, 0xe6, 1),
};

const empty = 0x40;
export const loopWhile = (condition: Code, ...body: Code[]): Code =>
  // A block around a loop: out of it where the condition fails, back to its begin at the end.
  [0x02, empty, 0x03, empty, ...condition, 0x45, 0x0d, 1, ...body.flat(), 0x0c, 0, 0x0b, 0x0b];
export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, empty, ...body.flat(), 0x0b];

const types = { whole: 0x7f, vector: 0x7b };
export type Kind = keyof typeof types;

export interface Kernel {
  readonly parameters: number;
  readonly locals: readonly Kind[];
  readonly body: Code;
}

/** A function of `parameters` whole numbers and locals of two kinds, all given to `write`, which returns its instructions. */
export function kernel<P extends string, W extends string, V extends string>(
  parameters: readonly P[],
  { wholes, vectors }: { readonly wholes: readonly W[]; readonly vectors: readonly V[] },
  write: (locals: Record<P | W | V, Local>) => readonly Code[],
): Kernel {
  const names = [...parameters, ...wholes, ...vectors];
  const locals = names.map((name, index): [string, Local] => {
    const get = [0x20, ...unsigned(index)];
    const set = (value: Code) => [...value, 0x21, ...unsigned(index)];
    return [name, { get, set, add: (value) => set(whole.add(get, value)) }];
  });
  return {
    parameters: parameters.length,
    locals: [...wholes.map(() => "whole" as const), ...vectors.map(() => "vector" as const)],
    body: write(Object.fromEntries(locals) as Record<P | W | V, Local>).flat(),
  };
}

/** A module that exports the kernels under their names and imports its memory as `host.memory`. */
export function assemble(kernels: Readonly<Record<string, Kernel>>): Uint8Array<ArrayBuffer> {
  const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
  const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
  const name = (text: string): Code => sized([...text].map((letter) => letter.charCodeAt(0)));
  const section = (id: number, items: readonly Code[]): Code => [id, ...sized(list(items))];
  const all = Object.entries(kernels);
  const typeOf = ({ parameters }: Kernel) => [0x60, ...list(Array(parameters).fill([types.whole])), 0];
  const codeOf = ({ locals, body }: Kernel) => sized([...list(locals.map((kind) => [1, types[kind]])), ...body, 0x0b]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      all.map(([, each]) => typeOf(each)),
    ),
    ...section(2, [[...name("host"), ...name("memory"), 2, 0, 1]]),
    ...section(
      3,
      all.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      all.map(([id], index) => [...name(id), 0, ...unsigned(index)]),
    ),
    ...section(
      10,
      all.map(([, each]) => codeOf(each)),
    ),
  ]);
}

/** What is used of the engine; the language's own types do not know it. */
interface Engine {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}
export const { WebAssembly: engine } = globalThis as unknown as { WebAssembly: Engine };
