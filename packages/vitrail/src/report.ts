/** What was found in a model and what was added to it, for people and programs. */
import type { Analysis } from "./analysis.js";
import type { ModelGraph } from "./canonicalize/model-graph.js";
import { whole } from "./canonicalize/narrow.js";
import type { Patch } from "./emit/patch.js";
import { printGraph } from "./emit/text/print.js";
import type { Diagnostic } from "./errors.js";
import { type Chosen, evidenceOf, type Finding } from "./evidence.js";
import type { Value } from "./ir/graph.js";
import type { Metadata } from "./metadata.js";
import type { ElementType } from "./tensor/element-type.js";

export interface ValueReport {
  readonly name: string;
  readonly type: ElementType;
  /** Numbers, or the names of symbolic dimensions. */
  readonly dims: readonly (number | string)[];
}

export interface SiteReport {
  readonly index: number;
  /** Name of the softmax node. */
  readonly node: string;
  /** Axes of the attention weights, heads and windows first, queries and keys last. */
  readonly shape: readonly (number | string)[];
}

export interface Report {
  readonly opset: number;
  readonly inputs: readonly ValueReport[];
  readonly outputs: readonly ValueReport[];
  readonly sites: readonly SiteReport[];
  readonly metadata: Metadata | undefined;
  /** What the explanation rests on, each with how it was found out. */
  readonly evidence: readonly Finding[];
  readonly diagnostics: readonly Diagnostic[];
  readonly nodes: { readonly original: number; readonly added: number };
  readonly patchBytes: number;
  /** The graph and the patch as text. */
  readonly print: () => string;
}

export interface ReportRequest {
  readonly graph: ModelGraph;
  readonly analysis?: Analysis;
  readonly metadata?: Metadata;
  readonly patch?: Patch;
  /** What the caller chose. */
  readonly chosen?: Chosen;
  readonly diagnostics?: readonly Diagnostic[];
}

export function reportOf(request: ReportRequest): Report {
  const { graph, analysis, metadata, patch, chosen, diagnostics = [] } = request;
  return {
    opset: graph.opset,
    inputs: [...graph.inputs].map(valueReport),
    outputs: [...graph.outputs].map(valueReport),
    sites:
      analysis?.sites.map((s) => ({ index: s.index, node: s.softmax.source, shape: dimsOf(whole(s.weights)) })) ?? [],
    metadata,
    evidence: evidenceOf(graph, analysis, metadata, chosen),
    diagnostics,
    nodes: { original: graph.nodeCount, added: patch?.nodes.length ?? 0 },
    patchBytes: patch?.bytes.length ?? 0,
    print: () => printGraph(graph, patch),
  };
}

const dimsOf = (v: Value): (number | string)[] => v.shape?.map((d) => (typeof d === "number" ? d : d.key)) ?? [];
const valueReport = ([name, v]: readonly [string, Value]): ValueReport => ({ name, type: v.type, dims: dimsOf(v) });
