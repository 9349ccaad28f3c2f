/**
 * Symbolic dimensions: integer polynomials over positive symbols ("batch", "height", "⌊(height-16)/16⌋").
 * A dimension that is known is a plain number; everything else is a `Poly` in a normal form, so that two dimensions are
 * provably equal exactly when their keys are equal.
 */
export type Dim = number | Poly;

/** One term: coefficient times a product of symbols (sorted, repeated for powers). */
interface Term {
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

const monomial = (t: Term): string => t.symbols.join("*");
const termsOf = (d: Dim): readonly Term[] =>
  typeof d === "number" ? (d === 0 ? [] : [{ coefficient: d, symbols: [] }]) : d.terms;

/** Sums equal monomials and sorts: highest degree first, then by name. */
function normal(terms: readonly Term[]): Dim {
  const byMonomial = new Map<string, Term>();
  for (const t of terms) {
    const seen = byMonomial.get(monomial(t));
    byMonomial.set(monomial(t), seen ? { ...t, coefficient: seen.coefficient + t.coefficient } : t);
  }
  const kept = [...byMonomial.values()].filter((t) => t.coefficient !== 0).sort(compareTerms);
  if (kept.length === 0) return 0;
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

/** `a / b` where it is exact for every value of the symbols (polynomial long division), else undefined. */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  if (typeof a === "number" && typeof b === "number") return b !== 0 && a % b === 0 ? a / b : undefined;
  const [lead] = termsOf(b);
  if (!lead) return undefined;
  let rest = a;
  let quotient: Dim = 0;
  for (let steps = 0; steps < 64; steps++) {
    const [top] = termsOf(rest);
    if (!top) return quotient;
    const q = divideTerm(top, lead);
    if (!q) return undefined;
    const step = normal([q]);
    quotient = add(quotient, step);
    rest = subtract(rest, multiply(step, b));
  }
  return undefined;
}

/** ⌊a / b⌋; what does not divide exactly becomes one symbol of its own. */
export function floorDivide(a: Dim, b: Dim): Dim {
  const exact = divideExactly(a, b);
  if (exact !== undefined) return exact;
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  if (typeof b === "number") {
    const whole = termsOf(a).filter((t) => t.coefficient % b === 0);
    const part = termsOf(a).filter((t) => t.coefficient % b !== 0);
    if (whole.length > 0)
      return add(normal(whole.map((t) => ({ ...t, coefficient: t.coefficient / b }))), floorDivide(normal(part), b));
  }
  return computed(`⌊(${a})/${typeof b === "number" ? b : `(${b})`}⌋`, "floor", [a, b]);
}

/** What has no polynomial form: a quotient rounded down, a minimum, a maximum. It is one symbol, whose name says it all. */
export interface Computed {
  readonly function: "floor" | "min" | "max";
  readonly args: readonly Dim[];
}
/** By name, so that one table serves every graph. */
const computedSymbols = new Map<string, Computed>();
export const computedBy = (name: string): Computed | undefined => computedSymbols.get(name);

function computed(name: string, f: Computed["function"], args: readonly Dim[]): Dim {
  computedSymbols.set(name, { function: f, args });
  return symbol(name);
}

/** The smaller (larger) of two, decided where their difference has a sign for all positive values of the symbols. */
export const minimum = (a: Dim, b: Dim): Dim => extremum("min", a, b, (d) => least(d) >= 0);
export const maximum = (a: Dim, b: Dim): Dim => extremum("max", a, b, (d) => least(negate(d)) >= 0);

function extremum(f: "min" | "max", a: Dim, b: Dim, secondWins: (difference: Dim) => boolean): Dim {
  if (secondWins(subtract(a, b))) return b;
  if (secondWins(subtract(b, a))) return a;
  const args = [a, b].sort((c, d) => (String(c) < String(d) ? -1 : 1));
  return computed(`${f}(${args})`, f, args);
}

/** The least value that `a` can have: a plain symbol is at least 1, a computed one at least 0. */
function least(a: Dim): number {
  return termsOf(a).reduce((sum, { coefficient, symbols }) => {
    const smallest = symbols.some((s) => computedSymbols.has(s)) ? 0 : 1;
    return sum + (coefficient < 0 && symbols.length > 0 ? Number.NEGATIVE_INFINITY : coefficient * smallest);
  }, 0);
}

/** True where `a` is positive for all positive values of its symbols (sufficient, not necessary). */
export const isPositive = (a: Dim): boolean =>
  typeof a === "number" ? a > 0 : a.terms.every((t) => t.coefficient > 0) && a.terms.length > 0;

/** The symbols that occur in a dimension. */
export const symbolsOf = (a: Dim): readonly string[] =>
  typeof a === "number" ? [] : [...new Set(a.terms.flatMap((t) => t.symbols))];
