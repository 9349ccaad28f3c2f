/** Symbolic dimensions as numbers: reads the text of a dimension, so it shares no code with what it checks. */
import type { Dim } from "../../packages/vitrail/src/tensor/dim.js";

/** The value where every symbol has the given number; undefined where a symbol is unknown (or only the data decide it). */
export function evaluate(dim: Dim, symbols: Readonly<Record<string, number>>): number | undefined {
  const value = typeof dim === "number" ? dim : new Reader(dim.key, symbols).sum();
  return Number.isNaN(value) ? undefined : value;
}

const FUNCTIONS: Record<string, (a: number, b: number) => number> = { max: Math.max, min: Math.min };

/** sum: term (+|- term)*; term: factor (* factor)*; factor: number, name, name(sum, sum), (sum) or ⌊(sum)/factor⌋. */
class Reader {
  private at = 0;
  constructor(
    private readonly text: string,
    private readonly symbols: Readonly<Record<string, number>>,
  ) {}

  sum(): number {
    let total = this.take("-") ? -this.term() : this.term();
    for (;;) {
      if (this.take("+")) total += this.term();
      else if (this.take("-")) total -= this.term();
      else return total;
    }
  }

  private term(): number {
    let product = this.factor();
    while (this.take("*")) product *= this.factor();
    return product;
  }

  private factor(): number {
    if (this.take("⌊")) {
      const dividend = this.factor();
      this.expect("/");
      const divisor = this.factor();
      this.expect("⌋");
      return Math.floor(dividend / divisor);
    }
    if (this.take("(")) {
      const value = this.sum();
      this.expect(")");
      return value;
    }
    const word = /^[-]?[\w.#]+/.exec(this.text.slice(this.at))?.[0] ?? "";
    this.at += word.length;
    if (/^-?\d+$/.test(word)) return Number(word);
    const apply = FUNCTIONS[word];
    if (!apply || !this.take("(")) return this.symbols[word] ?? Number.NaN;
    let value = this.sum();
    while (this.take(",")) value = apply(value, this.sum());
    this.expect(")");
    return value;
  }

  private take(character: string): boolean {
    if (!this.text.startsWith(character, this.at)) return false;
    this.at += character.length;
    return true;
  }

  private expect(character: string): void {
    if (!this.take(character)) throw new Error(`no "${character}" at ${this.at} of "${this.text}"`);
  }
}
