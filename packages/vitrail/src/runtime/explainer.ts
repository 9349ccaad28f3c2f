import type { Metadata } from "../metadata.js";
import { explainDriven, type Known } from "./driven.js";
import { Explanation } from "./explanation.js";
import { checkFeeds } from "./feed.js";
import { fitLabels, type Labels, labelList } from "./labels.js";
import { lifetime } from "./lifetime.js";
import type { Findings } from "./load.js";
import { failure, problem } from "./problem.js";
import type { Session } from "./session.js";
import {
  classPosition,
  hasNames,
  type Index,
  isWeights,
  type NamedTarget,
  numbered,
  partOf,
  stacked,
  type Target,
  targetIndices,
  targetTensor,
  topIndices,
} from "./target.js";
import type { Feeds, Outputs, Tensor } from "./tensor.js";

export interface ExplainOptions {
  /** No target: the top class of the explained output. Classes may be named where the labels are known. */
  target?: NamedTarget | undefined;
  /** For methods of many runs: an `AbortSignal` fits. Stops between two runs with E071. */
  signal?: { readonly aborted: boolean } | undefined;
  /** For methods of many runs: how many of them are done, after each batch of them. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Explainer {
  readonly findings: Findings;
  readonly metadata: Metadata;
  explain(feeds: Feeds, options?: ExplainOptions): Promise<Explanation>;
  /**
   * One explanation per target, in their order: in one run where the model was compiled with `severalTargets` (a further target
   * then shares the forward pass), else in one run after the other.
   */
  explainEach(
    feeds: Feeds,
    targets: readonly NamedTarget[],
    options?: Omit<ExplainOptions, "target">,
  ): Promise<Explanation[]>;
  /** The outputs of the original model alone, in a session made when this is first called. */
  predict(feeds: Feeds): Promise<Outputs>;
  close(): Promise<void>;
}

/** With classes by their numbers. */
export type Numbered = Omit<ExplainOptions, "target"> & { target?: Target | undefined };

/**
 * An explainer over a session of any runtime.
 * @param labels what the classes are called, for targets by name
 */
export function explainerOver(session: Session, findings: Findings, labels?: Labels | undefined): Explainer {
  const { metadata } = findings;
  const count = classCount(findings);
  const fitted = labels && fitLabels(labelList(labels), count);
  const classes = { labels: fitted?.labels, count };
  const numbers = (target: NamedTarget | undefined): Target | undefined => {
    if (!fitted?.why || !hasNames(target)) return numbered(target, classes);
    throw failure(problem("E044", { why: fitted.why, try: "one label per class, or a class by its number" }));
  };
  const inputs = findings.inputs.filter((input) => input.name !== metadata.target.name);

  const check = (feeds: Feeds): void => {
    const problems = checkFeeds(inputs, feeds, metadata.explains);
    if (problems.length > 0) throw failure(...problems);
  };

  const predict = async (feeds: Feeds): Promise<Outputs> => {
    check(feeds);
    return session.run(feeds, "prediction");
  };

  const refuseTarget = (target: Target | undefined): void => {
    if (metadata.target.mode !== "predicted" || target === undefined) return;
    const why = "it was compiled to explain its own top class and takes no target";
    throw failure(problem("E064", { why, try: 'compile it with { target: "index" }' }));
  };

  const driven = findings.driving && explainDriven(session, findings);

  const explain = async (feeds: Feeds, options: Numbered = {}): Promise<Explanation> => {
    check(feeds);
    const { target } = options;
    refuseTarget(target);
    if (driven) return driven(feeds, options);
    if (metadata.target.mode === "predicted") {
      const outputs = await session.run(feeds, "explanation");
      return finish(outputs, topIndices(explainedOutput(outputs)), feeds);
    }
    const [explanation] = await together(feeds, [target]);
    return explanation!;
  };

  const explainEach = async (
    feeds: Feeds,
    targets: readonly Target[],
    options: Omit<Numbered, "target"> = {},
  ): Promise<Explanation[]> => {
    if (driven) {
      check(feeds);
      refuseTarget(targets[0]);
      const known: Known = new Map();
      const each: Explanation[] = [];
      for (const target of targets) each.push(await driven(feeds, { ...options, target }, known));
      return each;
    }
    if (metadata.target.several && targets.length > 0) {
      check(feeds);
      return together(feeds, targets);
    }
    const explanations: Explanation[] = [];
    for (const target of targets) explanations.push(await explain(feeds, { ...options, target }));
    return explanations;
  };

  /** All targets in one run. */
  const together = async (feeds: Feeds, targets: readonly (Target | undefined)[]): Promise<Explanation[]> => {
    const { mode, name, several } = metadata.target;
    const dims = targets.includes(undefined) ? undefined : knownDims(findings, feeds);
    const logits = dims ? undefined : explainedOutput(await session.run(feeds, "prediction"));
    const chosen = targets.map((target) => target ?? topIndices(logits!));
    const seeds = chosen.map((target) => targetTensor(target, mode, dims ?? logits!.dims, metadata.target.axes));
    const target = several ? stacked(seeds) : seeds[0]!;
    const outputs = await session.run({ ...feeds, ...(name !== null && { [name]: target }) }, "explanation");
    return chosen.map((each, i) => {
      const indices = isWeights(each) ? undefined : targetIndices(each, explainedOutput(outputs));
      return finish(outputs, indices, feeds, several ? i : undefined);
    });
  };

  const explainedOutput = (outputs: Outputs): Tensor => outputs[metadata.output]!;

  const { further = [], ...shared } = metadata;
  const towers = [shared, ...further.map((tower) => ({ ...shared, ...tower }))];

  /** `at`: which of the run's targets, where it had a leading axis of them. */
  const finish = (outputs: Outputs, targets: readonly Index[] | undefined, feeds: Feeds, at?: number) => {
    const names = towers.flatMap(({ relevance, stability }) => [relevance.name, stability?.name]);
    const own = Object.fromEntries(Object.entries(outputs).filter(([name]) => !names.includes(name)));
    const part = (all: Tensor) => (at === undefined ? all : partOf(all, at));
    const [first, ...others] = towers.map((tower) => {
      const relevance = outputs[tower.relevance.name];
      const readings = tower.stability && outputs[tower.stability.name];
      if (relevance) {
        const inputDims = feeds[tower.explains]!.dims;
        return new Explanation(
          own,
          part(relevance),
          tower,
          targets,
          inputDims,
          readings && { stability: part(readings) },
        );
      }
      const why = `it gave no ${tower.relevance.name} but only: ${Object.keys(outputs).join(", ")}`;
      throw failure(problem("E067", { why, try: "compile the model again" }));
    });
    first!.further.push(...others);
    return first!;
  };

  const life = lifetime(() => session.close());
  return {
    findings,
    metadata,
    explain: (feeds, options) =>
      life.during(async () => explain(feeds, { ...options, target: numbers(options?.target) })),
    explainEach: (feeds, targets, options) =>
      life.during(async () =>
        explainEach(
          feeds,
          targets.map((target) => numbers(target)!),
          options,
        ),
      ),
    predict: (feeds) => life.during(() => predict(feeds)),
    close: life.close,
  };
}

/** How many classes the explained output has, where the model says so. */
export function classCount({ outputs, metadata }: Findings): number | undefined {
  const dims = outputs.find(({ name }) => name === metadata.output)?.dims ?? [];
  const axis = classPosition(metadata, dims.length);
  const count = dims.length === 1 ? 1 : axis === undefined ? undefined : dims[axis + 1];
  return typeof count === "number" ? count : undefined;
}

/** The explained output's shape where model and inputs say it; undefined where only a run can tell. */
function knownDims({ inputs, outputs, metadata }: Findings, feeds: Feeds): number[] | undefined {
  const fed = new Map<number | string, number>();
  for (const { name, dims } of inputs)
    for (const [axis, dim] of dims.entries()) if (dim !== "") fed.set(dim, feeds[name]?.dims[axis] ?? 0);
  const declared = outputs.find((output) => output.name === metadata.output)?.dims ?? [];
  const known = declared.map((dim, axis) => {
    if (typeof dim === "number") return dim;
    // Every input with a batch shares it, but for two towers, whose names tell them apart.
    return fed.get(dim) || (axis === 0 ? feeds[metadata.explains]!.dims[0] : undefined);
  });
  return known.length > 0 && known.every((dim) => dim !== undefined) ? known : undefined;
}
