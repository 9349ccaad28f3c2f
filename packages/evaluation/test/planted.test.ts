import { describe, expect, it } from "vitest";
import {
  belongsToOne,
  boxMask,
  caseContext,
  chooseMetric,
  classOf,
  cueMask,
  drawScene,
  evidenceMask,
  hashSeed,
  measure,
  type PlantedSet,
  pictureCases,
  pictureClasses,
  plantedSamples,
  plantedSets,
  plantScene,
  plantSentence,
  satisfies,
  sceneSize,
  sentenceCases,
  sentenceTokens,
  sentenceVocabulary,
  shortcutClass,
} from "../src/index.js";
import { fixed } from "./toy.js";

const scenes = Array.from({ length: 60 }, (_, seed) => plantScene(seed));
const different = (a: Uint8Array, b: Uint8Array) =>
  Uint8Array.from({ length: sceneSize ** 2 }, (_, at) =>
    Number([0, 1, 2].some((c) => a[3 * at + c] !== b[3 * at + c])),
  );

describe("planted scenes", () => {
  it("are the same for the same seed, on every machine", () => {
    expect(plantScene(7)).toEqual(plantScene(7));
    expect(hashSeed(...drawScene(plantScene("golden")))).toBe(2690288352);
  });

  it("hold three to six objects that do not overlap, each of one class at most", () => {
    for (const { objects, labels } of scenes) {
      expect(objects.length).toBeGreaterThanOrEqual(3);
      expect(objects.length).toBeLessThanOrEqual(6);
      for (const [index, object] of objects.entries()) {
        expect(object.class).toBe(classOf(object));
        expect(belongsToOne(object)).toBe(true);
        for (const other of objects.slice(index + 1)) {
          const reach = (object.diameter + other.diameter) / 2;
          expect(Math.max(Math.abs(object.x - other.x), Math.abs(object.y - other.y))).toBeGreaterThanOrEqual(reach);
        }
      }
      pictureClasses.forEach((_, index) => {
        expect(labels[index]).toBe(Number(objects.some((object) => object.class === index)));
      });
    }
  });

  it("have several classes in one picture, and distractors that miss a class by one attribute", () => {
    expect(Math.max(...scenes.map(({ labels }) => labels.reduce((a, b) => a + b, 0)))).toBe(3);
    const distractors = scenes.flatMap(({ objects }) => objects.filter((object) => object.class === -1));
    expect(distractors.length).toBeGreaterThan(60);
    for (const look of distractors) {
      const near = pictureClasses.some((one) => {
        const met = Object.entries(one.wants).filter(([attribute, value]) => look[attribute as "shape"] === value);
        return met.length === 1 && !satisfies(look, one);
      });
      expect(near).toBe(true);
    }
  });

  it("change only inside the evidence when the evidence is left out", () => {
    for (const scene of scenes.slice(0, 20)) {
      const target = scene.labels.indexOf(1);
      if (target < 0) continue;
      const changed = different(drawScene(scene), drawScene(scene, { withoutClass: target }));
      const mask = evidenceMask(scene, target);
      const outside = changed.filter((value, at) => value && !mask[at]).length;
      const kept = mask.filter((value, at) => value && !changed[at]).length;
      expect(outside).toBe(0);
      expect(kept).toBeLessThan(5);
    }
  });

  it("carry the cue with the shortcut's class, or alone when asked", () => {
    const training = Array.from({ length: 60 }, (_, seed) => plantScene(seed, { cue: "with-class" }));
    for (const scene of training) expect(scene.cue !== undefined).toBe(scene.labels[shortcutClass] === 1);
    const alone = Array.from({ length: 60 }, (_, seed) => plantScene(seed, { cue: "without-class" }));
    for (const scene of alone) expect(scene.cue !== undefined).toBe(scene.labels[shortcutClass] === 0);
    const scene = alone.find(({ cue }) => cue)!;
    const mask = cueMask(scene);
    const changed = different(drawScene(scene), drawScene(scene, { withoutCue: true }));
    expect(mask.filter((value, at) => value && !changed[at]).length).toBe(0);
    for (const index of pictureClasses.keys())
      expect(evidenceMask(scene, index).some((value, at) => value && mask[at])).toBe(false);
  });
});

describe("planted sentences", () => {
  const sentences = Array.from({ length: 300 }, (_, seed) => plantSentence(seed));

  it("point at the words that decide", () => {
    for (const { text, label, spans } of sentences) {
      const roles = spans.map(({ role }) => role);
      if (label === 0) expect(roles).toEqual([]);
      else expect(roles.filter((role) => role !== "negation")).toEqual(["subject", "cue"]);
      for (const { start, end } of spans) expect(text.slice(start, end)).toMatch(/^[a-z]+( [a-z]+)?$/);
    }
  });

  it("turn round under negation: the same judging word stands for both classes", () => {
    const use = new Map<string, Set<string>>();
    for (const { text, label, spans } of sentences) {
      const cue = spans.find(({ role }) => role === "cue");
      if (!cue) continue;
      const negated = spans.some(({ role }) => role === "negation");
      const word = text.slice(cue.start, cue.end);
      use.set(word, (use.get(word) ?? new Set()).add(`${label}${negated}`));
    }
    for (const kinds of use.values()) {
      expect(kinds.size).toBeLessThanOrEqual(2);
      expect(["1false,2true", "1true,2false"]).toContain([...kinds].sort().join(","));
    }
  });

  it("use known words only and start with a capital", () => {
    const vocabulary = sentenceVocabulary();
    expect(new Set(vocabulary).size).toBe(vocabulary.length);
    for (const { text } of sentences) {
      expect(text).toMatch(/^[A-Z].*\.$/);
      expect(sentenceTokens(text).every(({ id }) => id > 4)).toBe(true);
    }
  });
});

describe("planted cases", () => {
  it("give one question per class that holds, with mask and boxes", async () => {
    const cases = Array.from({ length: 6 }, (_, seed) => pictureCases(seed)).flat();
    for (const of of cases) {
      expect(of.subject.units).toBe(144);
      expect(of.truth!.mask!.includes(1)).toBe(true);
      const map = Array.from({ length: 144 }, () => 1);
      const bench = { model: { predict: async () => [] }, seed: 0 };
      const { values } = await measure(
        caseContext(of, bench),
        fixed("even", map),
        ["relevance-mass", "energy-in-boxes"].map(chooseMetric),
      );
      const share = of.truth!.mask!.reduce((a, b) => a + b, 0) / 96 ** 2;
      expect(values["relevance-mass"]!.value).toBeCloseTo(share, 6);
      expect(values["energy-in-boxes"]!.value).toBeCloseTo(1, 6);
    }
  });

  it("ask for the cue where there is one", () => {
    const [of] = pictureCases(3, { cue: "without-class" });
    const cued = plantScene(3, { cue: "without-class" }).cue !== undefined;
    expect(of!.id.endsWith("-cue")).toBe(cued);
  });

  it("mark gold tokens and leave neutral sentences out", () => {
    const cases = Array.from({ length: 40 }, (_, seed) => sentenceCases(seed)).flat();
    expect(cases.length).toBeGreaterThan(20);
    expect(cases.length).toBeLessThan(40);
    for (const { truth, subject } of cases) {
      expect(truth!.mask!.length).toBe(subject.units);
      expect([2, 3, 4]).toContain(
        Math.min(
          4,
          truth!.mask!.reduce((a, b) => a + b, 0),
        ),
      );
    }
    const narrow = sentenceCases(cases[0]!.id.slice(9), { roles: ["cue"] })[0]!;
    expect(narrow.truth!.mask!.reduce((a, b) => a + b, 0)).toBe(1);
  });
});

describe("data sets by name", () => {
  it("are the same for a seed, longer ones begin with shorter ones, and hold evidence in every sample", async () => {
    for (const set of Object.values(plantedSets)) {
      const few = plantedSamples<{ id: string }>(set, 1, 5);
      expect(JSON.stringify(plantedSamples<{ id: string }>(set, 1, 8).slice(0, 5))).toBe(JSON.stringify(few));
      expect(JSON.stringify(plantedSamples<{ id: string }>(set, 2, 5))).not.toBe(JSON.stringify(few));
      expect(new Set(few.map(({ id }) => id)).size).toBe(5);
    }
  });

  it("mark the evidence of a class, and the stain where the object itself is missing", async () => {
    const [shapes, shortcut] = ["planted-shapes", "planted-shortcut"].map((name) => plantedSets[name]!);
    for (const sample of plantedSamples(shapes as PictureSet, 0, 10)) {
      expect(sample.regions.map(({ label }) => label)).toEqual(sample.labels);
      for (const { boxes, mask } of sample.regions) {
        const { width, height, data } = await mask!();
        const inBoxes = boxMask(boxes, height, width);
        expect(data.includes(1)).toBe(true);
        expect(data.every((mark, at) => !mark || inBoxes[at] || near(inBoxes, at, width))).toBe(true);
      }
    }
    for (const { labels, regions } of plantedSamples(shortcut as PictureSet, 0, 10)) {
      expect(labels).not.toContain(pictureClasses[shortcutClass]!.label);
      expect(regions.map(({ label }) => label)).toEqual([pictureClasses[shortcutClass]!.label]);
    }
  });

  it("mark the words that decide", () => {
    const set = plantedSets["planted-sentences"] as TextSet;
    for (const { text, label, spans } of plantedSamples(set, 0, 20)) {
      expect(["praise", "complaint"]).toContain(label);
      expect(spans.length).toBeGreaterThan(1);
      for (const { start, end } of spans) expect(text.slice(start, end)).toMatch(/^[A-Za-z]+( [a-z]+)*$/);
    }
  });
});

type PictureSet = Extract<PlantedSet, { kind: "picture" }>;
type TextSet = Extract<PlantedSet, { kind: "text" }>;
/** An object's rim may reach half a pixel out of its box. */
const near = (marks: Uint8Array, at: number, width: number) => [1, -1, width, -width].some((step) => marks[at + step]);
