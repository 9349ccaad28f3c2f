import { specialNote, type TextView, toAnsi } from "@vitrail/text";
import { isText } from "../input/text-sample.js";
import { captionOf, sentenceOf } from "../output/picture.js";
import { scaleFor, viewOf } from "../output/text.js";
import { promptViews } from "../output/words.js";
import type { Terminal } from "../terminal.js";
import { warningsOf } from "./document.js";
import { nameOf, percent, ranked, type Scored } from "./prediction.js";
import { stabilityLine, stabilityOf } from "./stability.js";
import { placeText, scoreName, titleOf } from "./title.js";
import { type Answer, classIn } from "./work.js";

const shown = 5;

/** What a person reads about one input: the top classes, a sentence for each target, and what was not `said` before. */
export function sayAnswers(
  terminal: Terminal,
  answers: readonly Answer[],
  files: readonly string[],
  said: Set<string>,
): void {
  const { colors } = terminal;
  const [first] = answers;
  if (!first) return;
  terminal.say(colors.bold(first.sample.name));
  for (const line of linesOf(first, answers, terminal)) terminal.say(`  ${line}`);
  if (isText(first.sample)) sayTexts(terminal, answers);
  else for (const answer of answers) sayPicture(terminal, answer);
  sayPrompts(terminal, answers);
  for (const answer of answers) {
    const stability = stabilityOf(answer);
    if (stability) terminal.detail(`  ${colors.dim(stabilityLine(stability))}`);
  }
  const warnings = new Set(answers.flatMap(warningsOf));
  for (const warning of [...warnings].filter((text) => !said.has(text)))
    terminal.say(`  ${colors.yellow(`note: ${warning}`)}`);
  for (const warning of warnings) said.add(warning);
  for (const file of files) terminal.say(`  ${colors.dim(`→ ${file}`)}`);
  terminal.say();
}

const linesOf = ({ chosen }: Answer, answers: readonly Answer[], terminal: Terminal): string[] =>
  chosen.kind === "similar"
    ? [`similarity ${chosen.similarity.toFixed(2)} to ${chosen.to.name}`, `vectors: ${chosen.vector}`]
    : predictionLines(answers, terminal);

function sayPicture(terminal: Terminal, answer: Answer): void {
  const sentence = sentenceOf(answer);
  if (sentence || !answer.words) terminal.say(`  ${sentence || plainSentence(answer)}`);
}

/** The words of each prompt, coloured, on one scale. */
function sayPrompts(terminal: Terminal, answers: readonly Answer[]): void {
  // The sentence below each text names its prompt: a heading would say it a third time.
  for (const { target: _, ...view } of promptViews(answers)) sayView(terminal, { ...view, notes: [] });
}

/** The text itself, coloured, and its sentence. */
function sayTexts(terminal: Terminal, answers: readonly Answer[]): void {
  for (const answer of answers) {
    const scale = scaleFor(answer, answers);
    const { target, units, texts, unit, combine, summary } = viewOf(answer, { model: "", method: "" }, scale);
    const special = specialNote(units);
    const view = { units, texts, unit, combine, summary, scale, notes: special ? [special] : [] };
    const headed = answers.length > 1 && target ? { ...view, target } : view;
    sayView(terminal, headed);
  }
}

function sayView(terminal: Terminal, view: TextView): void {
  const colors = terminal.colors.isColorSupported ? "24bit" : "none";
  for (const line of toAnsi(view, { colors }).trimEnd().split("\n")) terminal.say(line === "" ? "" : `  ${line}`);
  terminal.say();
}

/** What the model says, once for each place that is explained. */
function predictionLines(answers: readonly Answer[], terminal: Terminal): string[] {
  const places = new Map<string, Answer[]>();
  for (const answer of answers) {
    const where = whereIs(answer);
    places.set(where, [...(places.get(where) ?? []), answer]);
  }
  return [...places].flatMap(([where, own]) => [...(where ? [`${where}:`] : []), ...scoreLines(own, terminal)]);
}

/** The place on the output that an answer is about; empty where there is but one. */
const whereIs = ({ chosen }: Answer): string => {
  if (chosen.kind === "token") return chosen.where;
  return chosen.kind === "similar" ? "" : placeText(chosen.places).trim();
};

/** The top classes and, below them, those that were asked for. */
function scoreLines(answers: readonly Answer[], { colors }: Terminal): string[] {
  const { scores } = answers[0]!;
  const asked = new Set(answers.flatMap(({ chosen }) => classIn(chosen) ?? []));
  const order = ranked(scores);
  const top = order.slice(0, shown);
  const rest = order.slice(shown).filter(({ index }) => asked.has(index));
  const called = (scored: Scored) => (scores.length === 1 ? scoreName(scored) : nameOf(scored));
  const width = Math.min(40, Math.max(...[...top, ...rest].map((scored) => called(scored).length)));
  return [...top, ...rest].map((scored) => {
    const name = cut(called(scored), width).padEnd(width);
    const line = `${name}  ${valueText(scored).padStart(7)}  ${bar(scored.probability)}`.trimEnd();
    return asked.has(scored.index) ? colors.cyan(line) : line;
  });
}

const valueText = ({ probability, logit }: Scored): string =>
  probability === undefined ? logit.toPrecision(4) : percent(probability);

const bar = (probability = 0): string => "█".repeat(Math.round(probability * 20));

const cut = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

function plainSentence(answer: Answer): string {
  const values = answer.explanation.toTokens(answer.row);
  const positive = values.filter((value) => value > 0);
  const of = values.length === 1 ? "value" : "values";
  return `${titleOf(answer)}: ${positive.length} of ${values.length} ${of} speak for it. ${captionOf(answer)}`;
}
