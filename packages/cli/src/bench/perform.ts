/**
 * One measurement, in a process of its own, so that its peak memory is that of what it measures:
 *
 *   alone     the plain model: a forward, and the memory of it
 *   explain   the plain model and the compiled one in turns: an explanation, and a prediction that comes after one; with a method of
 *             many runs, its explainer's own two sessions
 *   targets   the compiled model for several targets: one target and three of them, hence what a further one costs
 *   memory    an explainer and one explanation, as anybody would make them
 */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type CompileOptions, compile, findMethod, originalBytes } from "vitrail";
import {
  createExplainer,
  type Explainer,
  explainerOver,
  type Feeds,
  type Findings,
  openSession,
  type RuntimeOptions,
} from "vitrail/node";
import { costOf, defaultMethod } from "../method.js";
import { ratioOf, type Spread, spreadOf, takeTurns } from "./measure.js";

export type Measurement = "alone" | "explain" | "targets" | "memory";

export interface BenchRequest {
  readonly measurement: Measurement;
  readonly file: string;
  readonly feeds: Feeds;
  readonly compile: CompileOptions & { readonly method?: string };
  readonly runtime: RuntimeOptions;
  readonly rounds: number;
}

export interface Compiled {
  /** Reading the model is not counted. */
  readonly compileMs: number;
  readonly patchBytes: number;
  readonly nodes: { readonly original: number; readonly added: number };
}

export interface BenchReply {
  readonly alone: { readonly forward: Spread; readonly memory: number };
  readonly explain: {
    /** Milliseconds. */
    readonly forward: Spread;
    readonly explain: Spread;
    /** In forwards. */
    readonly forwards: Spread;
    /** A prediction right after an explanation, in forwards that follow a forward. */
    readonly prediction: Spread;
    /** Undefined for methods of many runs, which are no graph to be compiled. */
    readonly compiled: Compiled | undefined;
  };
  /** A further target of the same run, in forwards. */
  readonly targets: { readonly extra: Spread };
  /** Peak of the whole process, bytes. */
  readonly memory: { readonly memory: number };
}

/** Milliseconds after which methods of many runs begin no further round: one explanation of theirs is a hundred forwards. */
const BUDGET = 60_000;
/** Forwards in each of their rounds. */
const FORWARDS = 20;

/** Bytes at the peak; libuv counts in kibibytes. */
const peak = (): number => process.resourceUsage().maxRSS * 1024;

export const perform: { [M in Measurement]: (request: BenchRequest) => Promise<BenchReply[M]> } = {
  alone: async ({ file, feeds, runtime, rounds }) => {
    const session = await openSession(originalBytes(await readFile(file)), located(runtime, file));
    const { forward } = await takeTurns({ forward: () => session.run(feeds) }, { rounds });
    return { forward: spreadOf(forward), memory: peak() };
  },

  memory: async ({ file, feeds, compile, runtime }) => {
    const explainer = await createExplainer(file, { ...compile, ...runtime });
    await explainer.explain(feeds, { target: firstClass(explainer.findings, feeds) });
    await explainer.close();
    return { memory: peak() };
  },

  explain: async (request) => {
    const { feeds, rounds } = request;
    if (costOf(findMethod(request.compile.method ?? defaultMethod)) === "many runs") return explainByManyRuns(request);
    const { explainer, target, compiled } = await open(request, true);
    const predict = () => explainer.predict(feeds);
    const explain = () => explainer.explain(feeds, { target });
    // The first run of each kind pays for the switch between two sessions: for a prediction that is its price.
    const times = await takeTurns({ prediction: predict, forward: predict, switched: explain, explain }, { rounds });
    return { ...figuresOf(times), compiled };
  },

  targets: async (request) => {
    const { feeds, rounds } = request;
    const several = { ...request, compile: { ...request.compile, severalTargets: true } };
    const { explainer, target } = await open(several, true);
    const predict = () => explainer.predict(feeds);
    const each = (count: number) => () =>
      explainer.explainEach(
        feeds,
        Array.from({ length: count }, () => target),
      );
    const times = await takeTurns(
      { prediction: predict, forward: predict, switched: each(1), one: each(1), three: each(3) },
      { rounds },
    );
    const more = times.three.map((three, round) => (three - times.one[round]!) / 2);
    return { extra: ratioOf(more, times.forward) };
  },
};

/** Its own two sessions in turns. One explanation takes as long as a hundred forwards: it is held against many of them, not one. */
async function explainByManyRuns({ file, feeds, compile, runtime, rounds }: BenchRequest) {
  const explainer = await createExplainer(file, { ...compile, ...runtime });
  const target = firstClass(explainer.findings, feeds);
  const predict = () => explainer.predict(feeds);
  const predicts = async () => {
    for (let i = 0; i < FORWARDS; i++) await predict();
  };
  const turns = { prediction: predict, forward: predicts, explain: () => explainer.explain(feeds, { target }) };
  const times = await takeTurns(turns, { rounds, budget: BUDGET });
  await explainer.close();
  return { ...figuresOf({ ...times, forward: times.forward.map((time) => time / FORWARDS) }), compiled: undefined };
}

/** Of milliseconds in every round. */
const figuresOf = (times: Readonly<Record<"prediction" | "forward" | "explain", readonly number[]>>) => ({
  forward: spreadOf(times.forward),
  explain: spreadOf(times.explain),
  forwards: ratioOf(times.explain, times.forward),
  prediction: ratioOf(times.prediction, times.forward),
});

const located = (runtime: RuntimeOptions, file: string): RuntimeOptions => ({ folder: dirname(file), ...runtime });

/** The compiled model, with the plain one beside it where that is asked for; explains the first class of every sample. */
async function open({ file, feeds, compile: options, runtime }: BenchRequest, beside: boolean) {
  const bytes = await readFile(file);
  const start = performance.now();
  const program = compile(bytes, options);
  const compileMs = performance.now() - start;
  const { print: _, ...findings } = program.report;
  const { metadata } = program.report;
  if (!metadata) throw new TypeError("a compiled model without metadata");
  const explanation = await openSession(program.bytes, located(runtime, file));
  const plain = beside
    ? await openSession(program.bytes.subarray(0, metadata.source.bytes), located(runtime, file))
    : explanation;
  const session = {
    run: (feeds: Feeds, part: "explanation" | "prediction") =>
      (part === "explanation" ? explanation : plain).run(feeds),
    close: () => explanation.release(),
  };
  const explainer: Explainer = explainerOver(session, { ...findings, metadata });
  const target = firstClass({ ...findings, metadata }, feeds);
  const compiled: Compiled = { compileMs, patchBytes: program.patch.length, nodes: program.report.nodes };
  return { explainer, target, compiled };
}

/** Where the explained output has more axes than batch and class, the first place too. */
function firstClass({ outputs, metadata }: Findings, feeds: Feeds): number[][] {
  const axes = (outputs.find(({ name }) => name === metadata.output)?.dims.length ?? 2) - 1;
  const batch = feeds[metadata.explains]!.dims[0] ?? 1;
  return Array.from({ length: batch }, () => new Array<number>(Math.max(1, axes)).fill(0));
}
