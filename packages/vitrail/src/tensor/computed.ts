/**
 * What has no polynomial form: a quotient rounded down, a minimum, a maximum. It is one symbol whose name says it all, and it
 * is brought to a normal form first, so that a size keeps its name whichever way an exporter computes it:
 *
 *     ⌊(q b + r) / b⌋ = q + ⌊r / b⌋          ⌊-r / b⌋ = -1 - ⌊(r - 1) / b⌋         ⌊(⌊r / m⌋ + k) / b⌋ = ⌊(r + k m) / (m b)⌋
 *     ⌊(g r + k) / (g b)⌋ = ⌊(r + ⌊k / g⌋) / b⌋                                     a mod b = a - b ⌊a / b⌋
 *
 * (Graham, Knuth, Patashnik: Concrete Mathematics, 3.1 to 3.4.) So n + ((-n) mod b), a size padded to a multiple of b, is a
 * multiple of b that divides exactly: b ⌊(n + b - 1) / b⌋. Divisors are positive.
 */

import { OverBudget } from "./misfit.js";
import {
  add,
  type Dim,
  divideExactly,
  divideWithRest,
  multiply,
  negate,
  normal,
  product,
  subtract,
  symbol,
  type Term,
  termsOf,
} from "./polynomial.js";

export interface Computed {
  readonly function: "floor" | "min" | "max";
  readonly args: readonly [Dim, Dim];
}
/** By name, so that one table serves every graph. */
const computedSymbols = new Map<string, Computed>();
export const computedBy = (name: string): Computed | undefined => computedSymbols.get(name);

/** Quotients of quotients of minima have long names; what doubles with every step is refused. */
const LONGEST_NAME = 20_000;

function computed(name: string, f: Computed["function"], args: Computed["args"]): Dim {
  if (name.length > LONGEST_NAME)
    throw new OverBudget("a size is computed from sizes that are computed from sizes, over and over");
  computedSymbols.set(name, { function: f, args });
  return symbol(name);
}

/** ⌊a / b⌋ */
export function floorDivide(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  if (typeof b === "number" && b < 0) return floorDivide(negate(a), -b);
  const { quotient, rest } = typeof b === "number" ? divideByNumber(a, b) : divideWithRest(a, b);
  return add(quotient, floorOfRest(rest, b));
}

/** ⌈a / b⌉ */
export const ceilDivide = (a: Dim, b: Dim): Dim => negate(floorDivide(negate(a), b));

/** a mod b, with the sign of b. */
export const modulo = (a: Dim, b: Dim): Dim => subtract(a, multiply(b, floorDivide(a, b)));

/** Coefficients are left with what is nearest to zero of their classes modulo b, the constant with its residue. */
function divideByNumber(a: Dim, b: number): { quotient: Dim; rest: Dim } {
  const nearest = ({ coefficient, symbols }: Term): number =>
    symbols.length === 0
      ? Math.floor(coefficient / b)
      : Math.sign(coefficient) * Math.ceil(Math.abs(coefficient) / b - 0.5);
  const quotient = normal(termsOf(a).map((t) => ({ ...t, coefficient: nearest(t) })));
  return { quotient, rest: subtract(a, multiply(quotient, b)) };
}

/** ⌊r / b⌋ where no term of r is a multiple of b. */
function floorOfRest(r: Dim, b: Dim): Dim {
  if (r === 0 || (least(r) >= 0 && least(subtract(b, r)) >= 1)) return 0;
  if (termsOf(r)[0]!.coefficient < 0) return subtract(-1, floorDivide(subtract(negate(r), 1), b));
  const constant = termsOf(r).find((t) => t.symbols.length === 0)?.coefficient ?? 0;
  const varying = subtract(r, constant);
  const inner = quotientOf(varying);
  if (inner) return floorDivide(add(inner[0], multiply(constant, inner[1])), multiply(inner[1], b));
  const common = typeof b === "number" ? termsOf(varying).reduce((g, t) => gcd(g, t.coefficient), b) : 1;
  if (common > 1)
    return floorDivide(add(divideExactly(varying, common)!, Math.floor(constant / common)), divideExactly(b, common)!);
  return computed(`⌊(${r})/${typeof b === "number" ? b : `(${b})`}⌋`, "floor", [r, b]);
}

/** Dividend and divisor, where `d` is one quotient rounded down and nothing else. */
export function quotientOf(d: Dim): Computed["args"] | undefined {
  const [term, ...others] = termsOf(d);
  if (others.length > 0 || term?.coefficient !== 1 || term.symbols.length !== 1) return undefined;
  const found = computedSymbols.get(term.symbols[0]!);
  return found?.function === "floor" ? found.args : undefined;
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** The smaller (larger) of two, decided where their difference has a sign for all values of the symbols. */
export const minimum = (a: Dim, b: Dim): Dim => extremum("min", a, b, (d) => least(d) >= 0);
export const maximum = (a: Dim, b: Dim): Dim => extremum("max", a, b, (d) => least(negate(d)) >= 0);

function extremum(f: "min" | "max", a: Dim, b: Dim, secondWins: (difference: Dim) => boolean): Dim {
  if (secondWins(subtract(a, b))) return b;
  if (secondWins(subtract(b, a))) return a;
  const [first, second] = String(a) < String(b) ? [a, b] : [b, a];
  return computed(`${f}(${first},${second})`, f, [first, second]);
}

/** A value that `a` is never below: symbols that stand for themselves are at least 1. */
export const least = (a: Dim): number =>
  termsOf(a).reduce((sum, { coefficient, symbols }) => {
    const factors = symbols.map(leastOfSymbol);
    if (symbols.length === 0) return sum + coefficient;
    if (coefficient < 0 || factors.some((n) => n < 0)) return Number.NEGATIVE_INFINITY;
    return sum + factors.reduce((n, f) => n * f, coefficient);
  }, 0);

function leastOfSymbol(name: string): number {
  const found = computedSymbols.get(name);
  if (!found) return 1;
  const [a, b] = found.args;
  if (found.function === "min") return Math.min(least(a), least(b));
  if (found.function === "max") return Math.max(least(a), least(b));
  return typeof b === "number" ? Math.floor(least(a) / b) : least(a) >= 0 ? 0 : Number.NEGATIVE_INFINITY;
}

/** With numbers in place of symbols. */
export function substitute(d: Dim, numbers: ReadonlyMap<string, number>): Dim {
  if (numbers.size === 0) return d;
  const factor = (name: string): Dim => {
    const found = computedSymbols.get(name);
    const known = numbers.get(name);
    if (known !== undefined || !found) return known ?? symbol(name);
    const [a, b] = found.args.map((arg) => substitute(arg, numbers)) as [Dim, Dim];
    return { floor: floorDivide, min: minimum, max: maximum }[found.function](a, b);
  };
  return termsOf(d).reduce<Dim>((sum, t) => add(sum, product([t.coefficient, ...t.symbols.map(factor)])), 0);
}

/** The computed symbol, and its number, that makes c sⁿ = value. */
export function solve(d: Dim, value: number): readonly [string, number] | undefined {
  const [term, ...others] = termsOf(d);
  const [name, ...more] = term?.symbols ?? [];
  if (!term || others.length > 0 || !name || !computedSymbols.has(name) || more.some((s) => s !== name))
    return undefined;
  const root = Math.round((value / term.coefficient) ** (1 / term.symbols.length));
  return term.coefficient * root ** term.symbols.length === value ? [name, root] : undefined;
}
