/**
 * Texts that are padded in front, and why a decoder says the next word. No relevance stands on padding on either side, where rows
 * of padding queries see no key at all (a class token would be padding itself there: such models are padded behind); what a decoder reads at a place depends on nothing behind it. By both methods of the
 * authors: the first is exact in float32, the second divides.
 */
import { describe, expect, test } from "vitest";
import { type Arrays, array, type NumberArray, open } from "../../../test/support/runtime.js";
import { compile } from "../src/compile.js";
import type { CompileOptions } from "../src/options.js";
import { type Family, families, fileOf, goldensOf, inputsOf, targetOf } from "./collection/collection.js";
import { distance } from "./support/program.js";

const METHODS = [
  ["generic-attention", 1e-5],
  ["transformer-attribution", 2e-2],
] as const;

/** With the first spellings: TorchScript's and dynamo's masks are written in different ways. */
const spellingsOf = ({ spellings }: Family) => spellings.filter((s) => s.compare === "exact").slice(0, 3);
const named = (...names: string[]): Family[] => families.filter((f) => names.includes(f.family));

async function runner(file: string, options: CompileOptions) {
  const { bytes, report } = compile(fileOf(file), options);
  const types = new Map(report.inputs.map((i) => [i.name, i.type]));
  const session = await open(bytes);
  const run = async (feeds: Arrays): Promise<number[][]> => {
    const known = Object.entries(feeds).filter(([name]) => types.has(name) || name === "target");
    const typed = known.map(([name, a]) => [name, array(types.get(name) ?? a.type, a.values, a.dims)] as const);
    return rows((await session.run(Object.fromEntries(typed), ["relevance"])).relevance!);
  };
  return { run, end: () => session.release() };
}

const rows = ({ dims, values }: NumberArray): number[][] =>
  Array.from({ length: dims[0]! }, (_, i) => values.slice(i * dims[1]!, (i + 1) * dims[1]!));
const mapRows = (a: NumberArray, f: (row: number[], i: number) => number[]): NumberArray => {
  const made = rows(a).map(f);
  return array(a.type, made.flat(), [made.length, made[0]!.length]);
};

/** Every row turned so that its padding comes first; the rows' real tokens alone. */
const lengthsOf = (mask: NumberArray): number[] => rows(mask).map((row) => row.reduce((n, x) => n + x, 0));
const turned = (row: readonly number[], length: number): number[] => [...row.slice(length), ...row.slice(0, length)];

describe.each(
  named("sentence", "t5_encoder", "modernbert", "gpt2", "llama_cls").flatMap((f) =>
    spellingsOf(f).map((s) => [`${f.family}: ${s.spelling}`, f, s.file] as const),
  ),
)("%s, padded in front", (_, family, file) => {
  test.each(METHODS)("%s", async (method, bound) => {
    const feeds = inputsOf(family, goldensOf(family));
    const lengths = lengthsOf(feeds.attention_mask!);
    const { run, end } = await runner(file, { method });
    const target = targetOf(family.targets[0]!);
    const padded: Arrays = Object.fromEntries(
      Object.entries(feeds).map(([name, a]) => [name, mapRows(a, (row, i) => turned(row, lengths[i]!))]),
    );
    const maps = await run({ ...padded, target });
    for (const [i, map] of maps.entries()) {
      const before = map.length - lengths[i]!;
      expect(map.every(Number.isFinite), `sample ${i} is finite`).toBe(true);
      expect(map.slice(0, before), `sample ${i}: padding`).toEqual(new Array(before).fill(0));
      const alone = (a: NumberArray): NumberArray => array(a.type, rows(a)[i]!, [1, a.dims[1]!]);
      const own = Object.fromEntries(Object.entries(padded).map(([name, a]) => [name, alone(a)]));
      const single = await run({ ...own, target: array("int64", [target.values[i]!], [1]) });
      expect(distance(single[0]!, map), `sample ${i} by itself`).toBeLessThan(bound);
      if (!RELATIVE.has(family.family)) continue;
      const short = Object.entries(own).map(([name, a]) => [
        name,
        array(a.type, a.values.slice(before), [1, lengths[i]!]),
      ]);
      const bare = await run({ ...Object.fromEntries(short), target: array("int64", [target.values[i]!], [1]) });
      expect(distance(map.slice(before), bare[0]!), `sample ${i} without padding`).toBeLessThan(bound);
    }
    await end();
  });
});

/** Only differences of positions matter to these: where padding stands makes no difference. */
const RELATIVE = new Set(["t5_encoder", "modernbert", "llama_cls"]);

describe.each(
  named("gpt2_lm", "llama_lm").flatMap((f) =>
    spellingsOf(f).map((s) => [`${f.family}: ${s.spelling}`, f, s.file] as const),
  ),
)("the next word, %s", (_, family, file) => {
  const PLACE = 4;
  test.each(METHODS)("%s at a place of the text: nothing behind it has a part", async (method, bound) => {
    const feeds = inputsOf(family, goldensOf(family));
    const { run, end } = await runner(file, { method });
    const count = feeds.input_ids!.dims[0]!;
    const target = array("int64", Array.from({ length: count }, (__, i) => [PLACE, 20 + i]).flat(), [count, 2]);
    const maps = await run({ ...feeds, target });
    const start = (a: NumberArray): NumberArray => mapRows(a, (row) => row.slice(0, PLACE + 1));
    const cut = await run({ ...Object.fromEntries(Object.entries(feeds).map(([k, a]) => [k, start(a)])), target });
    for (const [i, map] of maps.entries()) {
      expect(map.slice(PLACE + 1)).toEqual(new Array(map.length - PLACE - 1).fill(0));
      expect(Math.max(...map)).toBeGreaterThan(0);
      expect(distance(map.slice(0, PLACE + 1), cut[i]!)).toBeLessThan(bound);
    }
    await end();
    const forced = await runner(file, { method, readout: `index:${PLACE}` });
    const same = await forced.run({ ...feeds, target });
    for (const [i, map] of maps.entries()) expect(distance(same[i]!, map), "the read-out by hand").toBeLessThan(1e-6);
    const other = await runner(file, { method, readout: "index:2" });
    for (const row of await other.run({ ...feeds, target })) expect(row.slice(3)).toEqual(row.slice(3).map(() => 0));
    await Promise.all([forced.end(), other.end()]);
  });
});
