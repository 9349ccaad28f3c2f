/** How the divisions of a method with relevance rules are kept from amplifying rounding errors (relevance/divide.ts has the formulas). */
import type { MethodOption } from "./method.js";

export const stabilizer: MethodOption = {
  name: "stabilizer",
  type: "number",
  default: 0,
  description: "ε in S = R / (z + s(z) ε mean|z|) for additions and data products; 0 is the authors' 1e-9",
};

export const ridge: MethodOption = {
  name: "ridge",
  type: "number",
  default: 0,
  description:
    "ε in S = R z / (z² + (ε mean|z|)²), instead of stabilizer: nearer to the exact map for the same steadiness (3e-3 is recommended)",
};
