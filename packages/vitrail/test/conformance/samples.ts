/** Every operator's samples. */
import type { Samples } from "./sample.js";
import { samples as arithmetic } from "./samples-arithmetic.js";

export const samples: Samples = { ...arithmetic };
