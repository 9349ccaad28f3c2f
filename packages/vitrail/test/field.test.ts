/** Which pixels a grid of patches sees: any size against any patch, any chain of convolutions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ModelWriter } from "../../../test/support/model.js";
import { random } from "../../../test/support/random.js";
import { vit } from "../../../test/support/vit.js";
import { importModel } from "../src/canonicalize/import.js";
import { cellOfPixels, seenRegion } from "../src/flow/field.js";
import { patchesOf, patchGrid } from "../src/flow/patches.js";
import { readModel } from "../src/onnx/model.js";
import type { CompileOptions } from "../src/options.js";
import { tensor } from "../src/runtime/tensor.js";
import { tensorOf } from "../src/tensor/tensor.js";
import { drivenExplainer } from "./support/driven.js";

interface Window {
  kernel: number;
  stride: number;
  pad: number;
}
type Axis = "rows" | "columns";

const side = (most: number) =>
  fc.record({ rows: fc.integer({ min: 1, max: most }), columns: fc.integer({ min: 1, max: most }) });
const window = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }))
  .map(([kernel, stride, pad]): Window => ({ kernel, stride, pad: Math.min(pad, kernel - 1) }));

/** The pixels that the cells of the last of some windows see, counted out; undefined where nothing fits. */
function counted(windows: readonly Window[], size: number) {
  let cells: Set<number>[] = Array.from({ length: size }, (_, at) => new Set([at]));
  for (const { kernel, stride, pad } of windows) {
    const below = cells;
    const count = Math.floor((below.length + 2 * pad - kernel) / stride) + 1;
    if (count < 1) return undefined;
    cells = Array.from({ length: count }, (_, i) => {
      const first = i * stride - pad;
      return new Set(Array.from({ length: kernel }, (_, k) => [...(below[first + k] ?? [])]).flat());
    });
  }
  const seen = [...new Set(cells.flatMap((cell) => [...cell]))].sort((a, b) => a - b);
  return { cells: cells.length, start: seen[0]!, end: seen.at(-1)! + 1 };
}

/** Convolutions over a picture of a known or an unknown size, with a bias and an activation between. */
function chain(windows: readonly Window[], dims: readonly (number | string)[]) {
  const m = new ModelWriter({ opset: 17 });
  let x = m.input("x", "float32", ["batch", 1, ...dims]);
  for (const { kernel, stride, pad } of windows) {
    const weights = m.constant(tensorOf("float32", new Array(kernel * kernel).fill(1), [1, 1, kernel, kernel]));
    const attributes = { strides: [stride, stride], pads: [pad, pad, pad, pad], kernel_shape: [kernel, kernel] };
    x = m.op("Relu", [m.op("Conv", [x, weights, m.constant(tensorOf("float32", [1], [1]))], attributes)]);
  }
  m.output(x, "float32", ["batch", 1, "r", "c"], "y");
  return patchesOf(importModel(readModel(m.bytes())).outputs.get("y")!);
}

test("the region is what the cells see, for any windows and any size, known or not", () =>
  fc.assert(
    fc.property(window, fc.option(window), side(40), (first, second, { rows, columns }) => {
      // Padding between two windows counts as pixels: the region may then reach further than what is seen.
      const windows = second ? [first, { ...second, pad: 0 }] : [first];
      const found = { rows: counted(windows, rows), columns: counted(windows, columns) };
      if (!found.rows || !found.columns) return;
      const [r, c] = [found.rows, found.columns];
      const whole = r.start === 0 && c.start === 0 && r.end === rows && c.end === columns;
      const expected = whole ? undefined : { x: c.start, y: r.start, width: c.end - c.start, height: r.end - r.start };
      for (const dims of [
        [rows, columns],
        ["rows", "columns"],
      ]) {
        const patches = chain(windows, dims);
        const grid = patchGrid(patches, { height: rows, width: columns });
        // Of a picture of unknown size not every count of patches is understood.
        if (!grid && typeof dims[0] === "string") continue;
        expect(grid).toEqual([r.cells, c.cells]);
        expect(seenRegion(patches, grid!, { height: rows, width: columns })).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  ));

test("of pictures of unknown size the usual windows are understood", () => {
  const usual: Window[] = [
    { kernel: 7, stride: 4, pad: 3 },
    { kernel: 16, stride: 10, pad: 0 },
    { kernel: 3, stride: 2, pad: 1 },
  ];
  for (const each of usual) {
    const patches = chain([each], ["rows", "columns"]);
    expect(patchGrid(patches, { height: 50, width: 70 })).toEqual([50, 70].map((n) => counted([each], n)!.cells));
  }
});

test("patches of 8 on 70 x 50 pixels lie over 64 x 48", () => {
  const patches = chain([{ kernel: 8, stride: 8, pad: 0 }], ["rows", "columns"]);
  expect(patches).toEqual({ grid: null, stride: [8, 8] });
  expect(seenRegion(patches, [6, 8], { height: 50, width: 70 })).toEqual({ x: 0, y: 0, width: 64, height: 48 });
});

test("every pixel of the region lies in the patch that holds it", () =>
  fc.assert(
    fc.property(side(5), side(7), side(6), (grid, patch, rest) => {
      const size = (axis: Axis) => grid[axis] * patch[axis] + Math.min(rest[axis], patch[axis]) - 1;
      const [height, width] = [size("rows"), size("columns")];
      const region = { x: 0, y: 0, height: grid.rows * patch.rows, width: grid.columns * patch.columns };
      const cells = cellOfPixels([grid.rows, grid.columns], { height, width }, region);
      for (let y = 0; y < Math.min(height, region.height); y++)
        for (let x = 0; x < Math.min(width, region.width); x++)
          expect(cells[y * width + x]).toBe(Math.floor(y / patch.rows) * grid.columns + Math.floor(x / patch.columns));
    }),
    { numRuns: 50 },
  ));

const rest = [2, 3] as const;
const model = vit({ size: 8, patch: 4, depth: 1, rest });
const [height, width] = [8 + rest[0], 8 + rest[1]];
const input = { pixel_values: tensor(Float32Array.from(random(5).normals(3 * height * width)), [1, 3, height, width]) };

async function gridOf(options: CompileOptions) {
  const { explainer } = await drivenExplainer(model, options);
  const explanation = await explainer.explain(input);
  await explainer.close();
  return explanation.toGrid()!;
}

test.each(["transformer-attribution", "occlusion", "rise"])(
  "the grid of %s says where its patches lie",
  async (method) => {
    const { rows, columns, region } = await gridOf({ method, ...(method === "rise" && { masks: 8 }) });
    expect([rows, columns]).toEqual([2, 2]);
    expect(region).toEqual({ x: 0, y: 0, width: 8, height: 8 });
  },
);

test("what lies beside the region has no gradient at all, and what lies in it has", async () => {
  const { values } = await gridOf({ method: "gradient-x-input" });
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) expect(values[at] !== 0, `${x}, ${y}`).toBe(x < 8 && y < 8);
});

test("cells of a size that was asked for lie over the whole picture", async () => {
  expect((await gridOf({ method: "occlusion", cell: 5 })).region).toBeUndefined();
});
