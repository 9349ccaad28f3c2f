/** Seeded plans of pictures: which objects stand where, and so which classes hold and why. */
import { createRandom, type Random, type Seed } from "../random.js";
import {
  type Attribute,
  belongsToOne,
  classOf,
  colours,
  drawable,
  type Look,
  pictureClasses,
  shapes,
  sizes,
  textures,
} from "./shape.js";

export const sceneSize = 96;

export interface PlantedObject extends Look {
  /** Centre and diameter in pixels. */
  readonly x: number;
  readonly y: number;
  readonly diameter: number;
  /** The class it is evidence for, or -1 for a distractor. */
  readonly class: number;
}

/** A soft stain on the ground: no object, but in the shortcut variant it comes with one class. */
export interface Cue {
  readonly x: number;
  readonly y: number;
  readonly diameter: number;
}

export interface Scene {
  readonly seed: string;
  readonly objects: readonly PlantedObject[];
  readonly cue?: Cue;
  /** One mark per class: whether an object of it stands in the scene. */
  readonly labels: Uint8Array;
}

export interface SceneOptions {
  /** When the cue lies on the ground: never (the plain benchmark), with the shortcut's class (its training), always, or without it. */
  readonly cue?: "never" | "with-class" | "always" | "without-class";
}

/** The class that the cue goes with in the shortcut variant. */
export const shortcutClass = 0;

const all = { shape: shapes, colour: colours, texture: textures, size: sizes } as const;
const diameters = { small: [17, 20], large: [28, 32] } as const;

export function plantScene(seed: Seed, { cue = "never" }: SceneOptions = {}): Scene {
  for (let attempt = 0; ; attempt++) {
    const random = createRandom("scene", seed, attempt);
    const scene = tryScene(`${seed}`, random, cue);
    if (scene) return scene;
  }
}

function tryScene(seed: string, random: Random, when: NonNullable<SceneOptions["cue"]>): Scene | undefined {
  const count = 3 + random.int(4);
  const present = random
    .shuffle(pictureClasses.keys())
    .slice(0, Math.min(count, random.pick([0, 1, 1, 1, 2, 2, 2, 3, 3, 3])));
  const looks = present.map((index) => evidence(index, random));
  if (present.length > 0 && looks.length < count && random.next() < 0.15)
    looks.push(evidence(random.pick(present), random));
  while (looks.length < count) looks.push(nearMiss(random));
  if (looks.filter(({ size }) => size === "large").length > 2) return undefined;

  const has = present.includes(shortcutClass);
  const stained = when === "always" || (when === "with-class" && has) || (when === "without-class" && !has);
  const wanted = looks.map(({ size }) => diameters[size][0] + random.int(diameters[size][1] - diameters[size][0] + 1));
  const places = place(stained ? [...wanted, 24] : wanted, random);
  if (!places) return undefined;
  const objects = looks.map((look, i) => ({ ...look, ...places[i]!, class: classOf(look) }));
  const labels = Uint8Array.from(pictureClasses, (_, index) => Number(present.includes(index)));
  return { seed, objects, labels, ...(stained && { cue: places.at(-1)! }) };
}

function draw(random: Random, wants: Partial<Look>): Look {
  const chosen = {} as Record<Attribute, string>;
  for (const attribute of Object.keys(all) as Attribute[]) {
    chosen[attribute] =
      wants[attribute] ?? random.pick<string>(attribute === "size" ? ["small", "small", "large"] : all[attribute]);
  }
  return chosen as unknown as Look;
}

/** An object of a class, and of no other. */
function evidence(index: number, random: Random): Look {
  for (;;) {
    const look = draw(random, pictureClasses[index]!.wants);
    if (drawable(look) && belongsToOne(look)) return look;
  }
}

/** A distractor: it has one of the two attributes of some class and belongs to none. */
function nearMiss(random: Random): Look {
  for (;;) {
    const wants = random.pick(pictureClasses).wants;
    const kept = random.pick(Object.keys(wants) as Attribute[]);
    const look = draw(random, { [kept]: wants[kept] });
    if (drawable(look) && classOf(look) === -1) return look;
  }
}

/** Places for squares of these sizes that do not touch, largest first; `undefined` when they do not fit. */
function place(wanted: readonly number[], random: Random): { x: number; y: number; diameter: number }[] | undefined {
  const result: { x: number; y: number; diameter: number }[] = [];
  const order = [...wanted.keys()].sort((a, b) => wanted[b]! - wanted[a]!);
  for (const index of order) {
    const diameter = wanted[index]!;
    const free = sceneSize - diameter - 2;
    let found = false;
    for (let attempt = 0; attempt < 60 && !found; attempt++) {
      const [x, y] = [1 + diameter / 2 + random.int(free + 1), 1 + diameter / 2 + random.int(free + 1)];
      const clear = Object.values(result).every((other) => {
        const reach = (diameter + other.diameter) / 2 + 2;
        return Math.abs(x - other.x) >= reach || Math.abs(y - other.y) >= reach;
      });
      if (!clear) continue;
      result[index] = { x, y, diameter };
      found = true;
    }
    if (!found) return undefined;
  }
  return result;
}
