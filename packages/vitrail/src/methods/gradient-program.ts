/**
 * ∂y/∂x itself, for methods that take it at many points: pixels are fed at the point. Embeddings are looked up inside the model, so
 * there a further input is added to them, and what the model then says is an output too. The forward pass is copied from the source on:
 * where the head reads one token, the copy computes the last block for that token alone, which the model's own outputs would not allow.
 */
import type { Source } from "../analysis.js";
import { recogniseActivations } from "../canonicalize/activation.js";
import { fail } from "../errors.js";
import { copyForward } from "../gradient/copy.js";
import { gradientStep, pullBack } from "../gradient/reverse.js";
import { dataInputs, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import { equal } from "../tensor/dim.js";
import type { BuiltMethod, MethodContext } from "./method.js";

/** Added to the embeddings: [batch, tokens, width]. */
export const SHIFT = "vitrail/shift";
/** The embeddings without it, in the same shape. */
export const POINT = "vitrail/point";
/** What the explanation starts at (the scores before a final softmax, too): in a program of embeddings, at the shifted ones. */
export const SCORES = "vitrail/scores";

const gradient = {
  id: "gradient",
  title: "Gradient",
  citation: "",
  needs: ["gradient"],
  classSpecific: true,
  kind: "input",
  signed: true,
  copiesForward: true,
  options: [],
} as const;

const atInput: BuiltMethod = {
  ...gradient,
  build: (context) => {
    const { explained, source } = context.analysis;
    const { output, gradient } = gradientAgain(context, source.point);
    // Else the model's own output is the score.
    const outputs = explained.start === explained.given ? [] : [{ name: SCORES, value: output }];
    return { relevance: gradient, sites: [], outputs };
  },
};

const atEmbedding: BuiltMethod = {
  ...gradient,
  build: (context) => {
    const { b, analysis } = context;
    const { source, model } = analysis;
    const embedded = b.asReal(source.point);
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
    const { output, gradient } = gradientAgain(context, b.cast(point, source.point.type));
    return {
      relevance: gradient,
      sites: [],
      inputs: [{ name: SHIFT, value: shift }],
      outputs: [
        { name: POINT, value: embedded },
        { name: SCORES, value: output },
      ],
    };
  },
};

/** What the model says at `point` in place of its source, and the gradient there. */
function gradientAgain({ b, analysis, seed }: MethodContext, point: Value): { output: Value; gradient: Value } {
  const output = copyForward(b, new Map([[analysis.source.point, point]]), analysis.output);
  recogniseActivations(b, ancestors([output], dataInputs));
  const found = pullBack(b, { name: "gradient", output, seed, wanted: new Set([point]), step: gradientStep(b) });
  return { output, gradient: found.get(point)! };
}

export const gradientProgram: Readonly<Record<Source["kind"], BuiltMethod>> = {
  input: atInput,
  embedding: atEmbedding,
};
