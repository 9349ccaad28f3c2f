/**
 * The honest floor: numbers that know nothing of the model, the sample or the class. A fixed hash of the token's index t, in whole
 * numbers so that every runtime gives the same: h ← (h² + 48271 (h + t + 1)) mod 65521 three times from h = seed + 1, divided by 65521.
 */
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import { counting } from "../ops/indexing.js";
import type { Dim } from "../tensor/dim.js";
import type { BuiltMethod } from "./method.js";

const PRIME = 65521;
const FACTOR = 48271;

export const randomMethod: BuiltMethod = {
  id: "random",
  title: "Random numbers",
  citation: "None: every method should be better than this.",
  needs: ["attention"],
  classSpecific: false,
  kind: "tokens",
  signed: false,
  options: [{ name: "seed", type: "integer", default: 0, description: "another seed gives other numbers" }],
  build: ({ b, flow, view, analysis, options }) => {
    // The walk finds the tokens; what it carries is set to zero.
    const last = analysis.sites.at(-1);
    const walked = flow((site) => (site === last ? view(site).weights : undefined));
    const tokens = b.shape(walked.relevance)[1]!;
    const numbers = hashed(b, tokens, (options.seed as number) % PRIME);
    return { ...walked, relevance: b.add(b.mul(walked.relevance, 0), numbers) };
  },
};

function hashed(b: Builder, tokens: Dim, seed: number): Value {
  const index = b.emit("Add", [counting(b, tokens), b.ints([1])]);
  const round = (h: Value): Value => {
    const spread = b.emit("Mul", [b.emit("Add", [h, index]), b.ints([FACTOR])]);
    return b.emit("Mod", [b.emit("Add", [b.emit("Mul", [h, h]), spread]), b.ints([PRIME])]);
  };
  return b.div(b.cast([0, 1, 2].reduce<Value>(round, b.ints([seed + 1])), b.real), PRIME);
}
