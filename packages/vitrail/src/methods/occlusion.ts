/** R_u = f(x) - f(x without unit u): what the score loses when one patch or token is taken away. Zeiler & Fergus 2014, section 4.2. */
import type { DrivenMethod } from "./method.js";
import { perturbationOptions } from "./perturbation-options.js";

export const occlusion: DrivenMethod = {
  id: "occlusion",
  title: "Occlusion",
  citation: "Zeiler & Fergus. Visualizing and Understanding Convolutional Networks. ECCV 2014.",
  needs: ["many forwards"],
  classSpecific: true,
  kind: "tokens",
  signed: true,
  options: perturbationOptions,
  drive: async ({ score, units, scores }) => {
    const { count, removable } = units;
    const without = await scores(removable.length, (i) => {
      const keep = new Float32Array(count).fill(1);
      keep[removable[i]!] = 0;
      return keep;
    });
    const relevance = new Float32Array(count);
    for (const [i, unit] of removable.entries()) relevance[unit] = score - without[i]!;
    return { relevance };
  },
};
