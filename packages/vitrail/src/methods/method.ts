/** Table 3: one file per published method says what a layer contributes and how layers are aggregated. */
import type { Analysis, Source } from "../analysis.js";
import type { AttentionSite } from "../canonicalize/attention-site.js";
import type { Value } from "../ir/graph.js";
import type { Builder } from "../ops/builder.js";
import type { Composite } from "../relevance/composites.js";
import type { DriveContext, Driven } from "./drive.js";

export type OptionValue = number | boolean | string;
export type OptionValues = Readonly<Record<string, OptionValue>>;

export interface MethodOption {
  readonly name: string;
  readonly type: "integer" | "number" | "boolean" | "string";
  readonly default: OptionValue;
  /** Of a string: what it may be, where that is one of a few words. */
  readonly choices?: readonly string[];
  /** Of a number: whether it may be below zero. */
  readonly negative?: boolean;
  readonly description: string;
}

export type Need = "attention" | "gradient" | "relevance" | "many forwards";

/** A site as a method sees it. Reading `gradient` or `relevance` is what asks for that pass. */
export interface SiteView {
  readonly index: number;
  /** [..., queries, keys] per head, after masks and guards. */
  readonly weights: Value;
  /** Gradient of the target with respect to the weights. */
  readonly gradient: Value;
  /** Relevance of the weights. */
  readonly relevance: Value;
}

/** What a method builds its explanation from. */
export interface MethodContext {
  readonly b: Builder;
  readonly analysis: Analysis;
  readonly options: OptionValues;
  /** One at the target, zero elsewhere, in the shape of the explained output. */
  readonly seed: Value;
  /** Which sites a map is needed of: the passes go no further. */
  readonly view: (site: AttentionSite) => SiteView;
  /** Cotangents of arbitrary data values. */
  readonly gradientOf: (values: readonly Value[]) => readonly Value[];
  readonly relevanceOf: (values: readonly Value[]) => readonly Value[];
  readonly flow: (map: (site: AttentionSite) => Value | undefined, options?: { normalizeRows?: boolean }) => Explained;
}

export interface Explained {
  readonly relevance: Value;
  /** The tokens that a token method's row is about. */
  readonly tokens?: Value;
  readonly readout?: string;
  /** Sites whose maps were used. */
  readonly sites: readonly AttentionSite[];
  /** The norm whose output is explained in place of the looked-up embeddings that go into it alone. */
  readonly norm?: string;
  /** Where options decide it: what the values are about. */
  readonly kind?: MethodEntry["kind"];
  /** Further inputs and outputs of the program, for whoever drives it. */
  readonly inputs?: readonly Named[];
  readonly outputs?: readonly Named[];
}

interface Named {
  readonly name: string;
  readonly value: Value;
}

/** What menus, tables and the command line show of a method. */
export interface MethodEntry {
  readonly id: string;
  readonly title: string;
  readonly citation: string;
  readonly needs: readonly Need[];
  readonly classSpecific: boolean;
  readonly kind: "tokens" | "input";
  readonly signed: boolean;
  readonly options: readonly MethodOption[];
}

/** A method that is a graph: one run of the compiled model explains. */
export interface BuiltMethod extends MethodEntry {
  /** Runs a part of the forward pass once more: all operators must then be the file's own. */
  readonly copiesForward?: true;
  /** Table 2 for this method, where it needs relevance. */
  readonly composite?: (options: OptionValues) => Composite;
  /** Whether what becomes of tokens that the head does not read counts too, so that the last block is not narrowed to those it reads. */
  readonly everyToken?: (options: OptionValues) => boolean;
  readonly build: (context: MethodContext) => Explained;
}

/**
 * A method of your own, for `compile(model, { method })`. `build` gets the builder `b`, the gradient and relevance of every
 * attention site (`view`), `flow`, which walks a row over the tokens through one map for each site, and more (`MethodContext`).
 *
 * @example
 * const attentionTimesGradient = defineMethod({
 *   id: "attention-times-gradient", title: "Attention x gradient", citation: "this page", needs: ["attention", "gradient"],
 *   classSpecific: true, kind: "tokens", signed: false, options: [],
 *   build: ({ b, flow, view }) => flow((site) => {
 *     const { weights, gradient } = view(site);          // [..., queries, keys] for each head
 *     return b.relu(b.mul(weights, gradient));
 *   }),
 * });
 */
export const defineMethod = (method: BuiltMethod): BuiltMethod => method;

/** A method that is a loop: the runtime runs the model, or one program compiled from it, many times. */
export interface DrivenMethod extends MethodEntry {
  /** What is compiled and run, by where data begins; without it the model as it is, which then needs no operator to be known. */
  readonly program?: Readonly<Record<Source["kind"], BuiltMethod>>;
  /** The map of one sample. */
  readonly drive: (context: DriveContext) => Promise<Driven>;
}

export type Method = BuiltMethod | DrivenMethod;

export const isBuilt = (method: Method): method is BuiltMethod => "build" in method;

export const startLayer: MethodOption = {
  name: "startLayer",
  type: "integer",
  default: 0,
  description:
    "first block that counts; the authors' scripts use 1 for ViT, their notebooks 0 (in each tower or stack)",
};
export const normalizeRows = (on: boolean): MethodOption => ({
  name: "normalizeRows",
  type: "boolean",
  default: on,
  description:
    "rows of I + E sum to one and the row itself is given (the authors' BERT scripts), not what attention adds",
});

const fromStart = (index: number, { startLayer }: OptionValues): boolean => index >= (startLayer as number);

/** The methods that walk a row through the sites: only what a site contributes differs. */
export function rowMethod(
  method: Omit<BuiltMethod, "kind" | "build" | "options" | "signed"> & {
    readonly options?: readonly MethodOption[];
    readonly normalized?: boolean;
    readonly layer: (site: SiteView, b: Builder, options: OptionValues) => Value;
    /** Which sites count; by default all from `startLayer` on. */
    readonly counts?: (index: number, options: OptionValues) => boolean;
  },
): BuiltMethod {
  const { layer, counts = fromStart, options = [], normalized = false, ...entry } = method;
  return {
    ...entry,
    kind: "tokens",
    signed: false,
    // Normalised rows need every query's sum.
    everyToken: (o) => o.normalizeRows === true,
    options: [startLayer, normalizeRows(normalized), ...options],
    build: ({ b, flow, view, options: o }) =>
      flow((site) => (counts(site.index, o) ? layer(view(site), b, o) : undefined), {
        normalizeRows: o.normalizeRows as boolean,
      }),
  };
}
