/** Methods that work on every transformer, whatever it reads: the others have tests of their own. */
import { builtMethods } from "../../src/methods/registry.js";

/** Needs patches on a grid, and a batch that is free. */
const PICTURES = new Set(["vit-recipro-cam"]);

export const methods = builtMethods.filter((m) => !PICTURES.has(m.id));
