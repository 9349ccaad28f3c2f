/** Layouts under Reshape: pieces of axes are split and joined, and keep their order, their extents and their kinds. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../../test/support/dimension.js";
import { type Atom, atom, inputLayout, keptAtoms, type Layout, regroup } from "../src/flow/layout.js";
import { layoutOfShape } from "../src/flow/output.js";
import { Value } from "../src/ir/graph.js";
import { ceilDivide, type Dim, multiply, product, symbol } from "../src/tensor/dim.js";

const kinds = ["batch", "token", "channel"] as const;
const atoms = fc.array(
  fc.tuple(fc.integer({ min: 2, max: 4 }), fc.constantFrom(...kinds)).map(([size, kind]) => atom(size, kind)),
  { minLength: 1, maxLength: 6 },
);
const extents = (layout: Layout) => layout.map((axis) => product(axis.map((a) => a.size)));
/** Where pieces end, counted in elements from the right; and the kind of what ends there. */
const borders = (list: readonly Atom[]): Map<number, string> => {
  const found = new Map<number, string>();
  let inner = 1;
  for (const a of [...list].reverse()) {
    inner *= a.size as number;
    found.set(inner, a.kind);
  }
  return found;
};

describe("regroup", () => {
  test("joins whole pieces: the very same atoms in the same order", () =>
    fc.assert(
      fc.property(atoms, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), (list, cuts) => {
        const groups: Atom[][] = [[]];
        for (const [i, a] of list.entries()) {
          if (i > 0 && cuts[i]) groups.push([]);
          groups.at(-1)!.push(a);
        }
        expect(regroup(list, extents(groups))).toEqual(groups);
        expect(
          regroup(list, extents(groups))!
            .flat()
            .every((a, i) => a === list[i]),
        ).toBe(true);
      }),
    ));

  test("splits pieces: borders and kinds stay where they were", () =>
    fc.assert(
      fc.property(atoms, fc.array(fc.integer({ min: 2, max: 4 }), { maxLength: 6 }), (list, wanted) => {
        const total = list.reduce((n, a) => n * (a.size as number), 1);
        const shape: number[] = [];
        let rest = total;
        for (const d of wanted) if (rest % d === 0) [rest] = [rest / d, shape.push(d)];
        shape.push(rest);
        const layout = regroup(list, shape);
        if (!layout) return;
        expect(extents(layout)).toEqual(shape);
        const [before, after] = [borders(list), borders(layout.flat())];
        for (const border of before.keys()) expect(after.has(border), `border at ${border}`).toBe(true);
        // Every new piece has the kind of the old one that it lies in.
        for (const [end, kind] of after) {
          const owner = [...before].filter(([old]) => old >= end).sort((a, b) => a[0] - b[0])[0]!;
          expect(kind).toBe(owner[1]);
        }
      }),
    ));

  test("taken apart and put together again is what it was", () =>
    fc.assert(
      fc.property(atoms, (list) => {
        const apart = regroup(
          [atom(product(list.map((a) => a.size)), "token")],
          list.map((a) => a.size),
        )!;
        expect(extents(apart)).toEqual(list.map((a) => a.size));
        expect(extents(regroup(apart.flat(), [product(list.map((a) => a.size))])!)).toHaveLength(1);
      }),
    ));

  test("what does not fit is not a layout", () =>
    fc.assert(
      fc.property(atoms, (list) => {
        const total = list.reduce((n, a) => n * (a.size as number), 1);
        expect(regroup(list, [total + 1])).toBeUndefined();
        expect(regroup(list, [total, 2])).toBeUndefined();
        expect(regroup(list, [])).toBeUndefined();
      }),
    ));

  test("axes of extent 1 have no pieces", () => {
    const [n, d] = [atom(3, "token"), atom(4, "channel")];
    expect(regroup([n, d], [1, 3, 1, 4, 1])).toEqual([[], [n], [], [d], []]);
  });

  test("symbolic extents: heads leave the batch, tokens become a grid", () => {
    const [b, n] = [symbol("batch"), symbol("n")];
    const folded = [atom(b, "batch"), atom(4, "channel"), atom(n, "token"), atom(8, "channel")];
    expect(regroup(folded, [multiply(b, 4), n, 8])).toEqual([[folded[0], folded[1]], [folded[2]], [folded[3]]]);
    const grid = regroup([atom(b, "batch"), atom(multiply(n, 2), "token")], [b, n, 2])!;
    expect(grid.map((axis) => axis.map((a) => [evaluate(a.size as Dim, { batch: 3, n: 5 }), a.kind]))).toEqual([
      [[3, "batch"]],
      [[5, "token"]],
      [[2, "token"]],
    ]);
    expect(regroup([atom(b, "batch"), atom(n, "token")], [n, b])).toBeUndefined();
  });
});

describe("a Reshape between sizes that only a run makes equal", () => {
  const [b, h, w] = [symbol("batch"), symbol("h"), symbol("w")];
  const padded = (d: Dim) => multiply(4, ceilDivide(d, 4));
  const before = (from: readonly Dim[], out: Layout): Layout | undefined => {
    const [input, output] = [new Value(0, "float32", from), new Value(1, "float32", extents(out))];
    const node = { operator: "Reshape", inputs: [input], outputs: [output], attributes: {}, source: "", pass: "" };
    return inputLayout({ ...node, order: 0 }, 0, out, false);
  };
  const [samples, channels] = [atom(b, "batch"), atom(16, "channel")];

  test("padded rows and columns before the tokens: new pieces, and the others are the very same", () => {
    const tokens = atom(multiply(h, w), "token");
    const layout = before([b, padded(h), padded(w), 16], [[samples], [tokens], [channels]])!;
    expect(layout.map((axis) => axis.length)).toEqual([1, 1, 1, 1]);
    expect([layout[0]![0], layout[3]![0]]).toEqual([samples, channels]);
    expect(layout.slice(1, 3).map(([a]) => [String(a!.size), a!.kind])).toEqual([
      ["4*⌊(h+3)/4⌋", "token"],
      ["4*⌊(w+3)/4⌋", "token"],
    ]);
  });

  test("not where samples or channels would have to be told from tokens", () => {
    const folded = [samples, atom(multiply(h, w), "token")];
    expect(before([padded(h), padded(w), 16], [folded, [channels]])).toBeUndefined();
    expect(before([b, padded(h), padded(w)], [[samples], [atom(h, "token"), channels]])).toBeUndefined();
  });
});

test("an output's axes are samples, positions and classes", () => {
  const kindsOf = (shape: readonly Dim[]) =>
    layoutOfShape(shape, shape.length - 1).map((axis) => axis.map((a) => a.kind));
  expect(kindsOf([2, 10])).toEqual([["batch"], ["channel"]]);
  expect(kindsOf([2, 7, 10])).toEqual([["batch"], ["token"], ["channel"]]);
  expect(keptAtoms(layoutOfShape([2, 7, 10], 2)).map((a) => a.size)).toEqual([2, 7]);
});
