/**
 * R_n = what token n adds to the target's logit where the last block sees it alone: the block's input, before and after the norm, is
 * kept at the special tokens and around token n and set to zero elsewhere, and the rest of the model runs on one such copy per
 * token. Byun & Lee 2023. The logit of a copy without any token is taken off: it is the same for all of them (the authors' min-max
 * scaling removes it too), and with a class token it is most of what there is. One forward, and the last block once per token.
 */
import { diagnostic, VitrailError } from "../errors.js";
import { tokenLayout } from "../flow/tokens.js";
import { copyForward } from "../gradient/copy.js";
import type { Value } from "../ir/graph.js";
import { type Builder, range } from "../ops/builder.js";
import { type Dim, equal, product } from "../tensor/dim.js";
import { tensorOf } from "../tensor/tensor.js";
import { blockInput } from "./block-input.js";
import type { BuiltMethod, MethodContext } from "./method.js";

export const vitReciproCam: BuiltMethod = {
  id: "vit-recipro-cam",
  title: "ViT-ReciproCAM",
  citation:
    "Byun & Lee. ViT-ReciproCAM: Gradient and Attention-Free Visual Explanations for Vision Transformer. arXiv:2310.02588, 2023.",
  needs: ["attention"],
  copiesForward: true,
  classSpecific: true,
  kind: "tokens",
  signed: true,
  options: [
    {
      name: "gaussian",
      type: "boolean",
      default: true,
      description: "a token's neighbours are kept in part (3 x 3, the authors' default), not the token alone",
    },
  ],
  build: (context) => {
    const { b, analysis, flow, seed, options } = context;
    const last = analysis.sites.at(-1)!;
    const explained = flow((site) => (site === last ? site.weights : undefined));
    const { stream, normed } = blockInput(analysis, last);
    const { prefix, rows, columns } = patches(context, stream, explained.tokens);
    b.pass = "copies";
    const mask = neighbourhoods(b, { prefix, rows, columns, gaussian: options.gaussian === true });
    const [batch] = b.shape(stream);
    const count = rows * columns + 1;
    const copies = (v: Value): Value => {
      const masked = b.mul(b.unsqueeze(v, [1]), b.cast(mask, v.type));
      return b.reshape(masked, [product([batch!, count]), ...b.shape(v).slice(1)]);
    };
    const starts = new Map([stream, normed].map((v) => [v, copies(v)]));
    const logits = copyForward(b, starts, analysis.output, { batch: batch!, times: count });
    const apart = b.reshape(b.asReal(logits), [batch!, count, ...b.shape(analysis.output).slice(1)]);
    const scores = b.reduceSum(b.mul(apart, b.unsqueeze(seed, [1])), [2], false);
    const added = b.sub(b.slice(scores, 1, 0, count - 1), b.slice(scores, 1, count - 1, count));
    return { ...explained, relevance: b.pad(added, 1, prefix, 0), sites: [] };
  },
};

/** The grid of patches of a picture model whose last block sees all of them. */
function patches({ b, analysis }: MethodContext, stream: Value, tokens: Value | undefined) {
  const { prefix, patches } = tokens ? tokenLayout(tokens) : { prefix: 0, patches: undefined };
  const shape = b.shape(stream);
  const grid = patches?.grid;
  const [rows, columns] = grid ?? [0, 0];
  const why = !grid
    ? "its tokens lie on no grid of fixed size"
    : shape.length !== 3 || !equal(shape[1]!, prefix + rows * columns)
      ? "its last block sees other tokens than the patches of the picture (windows, merged patches)"
      : !isSymbol(shape[0]!)
        ? "its batch is fixed, and one copy of the last block per patch is a batch"
        : b.rank(analysis.output) !== 2
          ? "its output is not [batch, classes]"
          : undefined;
  if (why !== undefined)
    throw new VitrailError([
      diagnostic("E031", "", {
        at: `the last block of "${analysis.outputName}"`,
        why,
        try: "occlusion or rise, which need the forward pass alone",
      }),
    ]);
  return { prefix, rows, columns };
}

const isSymbol = (d: Dim): boolean => typeof d !== "number" && d.terms.length === 1 && d.terms[0]!.symbols.length === 1;

/** [copies, tokens, 1]: 1 at the special tokens, a neighbourhood of the copy's own patch (of none in the last), 0 elsewhere. */
function neighbourhoods(
  b: Builder,
  { prefix, rows, columns, gaussian }: { prefix: number; rows: number; columns: number; gaussian: boolean },
): Value {
  const count = rows * columns;
  const values = range(count).flatMap((own) => [
    ...range(prefix).map(() => 1),
    ...range(count).map((patch) => {
      if (!gaussian) return Number(patch === own);
      const away = [Math.floor(patch / columns) - Math.floor(own / columns), (patch % columns) - (own % columns)];
      return away.some((d) => Math.abs(d) > 1) ? 0 : 0.25 / 2 ** (Math.abs(away[0]!) + Math.abs(away[1]!));
    }),
  ]);
  const none = range(prefix + count).map((i) => Number(i < prefix));
  return b.constant(tensorOf("float32", [...values, ...none], [count + 1, prefix + count, 1]));
}
