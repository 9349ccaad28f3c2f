/** A comparison as JSON (`vitrail/comparison@1`) and its table of agreement as CSV. */
import { type DocumentMap, type DocumentTarget, shortest, valueMap } from "vitrail/node";
import { toTarget } from "../explain/document.js";
import type { Sample } from "../explain/sample.js";
import { asVitrailError } from "../problem.js";
import { version } from "../version.js";
import type { Agreement } from "./agreement.js";
import type { Cost } from "./cost.js";
import type { ColumnResult, Comparison } from "./run.js";
import { type UnitName, unitSentences } from "./units.js";

export const comparisonSchema = "vitrail/comparison@1";

export interface ComparisonDocument {
  readonly schema: typeof comparisonSchema;
  readonly tool: { readonly name: string; readonly version: string };
  readonly model: { readonly name: string; readonly sha256: string };
  readonly methods: readonly {
    readonly name: string;
    readonly id: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly classSpecific: boolean;
    readonly explains: "tokens" | "input";
    /** Medians; `forwards` is an explanation in forwards of the plain model, with its quartiles. */
    readonly cost: {
      readonly forwards: number;
      readonly quartiles: readonly [number, number];
      readonly explainMs: number;
      readonly forwardMs: number;
      readonly rounds: number;
    } | null;
  }[];
  /** One per input and target; maps in the order of the methods, null where a method failed, or says nothing of a difference of classes. */
  readonly comparisons: readonly {
    readonly input: Pick<Sample, "name" | "sha256" | "kind" | "size">;
    readonly target: DocumentTarget;
    readonly unit: UnitName;
    readonly maps: readonly (DocumentMap | null)[];
  }[];
  readonly agreement: {
    readonly units: string;
    /** `--top`: a share below 1, else a number of units. */
    readonly top: number;
    readonly pairs: readonly {
      readonly methods: readonly [string, string];
      readonly spearman: number | null;
      readonly lowest: number | null;
      readonly highest: number | null;
      readonly topOverlap: number | null;
      readonly chance: number | null;
      readonly n: number;
    }[];
  };
  readonly failures: readonly { method: string | null; input: string | null; diagnostics: readonly unknown[] }[];
}

export function toComparison(
  { columns, rows, refusals }: Comparison,
  agreements: readonly Agreement[],
  { model, top }: { model: string; top: number },
): ComparisonDocument {
  const [first] = rows.flatMap(({ answers }) => answers).filter((answer) => answer !== undefined);
  const units = [...new Set(rows.flatMap(({ common }) => common.flatMap((each) => each?.unit ?? [])))];
  return {
    schema: comparisonSchema,
    tool: { name: "vitrail", version },
    model: { name: model, sha256: first?.explanation.metadata.source.sha256 ?? "" },
    methods: columns.map(methodOf),
    comparisons: rows.map(({ sample: { name, sha256, kind, size }, answers, common }) => ({
      input: { name, sha256, kind, size },
      target: toTarget(answers.find((answer) => answer !== undefined)!),
      unit: common.find((each) => each !== undefined)!.unit,
      maps: common.map((each, column) => {
        if (!each) return null;
        const kind = columns[column]!.method.kind;
        const shape = each.grid ? [each.grid.rows, each.grid.columns] : [each.values.length];
        return { ...valueMap(kind, shape, each.values), ...(each.grid && { grid: [shape[0]!, shape[1]!] as const }) };
      }),
    })),
    agreement: {
      units: units.map((unit) => unitSentences[unit]).join(" "),
      top,
      pairs: agreements.map(({ a, b, spearman, lowest, highest, overlap, chance, n }) => ({
        methods: [columns[a]!.name, columns[b]!.name],
        spearman: rounded(spearman),
        lowest: rounded(lowest),
        highest: rounded(highest),
        topOverlap: rounded(overlap),
        chance: rounded(chance),
        n,
      })),
    },
    failures: refusals.map(({ method, input, error }) => {
      return { method: method ?? null, input: input ?? null, diagnostics: asVitrailError(error).diagnostics };
    }),
  };
}

function methodOf({ name, method, options, cost }: ColumnResult) {
  const defaults = Object.fromEntries(method.options.map((option) => [option.name, option.default]));
  return {
    name,
    id: method.id,
    options: { ...defaults, ...options },
    classSpecific: method.classSpecific,
    explains: method.kind,
    cost: cost ? costOf(cost) : null,
  };
}

const costOf = ({ forwards, explain, forward }: Cost) => ({
  forwards: Number(forwards.median.toPrecision(3)),
  quartiles: [Number(forwards.low.toPrecision(3)), Number(forwards.high.toPrecision(3))] as const,
  explainMs: Number(explain.median.toPrecision(4)),
  forwardMs: Number(forward.median.toPrecision(4)),
  rounds: forwards.rounds,
});

const rounded = (value: number | undefined): number | null => (value === undefined ? null : shortest(value));

/** One line per pair of methods, RFC 4180. */
export function agreementCsv(columns: readonly ColumnResult[], agreements: readonly Agreement[]): string {
  const head = ["method_a", "method_b", "class_specific_a", "class_specific_b", "n", "spearman", "spearman_lowest"];
  const lines = agreements.map(({ a, b, spearman, lowest, highest, overlap, chance, n }) => {
    const [first, second] = [columns[a]!, columns[b]!];
    const specific = [first.method.classSpecific, second.method.classSpecific];
    return [first.name, second.name, ...specific, n, spearman, lowest, highest, overlap, chance].map(cell).join(",");
  });
  return `${[[...head, "spearman_highest", "top_overlap", "top_overlap_by_chance"].join(","), ...lines].join("\r\n")}\r\n`;
}

const cell = (value: string | number | boolean | undefined): string => {
  const text = typeof value === "number" ? String(shortest(value)) : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
