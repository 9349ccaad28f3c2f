/**
 * Requests to the Hub. The token goes to the Hub's own address and nowhere else, every wait has an end, and a busy server is given
 * the time it asks for, within limits.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, problem } from "../problem.js";

export interface Source {
  endpoint: string;
  id: string;
  revision: string;
  token?: string | undefined;
  /** Told what is being waited for. */
  note?: (text: string) => void;
}

/** Nothing came, or nothing more: the copy in the cache may serve. */
export class Unreachable extends Error {}

/** An answer whose body is still to come; `end` lets go of the connection. */
export interface Answer {
  response: Response;
  /** Counts what arrived, so that a connection which stands still is noticed. */
  saw(bytes: number): void;
  end(): void;
}

export interface Ask {
  method?: "GET" | "HEAD";
  headers?: Readonly<Record<string, string>>;
  /** An answer that is not led on from, although it redirects. */
  enough?(response: Response): boolean;
}

const busy = new Set([429, 500, 502, 503, 504]);
const redirects = new Set([301, 302, 303, 307, 308]);
const [mostAttempts, mostRedirects, longestWait] = [4, 8, 60];

/** Seconds in which a connection must bring something, as in Python's `huggingface_hub` (`HF_HUB_DOWNLOAD_TIMEOUT`). */
export function timeLimit(): number {
  const seconds = Number(process.env.HF_HUB_DOWNLOAD_TIMEOUT);
  return seconds > 0 && seconds < 3600 ? seconds : 30;
}

/** A connection that brings less than this in `timeLimit` stands still. */
const leastBytes = 1024;

/** Asks, again after a while where the server is busy, and follows redirects. What the status means is the caller's. */
export async function ask(source: Source, address: string | URL, options: Ask = {}): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await follow(source, new URL(address), options);
    const { status, headers } = answer.response;
    const seconds = waitOf(headers.get("retry-after"), attempt);
    if (!busy.has(status) || attempt === mostAttempts || seconds > longestWait) return answer;
    answer.end();
    if (seconds >= 1) source.note?.(`the server answered ${status}; asking again in ${Math.ceil(seconds)} s`);
    await sleep(1000 * seconds);
  }
}

/** What the server asks for, in seconds or as a date; else 0.5, 1, 2 seconds. */
function waitOf(retryAfter: string | null, attempt: number): number {
  const seconds = Number(retryAfter ?? Number.NaN);
  if (retryAfter?.trim() && seconds >= 0) return seconds;
  const until = (Date.parse(retryAfter ?? "") - Date.now()) / 1000;
  return Number.isNaN(until) ? 2 ** (attempt - 2) : Math.max(0, until);
}

async function follow(source: Source, start: URL, { method = "GET", headers = {}, enough }: Ask): Promise<Answer> {
  const home = new URL(source.endpoint).origin;
  let url = start;
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const own = url.origin === home && source.token;
    const all = own ? { ...headers, Authorization: `Bearer ${source.token}` } : headers;
    const answer = await once(url, { method, headers: all, redirect: "manual" });
    const location = answer.response.headers.get("location");
    if (!redirects.has(answer.response.status) || location === null || enough?.(answer.response)) return answer;
    answer.end();
    url = nextOf(url, location);
  }
  throw problem("E088", {
    at: start.href,
    why: `the server redirects more than ${mostRedirects} times`,
    try: "check HF_ENDPOINT",
  });
}

/** Where an address leads on to: over HTTP, and never from an encrypted connection to an open one. */
export function nextOf(from: URL, to: string): URL {
  const url = URL.canParse(to, from.href) ? new URL(to, from) : undefined;
  const open = url?.protocol === "http:" && from.protocol === "http:";
  if (url && !url.username && (url.protocol === "https:" || open)) return url;
  const why = `the server leads on to ${JSON.stringify(to)}, which is not followed`;
  throw problem("E088", { at: from.href, why, try: "check HF_ENDPOINT" });
}

async function once(url: URL, options: RequestInit): Promise<Answer> {
  const limit = timeLimit();
  const controller = new AbortController();
  const slow = new Unreachable(`${url.host} sent next to nothing for ${limit} s`);
  let received = 0;
  const watch = setInterval(() => {
    if (received < leastBytes) controller.abort(slow);
    received = 0;
  }, 1000 * limit);
  const end = () => {
    clearInterval(watch);
    controller.abort();
  };
  try {
    const response = await fetch(url.href, { ...options, signal: controller.signal });
    return {
      response,
      saw: (bytes) => {
        received += bytes;
      },
      end,
    };
  } catch (error) {
    end();
    if (error instanceof Unreachable) throw error;
    const cause = error instanceof Error && error.cause ? error.cause : error;
    throw new Unreachable(`${url.host} cannot be reached (${messageOf(cause)})`);
  }
}

/** The body of an answer as text, which is refused above `most` bytes. */
export async function textOf({ response, saw, end }: Answer, most: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      saw(chunk.length);
      size += chunk.length;
      if (size > most) return undefined;
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Unreachable ? error : new Unreachable(`the connection broke (${messageOf(error)})`);
  } finally {
    end();
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What the Hub calls the reason, which says more than the status. */
const codeOf = (response: Response): string => response.headers.get("x-error-code") ?? "";

export function refusal({ endpoint, id, revision }: Source, response: Response, at: string): Error {
  const { status } = response;
  const page = `${endpoint}/${id}`;
  const gated = ["the model is gated", `ask for access on ${page} and set HF_TOKEN`] as const;
  const byCode = new Map<string, readonly [string, string]>([
    ["GatedRepo", gated],
    ["RevisionNotFound", [`it has no revision "${revision}"`, "check --revision: a branch, a tag or a commit"]],
    ["EntryNotFound", ["there is no such file in it", `look at ${page}/tree/${revision}`]],
  ]);
  const byStatus = new Map<number, readonly [string, string]>([
    [
      401,
      [
        "it wants a token, or there is no such model",
        `check the name; if the model is private or gated, ask for access on ${page} and set HF_TOKEN`,
      ],
    ],
    [403, gated],
    [404, ["there is no such model, file or revision", "check the name and --revision; a local path must exist"]],
    [429, ["the server says that it was asked too often", "try again later, or set HF_TOKEN"]],
  ]);
  const other = [`the server answered ${status}`, "try again later, or set HF_ENDPOINT"] as const;
  const [why, hint] = byCode.get(codeOf(response)) ?? byStatus.get(status) ?? other;
  return problem("E088", { at: `${id}: ${at}`, why, try: hint });
}
