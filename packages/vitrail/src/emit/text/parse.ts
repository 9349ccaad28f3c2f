/**
 * The printed form, read back: `formatGraph(parseGraph(text)) === text`, and the plain data are those that were printed.
 *
 *     graph    = "graph" "(" input,* ")" "->" "(" output,* ")" "opset" integer "{" (constant | mark | node)* "}"
 *     input    = name ":" type                        output = name ("=" value)? ":" type
 *     constant = value "=" literal                    mark   = "-- vitrail/" pass "--"
 *     node     = value,+ "=" operator "(" ("_" | value | literal),* ")" ("{" (name ":" attribute),* "}")? ":" type,+
 *     type     = element "[" (dimension,* | "?") "]"  value  = "%" (integer | name)
 *     literal  = "const" type ("(" number,* ")" | "sha256" digest)?
 *
 * White space and comments (# to the end of the line) may stand between all of these.
 */
import { fail } from "../../errors.js";
import {
  type AttributeText,
  type ConstantText,
  type Declared,
  type GraphText,
  integer,
  type NodeText,
  type Numeral,
  type PublicOutput,
  type TypeText,
  type ValueName,
} from "./graph-text.js";
import { BARE_DIM, BARE_NAME } from "./print.js";

/** @throws VitrailError (E004) with line and column of the first thing that is not understood */
export function parseGraph(text: string): GraphText {
  const s = new Scanner(text);
  s.expect("graph");
  const inputs = s.list("(", ")", () => declared(s));
  s.expect("->");
  const outputs = s.list("(", ")", () => publicOutput(s));
  s.expect("opset");
  const opset = Number(s.take(/\d+/, "a whole number"));
  s.expect("{");
  const known = new Scope(inputs);
  const constants: GraphText["constants"][number][] = [];
  const nodes: NodeText[] = [];
  let pass = "";
  while (!s.try("}")) {
    const mark = s.match(/-- vitrail\/([\w-]+) -+/);
    if (mark) {
      pass = mark[1]!;
      continue;
    }
    const at = s.at;
    const made = s.some(() => value(s));
    s.expect("=");
    const constant = made.length === 1 ? literal(s) : undefined;
    if (constant) constants.push({ name: made[0]!, constant });
    else nodes.push(node(s, pass, made, known));
    for (const name of made) if (!known.define(name, pass)) s.refuse("a value that nothing else makes", at);
  }
  s.end();
  known.check(s, outputs);
  return { opset, inputs, outputs, constants, nodes };
}

/** Every value has one maker; what is inside a fused operator may be made once more by the patch. */
class Scope {
  private readonly made = new Map<ValueName, Set<"file" | "patch">>();
  private readonly read: { readonly name: ValueName; readonly at: number }[] = [];
  constructor(inputs: readonly Declared[]) {
    for (const { name } of inputs) this.define(name, "");
  }
  define(name: ValueName, pass: string): boolean {
    const parts = this.made.get(name) ?? new Set();
    const part = pass === "" ? "file" : "patch";
    if (parts.has(part)) return false;
    this.made.set(name, parts.add(part));
    return true;
  }
  use(name: ValueName, at: number): void {
    this.read.push({ name, at });
  }
  check(s: Scanner, outputs: readonly PublicOutput[]): void {
    const lost = this.read.find(({ name }) => !this.made.has(name));
    if (lost) s.refuse("a value that an input, a constant or a node makes", lost.at);
    if (outputs.some(({ value: v }) => !this.made.has(v))) s.refuse("outputs that something makes", 0);
  }
}

function node(s: Scanner, pass: string, names: readonly ValueName[], known: Scope): NodeText {
  const operator = s.take(/[\w.]+(?:::\w+)?/, "an operator");
  const inputs = s.list("(", ")", () => {
    if (s.try("_")) return undefined;
    const at = s.at;
    const constant = literal(s);
    if (constant) return constant;
    const read = value(s);
    known.use(read, at);
    return read;
  });
  const attributes = s.peek("{") ? Object.fromEntries(s.list("{", "}", () => entry(s))) : {};
  s.expect(":");
  const at = s.at;
  const types = s.some(() => type(s));
  if (types.length !== names.length) s.refuse(`${names.length} types, one for each output`, at);
  return { pass, outputs: names.map((name, i) => ({ name, type: types[i]! })), operator, inputs, attributes };
}

const name = (s: Scanner): string => s.text() ?? s.take(BARE_NAME, "a name");

function value(s: Scanner): ValueName {
  s.expect("%");
  const text = s.text();
  if (text !== undefined) return text;
  const bare = s.take(BARE_NAME, "a name");
  return /^\d+$/.test(bare) ? Number(bare) : bare;
}

function declared(s: Scanner): Declared {
  const own = name(s);
  s.expect(":");
  return { name: own, type: type(s) };
}

function publicOutput(s: Scanner): PublicOutput {
  const own = name(s);
  const given = s.try("=") ? value(s) : own;
  s.expect(":");
  return { name: own, value: given, type: type(s) };
}

function type(s: Scanner): TypeText {
  const element = s.take(/\w+/, "an element type");
  if (s.match(/\[\?\]/)) return { element };
  const dims = s.list("[", "]", () => {
    const text = s.text();
    if (text !== undefined) return text;
    const bare = s.take(BARE_DIM, "a dimension");
    return /^-?\d+$/.test(bare) ? Number(bare) : bare;
  });
  return { element, dims };
}

function literal(s: Scanner): ConstantText | undefined {
  if (!s.match(/const\b/)) return undefined;
  const own = type(s);
  if (s.try("sha256")) return { ...own, digest: s.take(/[0-9a-f]{16}/, "16 hexadecimal digits") };
  if (!s.peek("(")) return own;
  return { ...own, values: s.list("(", ")", () => numeral(s, own.element)) };
}

function numeral(s: Scanner, element?: string): Numeral {
  const text = s.take(/-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)|NaN/, "a number");
  if (/^-?\d+$/.test(text) && text !== "-0") return integer(BigInt(text));
  return element === "f32" ? Math.fround(Number(text)) : Number(text);
}

function entry(s: Scanner): [string, AttributeText] {
  const key = name(s);
  s.expect(":");
  return [key, s.peek("[") ? s.list("[", "]", () => single(s)) : attribute(s)];
}

function attribute(s: Scanner): AttributeText {
  if (s.match(/graph of\b/)) return { nodes: Number(s.take(/\d+/, "a whole number")) };
  return literal(s) ?? single(s);
}

function single(s: Scanner): number | string {
  const text = s.text();
  if (text !== undefined) return text;
  const x = numeral(s) as number;
  return Number.isInteger(x) ? x : Math.fround(x);
}

/** Takes the text apart from the left. */
class Scanner {
  private position = 0;
  constructor(private readonly source: string) {}

  /** Where the next token begins. */
  get at(): number {
    const gap = /(?:\s|#[^\n]*)*/y;
    gap.lastIndex = this.position;
    this.position += gap.exec(this.source)![0].length;
    return this.position;
  }
  match(token: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(token.source, "y");
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.source);
    if (found) this.position += found[0].length;
    return found ?? undefined;
  }
  take(token: RegExp, what: string): string {
    return this.match(token)?.[0] ?? this.refuse(what);
  }
  /** A string in quotes. */
  text(): string | undefined {
    const at = this.at;
    const found = this.match(/"(?:[^"\\\n]|\\.)*"/)?.[0];
    if (found === undefined) return undefined;
    try {
      return JSON.parse(found) as string;
    } catch {
      return this.refuse("a string as JSON writes it", at);
    }
  }
  peek(symbol: string): boolean {
    return this.source.startsWith(symbol, this.at);
  }
  try(symbol: string): boolean {
    if (!this.peek(symbol)) return false;
    this.position += symbol.length;
    return true;
  }
  expect(symbol: string): void {
    if (!this.try(symbol)) this.refuse(`"${symbol}"`);
  }
  some<T>(item: () => T): T[] {
    const items = [item()];
    while (this.try(",")) items.push(item());
    return items;
  }
  list<T>(open: string, close: string, item: () => T): T[] {
    this.expect(open);
    if (this.try(close)) return [];
    const items = this.some(item);
    if (!this.try(close)) this.refuse(`"," or "${close}"`);
    return items;
  }
  end(): void {
    if (this.at < this.source.length) this.refuse("the end");
  }
  refuse(wanted: string, at = this.at): never {
    const before = this.source.slice(0, at).split("\n");
    const found = /[^\n]{0,20}/.exec(this.source.slice(at))![0];
    fail("E004", "", {
      at: `line ${before.length}, column ${before.at(-1)!.length + 1}`,
      why: `${wanted} should stand there, not ${found === "" ? "the end" : JSON.stringify(found)}`,
      try: "the text as report.print() or vitrail inspect --ir gives it",
    });
  }
}
