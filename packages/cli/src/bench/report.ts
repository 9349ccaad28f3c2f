/** The figures of a bench, for a person and for a program. */
import { milliseconds, shortNumber } from "../compare/cost.js";
import { size } from "../output/size.js";
import type { Colors } from "../terminal.js";
import type { Spread } from "./measure.js";
import type { BenchReply, Compiled } from "./perform.js";
import type { MethodFigures } from "./run.js";

export interface ProviderFigures {
  readonly device: string;
  readonly plain: BenchReply["alone"];
  readonly methods: readonly ({ readonly name: string } & MethodFigures)[];
}

interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  readonly vitrail: string;
  readonly threads: number | null;
  readonly rounds: number;
}

/** `{providers: [{device, forward, methods: [...]}]}`; every time with median and quartiles. */
export function benchRows(providers: readonly ProviderFigures[]) {
  const spread = ({ median, low, high }: Spread) => ({ median: four(median), quartiles: [four(low), four(high)] });
  return {
    providers: providers.map(({ device, plain, methods }) => ({
      device,
      forward: { ms: spread(plain.forward), peakMemoryBytes: plain.memory },
      methods: methods.map((each) => ({
        method: each.name,
        forwards: spread(each.forwards),
        explainMs: spread(each.explain),
        forwardMs: spread(each.forward),
        /** In forwards. */
        predictionAfterExplanation: spread(each.prediction),
        extraTarget: each.extra ? spread(each.extra) : null,
        peakMemoryBytes: each.memory,
        compileMs: each.compiled ? four(each.compiled.compileMs) : null,
        patchBytes: each.compiled?.patchBytes ?? null,
        nodes: each.compiled?.nodes ?? null,
        rounds: each.forwards.rounds,
      })),
    })),
  };
}

const four = (value: number): number => Number(value.toPrecision(4));

export function benchLines(
  model: string,
  inputs: readonly { readonly name: string; readonly type: string; readonly dims: readonly number[] }[],
  providers: readonly ProviderFigures[],
  machine: Machine,
  colors: Colors,
): string[] {
  const { processor, cores, node, threads, rounds } = machine;
  const field = (name: string, value: string) => `  ${colors.dim(name.padEnd(18))} ${value}`;
  const compiledLines = ({ compileMs, patchBytes, nodes }: Compiled) => [
    field("  compile", milliseconds(compileMs)),
    field("  patch", `${size(patchBytes)}, ${nodes.added} nodes on ${nodes.original}`),
  ];
  const times = (spread: Spread) => `${shortNumber(spread.median)} forwards ${range(spread)}`;
  return [
    colors.bold(model),
    field("inputs", inputs.map(({ name, type, dims }) => `${name}: ${type} [${dims.join(", ")}]`).join(", ")),
    ...providers.flatMap(({ device, plain, methods }) => [
      "",
      `${colors.bold(device)}  forward ${milliseconds(plain.forward.median)} ${range(plain.forward)}, ${size(plain.memory)} at the peak`,
      ...methods.flatMap((each) => [
        `  ${colors.cyan(each.name)}`,
        field("  explanation", `${times(each.forwards)}, ${milliseconds(each.explain.median)}${fewer(each, rounds)}`),
        ...(each.compiled ? [field("  each more target", each.extra ? times(each.extra) : "one at a time")] : []),
        field("  prediction alone", `${times(each.prediction)}, right after an explanation`),
        field("  peak memory", size(each.memory)),
        ...(each.compiled ? compiledLines(each.compiled) : []),
      ]),
    ]),
    "",
    colors.dim(
      `${processor}, ${cores} cores, ${threads ?? "the runtime's own"} threads, Node ${node}; medians of ${rounds} rounds in turns, quartiles in brackets; the whole process is counted as memory`,
    ),
  ];
}

/** Methods of many runs may have had no time for all rounds. */
const fewer = ({ forwards }: MethodFigures, rounds: number): string =>
  forwards.rounds < rounds ? `, ${forwards.rounds} rounds` : "";

const range = ({ low, high }: Spread): string => `(${shortNumber(low)} to ${shortNumber(high)})`;
