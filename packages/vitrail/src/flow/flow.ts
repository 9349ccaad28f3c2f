/**
 * Aggregation as a flow. A row starts at the explained output and moves backwards through the graph along the tokens:
 * at a residual addition the skip keeps (v, a) and the attention branch gets v + a; at a site it is multiplied with the
 * site's map E; everything else only moves or shares it. For a plain stack this is a ← a + (v + a) E from the last block to
 * the first (CVPR 2021, eq. 13 and 14, as a row instead of a matrix); windows, patch merging, cross-attention and pooling
 * heads follow from the same walk. It ends at the tokens below which nothing attends.
 */

import { type AttentionSite, isPoolingHead } from "../canonicalize/attention-site.js";
import type { UnitFinder } from "../canonicalize/unit.js";
import { unitInput } from "../canonicalize/unit.js";
import { fail } from "../errors.js";
import { int } from "../ir/attribute.js";
import { dataInputs, type Node, place, type Value } from "../ir/graph.js";
import { ancestors } from "../ir/traverse.js";
import type { Builder } from "../ops/builder.js";
import { roleOf } from "../ops/operator.js";
import { normalizeAxis } from "../tensor/shape.js";
import { attend } from "./attend.js";
import { keptAtoms, type Layout, layoutOrFail } from "./layout.js";
import { moveRow } from "./move.js";
import { rowNormalizer } from "./normalize.js";
import { outputLayout } from "./output.js";
import { overrideReadout, type Readout } from "./readout.js";
import { joinRows, mapRow, type Row, total } from "./row.js";

export interface FlowRequest {
  readonly b: Builder;
  readonly output: Value;
  /** Row at the output: 1 at the explained positions. */
  readonly seed: Value;
  readonly sites: readonly AttentionSite[];
  /** The map of a site, [..., queries, keys] with heads; undefined where the site is left out. */
  readonly map: (site: AttentionSite) => Value | undefined;
  readonly normalizeRows: boolean;
  /** A read-out that replaces the one found. */
  readonly readout?: Readout | undefined;
  /** Layouts of all data values. */
  readonly layouts: ReadonlyMap<Value, Layout>;
  readonly units: UnitFinder;
  /** Data values that lead to the explained input. */
  readonly towards: ReadonlySet<Value>;
}

export interface FlowResult {
  /** The tokens that the row is about, and the row. */
  readonly tokens: Value;
  readonly row: Row;
  /** How the read-out came about, for people. */
  readonly readout: string;
}

export function flowToTokens(request: FlowRequest): FlowResult {
  return new Flow(request).run();
}

class Flow {
  private readonly pending = new Map<Value, Row>();
  private readonly order: Map<Node, number>;
  private readonly siteOf: Map<Node, AttentionSite>;
  private readonly attended: Set<Value>;
  private readonly ends: [Value, Row][] = [];
  private readonly notes: string[] = [];
  private reading = true;
  private weighted = false;
  private overridden = false;

  constructor(private readonly request: FlowRequest) {
    const nodes = ancestors([request.output], dataInputs);
    this.order = new Map(nodes.map((n, i) => [n, i]));
    this.siteOf = new Map(request.sites.map((s) => [s.product, s]));
    this.attended = valuesAbove(nodes, this.siteOf);
  }

  run(): FlowResult {
    const { output, seed } = this.request;
    this.pending.set(output, { layout: outputLayout(output), v: seed, added: undefined });
    for (;;) {
      const [value, row] = this.latest();
      const alone = this.pending.size === 0 && this.ends.length === 0;
      if (alone && !this.attended.has(value)) return this.finish(value, row);
      const node = value.producer;
      if (node && dataInputs(node).length > 0) {
        this.request.b.source = node.source;
        this.step(node, value, row);
      } else this.ends.push([value, row]);
      if (this.pending.size === 0) return this.finish(...this.chosenEnd());
    }
  }

  private latest(): [Value, Row] {
    let best: Value | undefined;
    let at = -2;
    for (const v of this.pending.keys()) {
      const position = v.producer ? (this.order.get(v.producer) ?? -1) : -1;
      if (position > at) [best, at] = [v, position];
    }
    if (!best) fail("E031", "", { why: "the row over the tokens ended nowhere" });
    const row = this.pending.get(best)!;
    this.pending.delete(best);
    return [best, row];
  }

  private send(value: Value, row: Row): void {
    const { b, towards } = this.request;
    if (!towards.has(value) || (!row.v && !row.added)) return;
    const waiting = this.pending.get(value);
    this.pending.set(value, waiting ? joinRows(b, waiting, row) : row);
  }

  private step(node: Node, value: Value, row: Row): void {
    const site = this.siteOf.get(node);
    const operands = dataInputs(node);
    const unit = operands.length > 1 ? unitInput(this.request.units, node) : undefined;
    if (site) this.atSite(site, row);
    else if (unit) this.send(unit, row);
    else if (operands.length > 1 && ["Add", "Sub", "Mul"].includes(node.operator)) this.meet(node, row);
    else if (operands.length > 1 && node.operator === "Concat") this.atConcat(node, row);
    else this.pass(node, value, row);
  }

  /** Through an operator with one way on: moved as its elements are. */
  private pass(node: Node, value: Value, all: Row): void {
    const { b, towards, units } = this.request;
    const ways = node.inputs.filter((v) => v?.data && towards.has(v)).length;
    const operator = units.operators.get(node.operator);
    const isProduct = ways > 1 && operator !== undefined && roleOf(operator, node) === "bilinear";
    if (isProduct && this.reading) this.notes.push(`${ways} factors share equally`);
    const row = isProduct ? mapRow(all, all.layout, (part) => b.mul(part, 1 / ways)) : all;
    node.inputs.forEach((input, i) => {
      if (!input?.data || !towards.has(input)) return;
      const layout = layoutOrFail(node, i, row.layout, false);
      const moved = moveRow(b, { node, index: i, value, row, layout, reading: this.reading });
      if (moved.note && this.reading) this.notes.push(moved.note);
      if (moved.weighted) this.weighted = true;
      this.send(input, moved.row);
    });
  }

  /** Row times map: the keys of the site get what its queries had. */
  private atSite(site: AttentionSite, row: Row): void {
    if (this.reading && isPoolingHead(site)) this.notes.push("what an attention-pooling head weighs");
    this.reading = false;
    const map = this.request.map(site);
    const read = this.normalizeReadout(row);
    if (map) this.send(site.values, attend(this.request.b, site, map, read));
  }

  /** Two branches meet: a skip keeps the row, an attention branch adds to it, a token-wise branch has no say. */
  private meet(node: Node, row: Row): void {
    const { b } = this.request;
    const operands = node.inputs.map((v, i) => ({ v: v!, i })).filter(({ v }) => v.data && this.request.towards.has(v));
    const branches = operands.map(({ v, i }) => {
      const others = operands.filter((o) => o.i !== i).map((o) => o.v);
      return { v, i, ...this.private(v, others) };
    });
    const attending = branches.filter((p) => p.sites.length > 0);
    const plain = branches.filter((p) => p.sites.length === 0 && !p.linear);
    const transformed = branches.filter((p) => p.sites.length === 0 && p.linear);
    const send = (to: readonly { v: Value; i: number }[], part: Row) => {
      for (const { v, i } of to) this.send(v, { ...part, ...this.alignedTo(node, i, part) });
    };
    // A stream that does not lead to the explained input (a decoder's, seen from the encoder) ends here: all is added from there.
    const elsewhere = node.inputs.some((v) => v?.data && !this.request.towards.has(v));
    if (elsewhere && attending.length > 0 && node.operator !== "Mul") {
      this.reading = false;
      send(attending, { layout: row.layout, v: undefined, added: total(b, this.normalizeReadout(row)) });
    } else if (node.operator === "Mul" || branches.length === 1)
      send(attending.length > 0 ? attending : plain.length > 0 ? plain : branches, row);
    else if (attending.length > 0 && plain.length > 0) {
      this.reading = false;
      const read = this.normalizeReadout(row);
      const scaled = this.request.normalizeRows ? this.normalized(attending, read) : read;
      send(plain, scaled);
      send(attending, { layout: row.layout, v: undefined, added: total(b, scaled) });
    } else if (attending.length > 0) send(attending, row);
    else if (plain.length > 0 && transformed.length > 0) send(plain, row);
    else {
      if (this.reading) this.notes.push(`${branches.length} branches added share equally`);
      send(
        branches,
        mapRow(row, row.layout, (part) => b.mul(part, 1 / branches.length)),
      );
    }
  }

  private alignedTo(node: Node, i: number, row: Row): Row {
    const layout = layoutOrFail(node, i, row.layout, false);
    const kept = keptAtoms(layout);
    const lost = keptAtoms(row.layout).flatMap((a, at) => (kept.includes(a) ? [] : [at]));
    return mapRow(row, layout, (part) => this.request.b.reduceSum(part, lost, false));
  }

  /** (v + a) / (1 + Σ E) before the branch: the rows of I + E then sum to one. */
  private normalized(attending: readonly { v: Value; sites: readonly AttentionSite[] }[], row: Row): Row {
    const { b } = this.request;
    const [{ v, sites }] = attending as [(typeof attending)[0]];
    const site = sites[sites.length - 1]!;
    const map = this.request.map(site);
    const out = this.request.layouts.get(site.product.outputs[0]!);
    if (!map || !out) return row;
    const norm = rowNormalizer(b, site, map, out, v, row);
    return mapRow(row, row.layout, (part) => b.div(part, norm));
  }

  /** Joined along channels, the parts that attend (or all, where none or all do) share equally; along tokens each has its own. */
  private atConcat(node: Node, row: Row): void {
    const { b } = this.request;
    const axis = normalizeAxis(int(node, "axis", 0), row.layout.length);
    const alongChannels = row.layout[axis]!.every((a) => a.kind === "channel");
    const parts = node.inputs.map((v, i) => ({ v: v!, i })).filter(({ v }) => v.data && this.request.towards.has(v));
    const attending = parts.filter(
      ({ v, i }) =>
        this.private(
          v,
          parts.filter((p) => p.i !== i).map((p) => p.v),
        ).sites.length > 0,
    );
    const chosen = alongChannels && attending.length > 0 ? attending : parts;
    if (alongChannels && this.reading && chosen.length > 1)
      this.notes.push(`${chosen.length} parts joined share equally`);
    for (const { v, i } of chosen) {
      const layout = layoutOrFail(node, i, row.layout, false);
      const moved = alongChannels
        ? mapRow(row, layout, (part) => b.mul(part, 1 / chosen.length))
        : moveRow(b, { node, index: i, value: node.outputs[0]!, row, layout, reading: this.reading }).row;
      this.send(v, moved);
    }
  }

  /** What only one operand depends on: its sites, and whether a product with weights is among it. */
  private private(value: Value, others: readonly Value[]): { sites: AttentionSite[]; linear: boolean } {
    const shared = new Set(ancestors(others, dataInputs));
    const own = ancestors([value], dataInputs).filter((n) => !shared.has(n));
    return {
      sites: own.map((n) => this.siteOf.get(n)).filter((s): s is AttentionSite => s !== undefined),
      linear: own.some((n) => ["MatMul", "Conv", "Einsum", "ConvTranspose"].includes(n.operator)),
    };
  }

  /** A read-out that passed a mask or a plain sum is scaled to sum to one per sample. */
  private normalizeReadout(row: Row): Row {
    const { b, readout } = this.request;
    if (readout && !this.overridden) {
      this.overridden = true;
      return overrideReadout(b, row, readout);
    }
    if (!this.weighted || !row.v) return row;
    this.weighted = false;
    const kept = keptAtoms(row.layout);
    const axes = kept.flatMap((a, i) => (a.kind === "batch" ? [] : [i]));
    return { ...row, v: b.div(row.v, b.add(b.reduceSum(row.v, axes), 1e-30)) };
  }

  /** Several sources end the walk (an encoder and a decoder): the one that was reached through attention alone is explained. */
  private chosenEnd(): [Value, Row] {
    const { ends } = this;
    const end = ends.find(([, r]) => r.added && !r.v) ?? ends.find(([, r]) => r.added) ?? ends[0];
    return end ?? fail("E031", "", { why: "the row over the tokens ended nowhere", try: "another method" });
  }

  /** Pure rearrangements below the tokens are undone, so that unfolded patches come back as the map they were cut from. */
  private finish(value: Value, row: Row): FlowResult {
    let [tokens, at] = [value, row];
    const rearranged = new Set(["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"]);
    while (tokens.producer && rearranged.has(tokens.producer.operator) && tokens.producer.inputs[0]?.data) {
      const node: Node = tokens.producer;
      const layout = layoutOrFail(node, 0, at.layout, false);
      at = moveRow(this.request.b, { node, index: 0, value: tokens, row: at, layout, reading: false }).row;
      tokens = node.inputs[0]!;
    }
    if (!at.added && !at.v)
      fail("E031", "", { at: place(tokens.producer!), why: "no attention lies between the output and the tokens" });
    return { tokens, row: at, readout: this.notes.join(", ") };
  }
}

/** Values that depend on a site. */
function valuesAbove(nodes: readonly Node[], siteOf: ReadonlyMap<Node, unknown>): Set<Value> {
  const above = new Set<Value>();
  for (const node of nodes)
    if (siteOf.has(node) || dataInputs(node).some((v) => above.has(v))) for (const v of node.outputs) above.add(v);
  return above;
}
