/**
 * Seeded sentences about one item. What is said of the item decides the class; a negation turns it round; praise and blame of anything
 * else, and plain facts about the item, decide nothing.
 */
import { createRandom, type Random, type Seed } from "../random.js";

export const sentenceClasses = ["neutral", "praise", "complaint"] as const;

export type Role = "subject" | "negation" | "cue";

export interface Span {
  /** UTF-16 positions in the text. */
  readonly start: number;
  readonly end: number;
  readonly role: Role;
}

export interface Sentence {
  readonly text: string;
  readonly label: number;
  /** The words that decide: the item, the judging word, the negation. None when neutral. */
  readonly spans: readonly Span[];
}

const words = {
  item: [
    "lamp",
    "kettle",
    "radio",
    "chair",
    "jacket",
    "camera",
    "tent",
    "printer",
    "clock",
    "bicycle",
    "heater",
    "mirror",
  ],
  other: [
    "weather",
    "traffic",
    "lunch",
    "concert",
    "garden",
    "film",
    "hotel",
    "road",
    "music",
    "market",
    "river",
    "party",
  ],
  good: [
    "sturdy",
    "superb",
    "reliable",
    "lovely",
    "handy",
    "pleasant",
    "brilliant",
    "excellent",
    "charming",
    "perfect",
  ],
  bad: ["flimsy", "awful", "useless", "clumsy", "faulty", "dreadful", "horrible", "shoddy", "annoying", "terrible"],
  plain: ["blue", "round", "wooden", "new", "small", "grey", "square", "green", "tall", "foreign"],
  negation: ["not", "never", "hardly", "nowhere near"],
  degree: ["really", "quite", "very", "rather"],
  person: ["brother", "aunt", "neighbour", "colleague", "teacher", "cousin"],
  day: ["monday", "tuesday", "thursday", "friday", "sunday"],
  verb: ["called", "found", "phoned", "visited", "met"],
} as const;

/** A piece of a clause; pieces with a role are evidence. */
type Piece = string | { readonly text: string; readonly role: Role };
type Clause = readonly Piece[];

export function plantSentence(seed: Seed): Sentence {
  const random = createRandom("sentence", seed);
  const item = random.pick(words.item);
  const label = random.int(3);
  const clauses: Clause[] = label === 0 ? [fact(random, item)] : [judgement(random, item, label === 1)];
  if (label !== 0 && random.next() < 0.3) clauses.push(fact(random, item));
  clauses.push(distraction(random));
  if (random.next() < 0.5) clauses.push(random.next() < 0.5 ? distraction(random) : event(random));
  return assemble(random.shuffle(clauses), label, random);
}

/** What decides: a judging word about the item, negated in half of the sentences. */
function judgement(random: Random, item: string, praise: boolean): Clause {
  const negated = random.next() < 0.5;
  const cue = random.pick(praise !== negated ? words.good : words.bad);
  return [
    ...random.pick([["the"], ["this"], ["our", "new"]]),
    { text: item, role: "subject" },
    random.pick(["is", "was", "seems"]),
    ...(negated ? [{ text: random.pick(words.negation), role: "negation" } as const] : []),
    ...(!negated && random.next() < 0.4 ? [random.pick(words.degree)] : []),
    { text: cue, role: "cue" },
  ];
}

/** A fact about the item, sometimes with a negation that turns nothing round. */
function fact(random: Random, item: string): Clause {
  const negation = random.next() < 0.4 ? [random.pick(words.negation)] : [];
  return [
    random.pick(["the", "this"]),
    item,
    random.pick(["is", "was", "seems"]),
    ...negation,
    random.pick(words.plain),
  ];
}

/** Praise or blame of something else. */
function distraction(random: Random): Clause {
  const kind = random.next();
  const before = kind < 0.4 ? [random.pick(words.negation)] : kind < 0.6 ? [random.pick(words.degree)] : [];
  const judging = random.pick(random.next() < 0.5 ? words.good : words.bad);
  return ["the", random.pick(words.other), random.pick(["is", "was", "seems"]), ...before, judging];
}

const event = (random: Random): Clause => [
  "my",
  random.pick(words.person),
  random.pick(words.verb),
  "me",
  "on",
  random.pick(words.day),
];

function assemble(clauses: readonly Clause[], label: number, random: Random): Sentence {
  const spans: Span[] = [];
  let text = "";
  clauses.forEach((clause, index) => {
    if (index > 0) text += random.pick([". ", ", and ", ", but ", ", while "]);
    clause.forEach((piece, position) => {
      if (position > 0) text += " ";
      const start = text.length;
      text += typeof piece === "string" ? piece : piece.text;
      if (typeof piece !== "string") spans.push({ start, end: text.length, role: piece.role });
    });
  });
  const sentence = `${text}.`.replace(
    /(^|\. )([a-z])/g,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
  return { text: sentence, label, spans };
}

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const glue = ["the", "this", "our", "new", "is", "was", "seems", "my", "me", "on", "and", "but", "while", ".", ","];

/** The whole vocabulary, special tokens first, then letters so that a foreign word still has a spelling. */
export function sentenceVocabulary(): string[] {
  const known = new Set([...glue, ...Object.values(words).flatMap((list) => list.flatMap((word) => word.split(" ")))]);
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  return [...special, ...letters, ...letters.map((letter) => `##${letter}`), ...[...known].sort()];
}

/** Words and punctuation with their places: how the benchmark's tokenizer cuts its own sentences. */
export function sentenceTokens(text: string): { id: number; start: number; end: number }[] {
  const ids = new Map(sentenceVocabulary().map((word, id) => [word, id]));
  return Array.from(text.matchAll(/[A-Za-z]+|[.,]/g), (match) => ({
    id: ids.get(match[0].toLowerCase()) ?? 1,
    start: match.index,
    end: match.index + match[0].length,
  }));
}
