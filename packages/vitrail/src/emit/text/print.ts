/**
 * The graph as text: if you can print it, you can test it. Constants of the file first, then its nodes, then what each pass added.
 *
 *     graph (x: f32[batch,4], target: i64[batch]) -> (logits: f32[batch,3], relevance: f32[batch,4]) opset 17 {
 *       %w = const f32[4,3]
 *       %logits = MatMul(%x, %w) : f32[batch,3]
 *       -- vitrail/relevance --
 *       %vitrail/relevance/Mul/head = Mul(%x, const f32[](0.5)) : f32[batch,4]
 *     }
 *
 * Names with unusual letters, and names that are numbers, stand in quotes: %7 is a value without a name, %"7" one that is called so.
 */
import type { ModelGraph } from "../../canonicalize/model-graph.js";
import type { Patch } from "../patch.js";
import {
  type AttributeText,
  type ConstantText,
  type Declared,
  describeGraph,
  type GraphText,
  type NodeText,
  type Numeral,
  type PublicOutput,
  type TypeText,
  type ValueName,
} from "./graph-text.js";

export const printGraph = (graph: ModelGraph, patch?: Patch): string => formatGraph(describeGraph(graph, patch));

export function formatGraph({ inputs, outputs, opset, constants, nodes }: GraphText): string {
  const head = `graph (${inputs.map(declared).join(", ")}) -> (${outputs.map(output).join(", ")}) opset ${opset} {`;
  const lines = constants.map(({ name, constant }) => `  ${value(name)} = ${literal(constant)}`);
  let pass = "";
  for (const node of nodes) {
    if (node.pass !== pass) lines.push(`  -- vitrail/${node.pass} --`);
    pass = node.pass;
    lines.push(`  ${line(node)}`);
  }
  return `${[head, ...lines].join("\n")}\n}\n`;
}

/** Names that need no quotes. */
export const BARE_NAME = /[\w./:+-]*[\w./+-]/;
/** Dimensions that need none. */
export const BARE_DIM = /[^\s,[\]"]+/;
const isBare = (text: string, bare: RegExp): boolean =>
  new RegExp(`^(?:${bare.source})$`).test(text) && !/^-?\d+$/.test(text);

const quoted = (text: string, bare: RegExp): string => (isBare(text, bare) ? text : JSON.stringify(text));
const name = (n: ValueName): string => (typeof n === "number" ? String(n) : quoted(n, BARE_NAME));
const value = (n: ValueName): string => `%${name(n)}`;
const declared = ({ name: n, type: t }: Declared): string => `${name(n)}: ${type(t)}`;
const output = (o: PublicOutput): string =>
  o.value === o.name ? declared(o) : `${name(o.name)} = ${value(o.value)}: ${type(o.type)}`;

function type({ element, dims }: TypeText): string {
  const shown = dims?.map((d) => (typeof d === "number" ? d : d === "?" ? JSON.stringify(d) : quoted(d, BARE_DIM)));
  return `${element}[${shown?.join(",") ?? "?"}]`;
}

function literal(constant: ConstantText): string {
  const { element, values, digest } = constant;
  if (digest !== undefined) return `const ${type(constant)} sha256 ${digest}`;
  return `const ${type(constant)}${values ? `(${values.map((x) => numeral(x, element)).join(",")})` : ""}`;
}

/** The fewest digits that give the same number: of a float32, the same float32. */
function numeral(x: Numeral, element?: string): string {
  if (Object.is(x, -0)) return "-0";
  if (element !== "f32" || typeof x === "bigint" || !Number.isFinite(x)) return String(x);
  const digits = [6, 7, 8].find((count) => Math.fround(Number(x.toPrecision(count))) === x);
  return String(Number(x.toPrecision(digits ?? 9)));
}

function line({ outputs, operator, inputs, attributes }: NodeText): string {
  const read = inputs.map((i) => (i === undefined ? "_" : typeof i === "object" ? literal(i) : value(i)));
  const entries = Object.entries(attributes).map(([key, v]) => `${quoted(key, BARE_NAME)}: ${attribute(v)}`);
  const list = entries.length > 0 ? ` {${entries.join(", ")}}` : "";
  const types = outputs.map((o) => type(o.type)).join(", ");
  return `${outputs.map((o) => value(o.name)).join(", ")} = ${operator}(${read.join(", ")})${list} : ${types}`;
}

function attribute(v: AttributeText): string {
  if (typeof v === "number") return numeral(v, "f32");
  if (typeof v === "string") return JSON.stringify(v);
  if (Array.isArray(v)) return `[${v.map(attribute).join(",")}]`;
  return "nodes" in v ? `graph of ${v.nodes}` : literal(v as ConstantText);
}
