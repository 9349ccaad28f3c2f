/**
 * Rotary positions (Su et al. 2021): pairs of features turned by an angle that their position fixes. A linear map, so one
 * unit for relevance (conventions 4.2); its transpose turns back, by the negative angle.
 */
import { like } from "./infer.js";
import { defineOp, type GradientContext } from "./operator.js";

const rotary = (name: string, sine: number) =>
  defineOp(name, {
    role: "rotary",
    infer: like(),
    gradient: ({ node, x, dy, b }: GradientContext) => [
      b.emit(name, [dy, ...x.slice(1).map((v, i) => (i + 1 === sine ? b.neg(v) : v))], node.attributes),
    ],
  });

/** (x, cos, sin, position ids) */
export const RotaryEmbedding = rotary("RotaryEmbedding", 2);
/** (x, position ids, cos, sin) */
export const MicrosoftRotaryEmbedding = rotary("com.microsoft::RotaryEmbedding", 3);
