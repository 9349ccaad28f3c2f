/** What planted pictures are made of, and which conjunctions of it are classes. */
export const shapes = ["circle", "square", "triangle", "cross", "ring"] as const;
export const colours = ["red", "green", "blue", "yellow", "violet"] as const;
export const textures = ["plain", "striped", "dotted", "checked"] as const;
export const sizes = ["small", "large"] as const;

export type Shape = (typeof shapes)[number];
export type Colour = (typeof colours)[number];
export type Texture = (typeof textures)[number];
export type Size = (typeof sizes)[number];

export interface Look {
  readonly shape: Shape;
  readonly colour: Colour;
  readonly texture: Texture;
  readonly size: Size;
}

export type Attribute = keyof Look;

/** A class is a conjunction of two attributes; neither alone is enough. */
export interface PlantedClass {
  readonly label: string;
  readonly wants: Readonly<Partial<Look>>;
}

export const pictureClasses: readonly PlantedClass[] = [
  { label: "striped circle", wants: { texture: "striped", shape: "circle" } },
  { label: "dotted square", wants: { texture: "dotted", shape: "square" } },
  { label: "red triangle", wants: { colour: "red", shape: "triangle" } },
  { label: "blue cross", wants: { colour: "blue", shape: "cross" } },
  { label: "large ring", wants: { size: "large", shape: "ring" } },
  { label: "yellow checks", wants: { colour: "yellow", texture: "checked" } },
];

export const satisfies = (look: Look, { wants }: PlantedClass): boolean =>
  (Object.keys(wants) as Attribute[]).every((attribute) => look[attribute] === wants[attribute]);

/** The one class an object belongs to, or -1. */
export const classOf = (look: Look): number => pictureClasses.findIndex((one) => satisfies(look, one));

export const belongsToOne = (look: Look): boolean => pictureClasses.filter((one) => satisfies(look, one)).length <= 1;

/** Thin outlines carry no pattern when small: it could not be told from another one. */
export const drawable = ({ shape, texture, size }: Look): boolean =>
  texture === "plain" || size === "large" || (shape !== "ring" && shape !== "cross");
