/**
 * The γ rule of residual additions (Berend et al. 2026) in place of a stabiliser, for the study of docs/decisions/0010 alone: in
 * y = Σ c a contribution that agrees in sign with the sum weighs 1 + γ, in additions and, as its counterpart, in products of data.
 *
 *     R_c = c (1 + γ [c y > 0]) R / D,    D = y + γ (y + s(y) Σ|c|) / 2,    s(y) = 1 for y >= 0, else -1
 *
 * |D| >= |y| + γ (Σ|c| + |y|) / 2 cannot vanish before the contributions do.
 */
import { append } from "../packages/vitrail/dist/compile.js";
import { resolveOptions } from "../packages/vitrail/dist/options.js";
import { chefer2021 } from "../packages/vitrail/dist/relevance/composites.js";

/** What goes to each input, `share` of it: c is linear in each of them, so c [c y > 0] = (c + s(y) |c|) / 2. */
function contributions(c, gamma, share) {
  const { node, x, y, R, b, divide, scalarOf, at, vjp } = c;
  // The difference a - c has the contributions a and -c; its magnitudes add all the same.
  const isSum = node.operator === "Add" || node.operator === "Sub";
  const magnitude = x.map((v) => b.abs(v));
  const size = isSum ? b.sum(magnitude) : at(magnitude);
  const sign = b.where(b.greater(0, y), b.scalar(-1), b.scalar(1));
  const D = b.add(y, b.mul(b.add(y, b.mul(sign, size)), gamma / 2));
  const S = divide(R, D, isSum ? 1 : Math.abs(x.reduce((n, _, i) => n * scalarOf(i), 1)));
  const signed = b.mul(S, sign);
  const plain = isSum ? [S, node.operator === "Sub" ? b.neg(S) : S] : vjp(S);
  const absolute = isSum ? [signed, signed] : vjp(signed, magnitude);
  return x.map((v, i) => {
    if (!plain[i]) return undefined;
    const all = b.add(b.mul(v, b.mul(plain[i], 1 + gamma / 2)), b.mul(magnitude[i], b.mul(absolute[i], gamma / 2)));
    return b.mul(all, share);
  });
}

/** The authors' normalised addition over these contributions (balanceBranches in relevance/rules.ts). */
const balanced = (gamma) => (c) => {
  const { x, R, b, wants, sampleSum } = c;
  const parts = contributions(c, gamma, 1);
  const sums = parts.map(sampleSum);
  const total = sampleSum(R);
  const spread = b.add(b.sum(sums.map((s) => b.abs(s))), 1e-9);
  return parts.map((part, i) => {
    const share = b.div(b.mul(b.abs(sums[i]), total), b.mul(spread, b.add(sums[i], 1e-9)));
    return wants[i] ? b.unbroadcast(b.mul(part, share), x[i]) : undefined;
  });
};

/** `compile` with transformer attribution under the γ rule. */
export function compileGamma(model, { gamma, ...options }) {
  const resolved = resolveOptions(options);
  const composite = () => ({ ...chefer2021, add: balanced(gamma), bilinear: (c) => contributions(c, gamma, 0.5) });
  return append(model, { ...resolved.method, composite }, resolved);
}
