import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryFolder, vitrail } from "./command-line.js";

/** The model that ships, on the pictures that ship with it: the command of the README, and what a person should see. */
const model = fileURLToPath(new URL("../../models/blood-cells", import.meta.url));
const samples = join(model, "samples");

interface Sample {
  boxes: { label: string; box: [x0: number, y0: number, x1: number, y1: number] }[];
}
interface Explained {
  input: { name: string; size: [number, number] };
  target: { label: string; probability: number };
  map: { grid: [number, number]; values: number[] };
}

const boxes = JSON.parse(readFileSync(join(samples, "boxes.json"), "utf8")) as Record<string, Sample>;

describe("the shipped samples", () => {
  test("are explained for both classes", async () => {
    const out = temporaryFolder();
    const args = ["explain", model, samples, "-t", "WBC", "-t", "Platelets", "-o", out, "--json", "--batch-size", "4"];
    const { code, stdout } = await vitrail(args);
    expect(code).toBe(0);
    const { explanations } = JSON.parse(stdout) as { explanations: Explained[] };
    const names = Object.keys(boxes);
    expect(explanations).toHaveLength(2 * names.length);
    expect(readdirSync(out).filter((name) => name.endsWith("sheet.png"))).toHaveLength(names.length);
    expect(readdirSync(out)).toHaveLength(5 * names.length);
    expect(explanations[0]!.map.grid).toEqual([12, 12]);

    const present = explanations.filter(({ input, target }) => labelled(input.name, target.label).length > 0);
    expect(present.filter(({ target }) => target.probability > 0.5).length / present.length).toBeGreaterThan(0.7);
    const shares = present.map(shareInBoxes);
    const mean = shares.reduce((sum, { inside }) => sum + inside, 0) / shares.length;
    const chance = shares.reduce((sum, { area }) => sum + area, 0) / shares.length;
    expect(mean).toBeGreaterThan(2 * chance);
  });
});

const labelled = (name: string, label: string) => boxes[name]!.boxes.filter((box) => box.label === label);

/** The share of positive relevance in patches whose middle lies in a box of the class, and the share of such patches. */
function shareInBoxes({ input, target, map }: Explained): { inside: number; area: number } {
  const [rows, columns] = map.grid;
  const [width, height] = input.size;
  const isInside = (patch: number) => {
    const x = (((patch % columns) + 0.5) / columns) * width;
    const y = ((Math.floor(patch / columns) + 0.5) / rows) * height;
    return labelled(input.name, target.label).some(
      ({ box: [x0, y0, x1, y1] }) => x >= x0 && x < x1 && y >= y0 && y < y1,
    );
  };
  const positive = map.values.map((value) => Math.max(0, value));
  const total = positive.reduce((sum, value) => sum + value, 0);
  const hits = positive.map((value, patch) => (isInside(patch) ? value : 0));
  return {
    inside: hits.reduce((sum, value) => sum + value, 0) / total,
    area: positive.filter((_, patch) => isInside(patch)).length / positive.length,
  };
}
