/** Every operator's samples. */
import type { Samples } from "./sample.js";
import { samples as activation } from "./samples-activation.js";
import { samples as arithmetic } from "./samples-arithmetic.js";
import { samples as indexing } from "./samples-indexing.js";
import { samples as microsoft } from "./samples-microsoft.js";
import { samples as movement } from "./samples-movement.js";
import { samples as normalization } from "./samples-normalization.js";
import { samples as pooling } from "./samples-pooling.js";
import { samples as product } from "./samples-product.js";
import { samples as quantization } from "./samples-quantization.js";
import { samples as reduction } from "./samples-reduction.js";
import { samples as shape } from "./samples-shape.js";

export const samples: Samples = {
  ...arithmetic,
  ...activation,
  ...product,
  ...pooling,
  ...movement,
  ...indexing,
  ...reduction,
  ...normalization,
  ...shape,
  ...quantization,
  ...microsoft,
};
