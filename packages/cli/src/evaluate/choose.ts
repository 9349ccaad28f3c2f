/** Which methods and metrics are wanted: names with options, groups of metrics, or all of them; made from the registries. */
import {
  baselines,
  type ChosenMetric,
  chooseMetric,
  type Gate,
  metrics,
  type Need,
  parseGate,
} from "@vitrail/evaluation";
import { methods } from "vitrail";
import { costOf, type MethodInfo, readMethod } from "../method.js";
import { messageOf, problem } from "../problem.js";
import type { Dataset } from "./data.js";
import type { ChosenMethod } from "./setup.js";

/** Splits `deletion:fill=blur,score=logit,srg` between items: what has a `=` but no `:` belongs to the item before. */
export function splitList(texts: readonly string[]): string[] {
  const items: string[] = [];
  for (const part of texts
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter(Boolean)) {
    if (part.includes("=") && !/^[^=]*:/.test(part) && items.length > 0) items[items.length - 1] += `,${part}`;
    else items.push(part);
  }
  return items;
}

export interface MethodChoice {
  readonly methods: readonly ChosenMethod[];
  /** Names of those that were asked for one by one: they must work with the model. Of a group, what does not is left out. */
  readonly named: ReadonlySet<string>;
}

/** Methods may be named together, by what one map costs. */
const methodGroups: Readonly<Record<string, (method: MethodInfo) => boolean>> = {
  all: () => true,
  "one-run": (method) => costOf(method) === "one run",
  "many-runs": (method) => costOf(method) === "many runs",
};
export const methodHelp = `names with options (le-grad:layers=1), ${Object.keys(methodGroups).join(", ")}, or of ${methods.map(({ id }) => id).join(", ")}`;

export function chooseMethods(texts: readonly string[] | undefined, seed: number): MethodChoice {
  const items = splitList(texts ?? ["all"]);
  const chosen = items.flatMap((item) => {
    const group = methodGroups[item];
    if (!group) return [{ ...chooseMethod(item, seed), named: true }];
    const members = methods.filter((method) => group(method) && !isBaseline(method.id));
    return members.map(({ id }) => ({ ...chooseMethod(id, seed), named: false }));
  });
  const named = new Set(chosen.flatMap((one) => (one.named ? [one.name] : [])));
  const byName = new Map(chosen.map(({ name, id, options }) => [name, { name, id, options }]));
  return { methods: [...byName.values()], named };
}

const isBaseline = (id: string) => baselines.some((baseline) => baseline.id === id);

function chooseMethod(text: string, seed: number): ChosenMethod {
  const [id = "", settings = ""] = text.split(/:(.*)/s);
  if (isBaseline(id)) {
    throw problem("E080", { at: `--methods ${id}`, why: "it is measured with every run", try: "leave it out" });
  }
  const given = settings.split(",").filter(Boolean);
  const { method, options } = readMethod({ method: id, option: given, seed: String(seed) });
  return { name: given.length > 0 ? `${id}:${given.join(",")}` : id, id: method.id, options };
}

const groups: readonly string[] = [...new Set(metrics.map(({ group }) => group))];
/** What is measured when nobody says: does the map find the evidence, does the model need what it marks, does it ask for the class. */
const usual = ["pointing-game", "relevance-mass", "average-precision", "token-f1", "auprc", "srg", "class-sensitivity"];

/** Metrics that were named are kept whatever they need; those of a group, only where the data offer it. */
export function chooseMetrics(texts: readonly string[] | undefined, data: Dataset): ChosenMetric[] {
  const offered = offersOf(data);
  const possible = (name: string) =>
    metrics.find(({ id }) => id === name)!.needs.every((need) => !dataNeeds.has(need) || offered.has(need));
  const chosen = splitList(texts ?? usual).flatMap((item) => {
    if (texts === undefined) return possible(item) ? [item] : [];
    const members = metrics.filter(({ group }) => item === "all" || group === item).map(({ id }) => id);
    return members.length > 0 ? members.filter(possible) : [item];
  });
  return [...new Set(chosen)].map((name) => reading(`--metrics ${name}`, () => chooseMetric(name)));
}

export const metricHelp = `names with options (deletion:fill=blur), groups (${groups.join(", ")}), or all`;

const dataNeeds: ReadonlySet<Need> = new Set<Need>(["truth", "boxes", "label", "picture", "text", "noise", "parts"]);

function offersOf(data: Dataset): ReadonlySet<Need> {
  if (data.kind === "text") {
    const gold = data.samples.some(({ spans }) => spans.length > 0);
    return new Set<Need>(["text", "label", ...(gold ? (["truth"] as const) : [])]);
  }
  const regions = data.samples.flatMap((sample) => sample.regions);
  const boxes = regions.some((region) => region.boxes.length > 0);
  const truth = boxes || regions.some(({ mask }) => mask);
  return new Set<Need>([
    "picture",
    "noise",
    "label",
    ...(truth ? (["truth"] as const) : []),
    ...(boxes ? (["boxes"] as const) : []),
    ...(data.samples.some(({ parts }) => parts) ? (["parts"] as const) : []),
  ]);
}

export const readGates = (texts: readonly string[] = []): Gate[] =>
  texts.map((text) => reading(`--fail-if ${text}`, () => parseGate(text)));

/** What the library says about a wrong name, as wrong use of a flag. */
function reading<T>(at: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw problem("E080", { at, why: messageOf(error), try: "see vitrail evaluate --help" });
  }
}
