/** From a planned scene to pixels and to exact evidence: what is drawn is what is known. */
import { createRandom, type Random } from "../random.js";
import { bilinear } from "../resample.js";
import { type PlantedObject, type Scene, sceneSize as side } from "./scene.js";
import type { Colour, Shape } from "./shape.js";

type Rgb = readonly [number, number, number];

const paint: Record<Colour, Rgb> = {
  red: [214, 48, 44],
  green: [52, 160, 70],
  blue: [46, 88, 214],
  yellow: [236, 204, 52],
  violet: [152, 76, 190],
};
const stain: Rgb = [40, 170, 165];

export interface DrawOptions {
  /** Leaves out every object of this class: the picture as it would be without that evidence. */
  readonly withoutClass?: number;
  /** Leaves out one object. */
  readonly withoutObject?: number;
  readonly withoutCue?: boolean;
}

/** The picture, rows of RGB bytes. Each object has a stream of its own, so that leaving one out changes nothing else. */
export function drawScene(scene: Scene, { withoutClass, withoutObject, withoutCue }: DrawOptions = {}): Uint8Array {
  const pixels = ground(createRandom("ground", scene.seed));
  if (scene.cue && !withoutCue) {
    const { cue } = scene;
    forEachPixel(cue, (at, dx, dy) => blend(pixels, at, stain, 0.75 * fade(dx, dy, cue.diameter)));
  }
  scene.objects.forEach((object, index) => {
    if (index !== withoutObject && (withoutClass === undefined || object.class !== withoutClass)) {
      drawObject(pixels, object, createRandom("object", scene.seed, index));
    }
  });
  return new Uint8Array(new Uint8ClampedArray(pixels).buffer);
}

/** One mark per pixel that an object of the class touches: without the evidence no other pixel changes. */
export function evidenceMask(scene: Scene, index: number): Uint8Array {
  const mask = new Uint8Array(side * side);
  for (const object of scene.objects) {
    if (object.class !== index) continue;
    forEachPixel(object, (at, dx, dy) => {
      if (coverage(object.shape, dx, dy, object.diameter) > 0) mask[at] = 1;
    });
  }
  return mask;
}

/** One mark per pixel that an object touches. */
export function objectMask({ objects }: Scene, index: number): Uint8Array {
  const mask = new Uint8Array(side * side);
  const object = objects[index]!;
  forEachPixel(object, (at, dx, dy) => {
    if (coverage(object.shape, dx, dy, object.diameter) > 0) mask[at] = 1;
  });
  return mask;
}

/** One mark per pixel that the cue visibly stains. */
export function cueMask({ cue }: Scene): Uint8Array {
  const mask = new Uint8Array(side * side);
  if (cue) {
    forEachPixel(cue, (at, dx, dy) => {
      if (fade(dx, dy, cue.diameter) > 0.25) mask[at] = 1;
    });
  }
  return mask;
}

const fade = (dx: number, dy: number, diameter: number): number => {
  const distance = (2 * Math.hypot(dx, dy)) / diameter;
  return Math.max(0, Math.min(1, 2 - 2 * distance));
};

function ground(random: Random): Float32Array {
  const pixels = new Float32Array(side * side * 3);
  for (let channel = 0; channel < 3; channel++) {
    const tone = 95 + 45 * random.next();
    const cloud = (cells: number, height: number) =>
      bilinear(
        Array.from({ length: cells * cells }, () => height * (random.next() - 0.5)),
        [cells, cells],
        [side, side],
      );
    const layers = [cloud(6, 60), cloud(24, 36)];
    for (let at = 0; at < side * side; at++) {
      pixels[3 * at + channel] = tone + layers[0]![at]! + layers[1]![at]! + 24 * (random.next() + random.next() - 1);
    }
  }
  return pixels;
}

function drawObject(pixels: Float32Array, object: PlantedObject, random: Random): void {
  const jitter = [0, 0, 0].map(() => 30 * (random.next() - 0.5));
  const light = paint[object.colour].map((value, channel) => value + jitter[channel]!) as unknown as Rgb;
  const dark = light.map((value) => 0.3 * value) as unknown as Rgb;
  const pattern = patterns[object.texture](random);
  forEachPixel(object, (at, dx, dy) => {
    const cover = coverage(object.shape, dx, dy, object.diameter);
    if (cover > 0) blend(pixels, at, pattern(dx, dy) ? dark : light, cover);
  });
}

type Pattern = (dx: number, dy: number) => boolean;
const wrap = (value: number, period: number) => value - period * Math.floor(value / period);

/** Whether a point is dark, seen from the object's centre. */
const patterns: Record<PlantedObject["texture"], (random: Random) => Pattern> = {
  plain: () => () => false,
  striped: (random) => {
    const [across, down] = random.pick([
      [0, 1],
      [1, 0],
      [0.7, 0.7],
      [0.7, -0.7],
    ] as const);
    const phase = 6 * random.next();
    return (dx, dy) => wrap(across * dx + down * dy + phase, 6) < 3;
  },
  dotted: (random) => {
    const [px, py] = [6 * random.next(), 6 * random.next()];
    return (dx, dy) => Math.hypot(wrap(dx + px, 6) - 3, wrap(dy + py, 6) - 3) < 1.9;
  },
  checked: (random) => {
    const [px, py] = [8 * random.next(), 8 * random.next()];
    return (dx, dy) => wrap(dx + px, 8) < 4 !== wrap(dy + py, 8) < 4;
  },
};

/** Share of a pixel that a shape covers, from nine points. */
function coverage(shape: Shape, dx: number, dy: number, diameter: number): number {
  let hits = 0;
  for (const oy of [-1 / 3, 0, 1 / 3]) {
    for (const ox of [-1 / 3, 0, 1 / 3])
      if (inside[shape]((2 * (dx + ox)) / diameter, (2 * (dy + oy)) / diameter)) hits++;
  }
  return hits / 9;
}

/** Shapes in the square from -1 to 1, y downwards. */
const inside: Record<Shape, (x: number, y: number) => boolean> = {
  circle: (x, y) => x * x + y * y <= 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.88,
  triangle: (x, y) => y <= 0.9 && y >= -1 + 1.9 * Math.abs(x),
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.34 && Math.max(Math.abs(x), Math.abs(y)) <= 1,
  ring: (x, y) => x * x + y * y <= 1 && x * x + y * y >= 0.3,
};

function forEachPixel(
  { x, y, diameter }: { x: number; y: number; diameter: number },
  visit: (at: number, dx: number, dy: number) => void,
): void {
  const reach = Math.ceil(diameter / 2) + 1;
  for (let row = Math.max(0, Math.floor(y) - reach); row < Math.min(side, y + reach); row++) {
    for (let column = Math.max(0, Math.floor(x) - reach); column < Math.min(side, x + reach); column++) {
      visit(row * side + column, column + 0.5 - x, row + 0.5 - y);
    }
  }
}

function blend(pixels: Float32Array, at: number, [red, green, blue]: Rgb, share: number): void {
  [red, green, blue].forEach((value, channel) => {
    pixels[3 * at + channel] = (1 - share) * pixels[3 * at + channel]! + share * value;
  });
}
