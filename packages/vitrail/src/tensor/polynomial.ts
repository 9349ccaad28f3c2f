/**
 * Integer polynomials over symbols. A dimension that is known is a plain number; everything else is a `Poly` in a normal
 * form, so that two dimensions are provably equal exactly when their keys are equal.
 */
import { OverBudget } from "./misfit.js";

export type Dim = number | Poly;

/** One term: coefficient times a product of symbols (sorted, repeated for powers). */
export interface Term {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

export class Poly {
  readonly key: string;
  constructor(readonly terms: readonly Term[]) {
    this.key = terms
      .map(({ coefficient, symbols }) =>
        symbols.length === 0
          ? `${coefficient}`
          : (coefficient === 1 ? "" : coefficient === -1 ? "-" : `${coefficient}*`) + symbols.join("*"),
      )
      .join("+")
      .replaceAll("+-", "-");
  }
  toString(): string {
    return this.key;
  }
}

export const symbol = (name: string): Dim => new Poly([{ coefficient: 1, symbols: [name] }]);

/** Sizes of real models have fewer than ten terms. What only grows by being multiplied again and again is refused. */
const MOST_TERMS = 512;
const HIGHEST_DEGREE = 64;

const monomial = (t: Term): string => t.symbols.join("*");
export const termsOf = (d: Dim): readonly Term[] =>
  typeof d === "number" ? (d === 0 ? [] : [{ coefficient: d, symbols: [] }]) : d.terms;

/** Sums equal monomials and sorts: highest degree first, then by name. */
export function normal(terms: readonly Term[]): Dim {
  const byMonomial = new Map<string, Term>();
  for (const t of terms) {
    const seen = byMonomial.get(monomial(t));
    byMonomial.set(monomial(t), seen ? { ...t, coefficient: seen.coefficient + t.coefficient } : t);
  }
  const kept = [...byMonomial.values()].filter((t) => t.coefficient !== 0).sort(compareTerms);
  if (kept.length === 0) return 0;
  if (kept.length > MOST_TERMS || kept.some((t) => t.symbols.length > HIGHEST_DEGREE))
    throw new OverBudget(
      `a size is a sum of more than ${MOST_TERMS} products, or a product of more than ${HIGHEST_DEGREE} sizes`,
    );
  const [first] = kept;
  return kept.length === 1 && first!.symbols.length === 0 ? first!.coefficient : new Poly(kept);
}

function compareTerms(a: Term, b: Term): number {
  return b.symbols.length - a.symbols.length || (monomial(a) < monomial(b) ? -1 : monomial(a) > monomial(b) ? 1 : 0);
}

export const equal = (a: Dim, b: Dim): boolean =>
  typeof a === "number" || typeof b === "number" ? a === b : a.key === b.key;

export const add = (a: Dim, b: Dim): Dim =>
  typeof a === "number" && typeof b === "number" ? a + b : normal([...termsOf(a), ...termsOf(b)]);

export function multiply(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  const product: Term[] = [];
  if (termsOf(a).length * termsOf(b).length > MOST_TERMS)
    throw new OverBudget(`a size is a sum of more than ${MOST_TERMS} products`);
  for (const s of termsOf(a))
    for (const t of termsOf(b))
      product.push({ coefficient: s.coefficient * t.coefficient, symbols: [...s.symbols, ...t.symbols].sort() });
  return normal(product);
}

/** Every product that holds the symbol `one`, times `times`: as if `one` were `times` as large. */
export function replaced(d: Dim, one: Poly, times: number): Dim {
  if (typeof d === "number") return d;
  const more = (t: Term): number => t.coefficient * times ** t.symbols.filter((s) => s === one.key).length;
  return normal(d.terms.map((t) => ({ ...t, coefficient: more(t) })));
}

export const negate = (a: Dim): Dim => multiply(a, -1);
export const subtract = (a: Dim, b: Dim): Dim => add(a, negate(b));
export const product = (dims: readonly Dim[]): Dim => dims.reduce(multiply, 1);

/** `s / t` for single terms, where it divides exactly. */
function divideTerm(s: Term, t: Term): Term | undefined {
  if (s.coefficient % t.coefficient !== 0) return undefined;
  const rest = [...s.symbols];
  for (const name of t.symbols) {
    const at = rest.indexOf(name);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return { coefficient: s.coefficient / t.coefficient, symbols: rest };
}

/**
 * a = quotient · b + rest for every value of the symbols, with as much in the quotient as goes (polynomial long division: terms
 * that the leading term of `b` does not divide are left).
 */
export function divideWithRest(a: Dim, b: Dim): { readonly quotient: Dim; readonly rest: Dim } {
  const [lead] = termsOf(b);
  let open = a;
  let quotient: Dim = 0;
  let rest: Dim = 0;
  for (let steps = 0; lead && steps < 64; steps++) {
    const [top] = termsOf(open);
    if (!top) break;
    const q = divideTerm(top, lead);
    const step = normal([q ?? top]);
    open = subtract(open, q ? multiply(step, b) : step);
    if (q) quotient = add(quotient, step);
    else rest = add(rest, step);
  }
  return { quotient, rest: add(rest, open) };
}

/** `a / b` where it is exact for every value of the symbols, else undefined. */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  if (typeof a === "number" && typeof b === "number") return b !== 0 && a % b === 0 ? a / b : undefined;
  if (b === 0) return undefined;
  const { quotient, rest } = divideWithRest(a, b);
  return rest === 0 ? quotient : undefined;
}

/** True where `a` is positive for all positive values of its symbols (sufficient, not necessary). */
export const isPositive = (a: Dim): boolean =>
  typeof a === "number" ? a > 0 : a.terms.every((t) => t.coefficient > 0) && a.terms.length > 0;

/** The symbols that occur in a dimension. */
export const symbolsOf = (a: Dim): readonly string[] =>
  typeof a === "number" ? [] : [...new Set(a.terms.flatMap((t) => t.symbols))];
