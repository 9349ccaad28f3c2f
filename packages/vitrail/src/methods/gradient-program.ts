/**
 * ∂y/∂x itself, for methods that take it at many points: pixels are fed at the point. Embeddings are looked up inside the model, so
 * there the forward pass is copied from the embeddings on and a further input is added to them; what the copy says is an output too.
 */
import type { Source } from "../analysis.js";
import { fail } from "../errors.js";
import { copyForward } from "../gradient/copy.js";
import { gradientStep, pullBack } from "../gradient/reverse.js";
import { equal } from "../tensor/dim.js";
import type { BuiltMethod } from "./method.js";

/** Added to the embeddings: [batch, tokens, width]. */
export const SHIFT = "vitrail/shift";
/** The embeddings without it, in the same shape. */
export const POINT = "vitrail/point";
/** The explained output at the shifted embeddings. */
export const SHIFTED = "vitrail/shifted";

const gradient = {
  id: "gradient",
  title: "Gradient",
  citation: "",
  needs: ["gradient"],
  classSpecific: true,
  kind: "input",
  signed: true,
  options: [],
} as const;

const atInput: BuiltMethod = {
  ...gradient,
  build: ({ analysis: { source }, gradientOf }) => ({ relevance: gradientOf([source.value])[0]!, sites: [] }),
};

const atEmbedding: BuiltMethod = {
  ...gradient,
  copiesForward: true,
  build: ({ b, analysis, seed }) => {
    const { source, output, model } = analysis;
    const embedded = b.asReal(source.value);
    const shape = b.shape(embedded);
    const ids = b.shape(model.inputs.get(source.input)!);
    if (shape.length !== ids.length + 1 || !ids.every((d, i) => equal(d, shape[i]!)))
      fail("E025", "Gather", {
        at: `the embeddings of input "${source.input}"`,
        why: "they are not laid out as the ids are, with one axis more",
        try: "gradient-x-input, or occlusion",
      });
    const shift = b.value(b.real, shape);
    shift.data = true;
    const point = b.add(embedded, shift);
    const again = copyForward(b, new Map([[source.value, b.cast(point, source.value.type)]]), output);
    const step = gradientStep(b);
    const found = pullBack(b, { name: "gradient", output: again, seed, wanted: new Set([point]), step });
    return {
      relevance: found.get(point)!,
      sites: [],
      inputs: [{ name: SHIFT, value: shift }],
      outputs: [
        { name: POINT, value: embedded },
        { name: SHIFTED, value: again },
      ],
    };
  },
};

export const gradientProgram: Readonly<Record<Source["kind"], BuiltMethod>> = {
  input: atInput,
  embedding: atEmbedding,
};
