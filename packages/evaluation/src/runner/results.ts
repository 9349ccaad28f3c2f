/** Append-only results: one JSON document per line. A kill can tear the last line only; it is cut off and its work done again. */
import { finished, type ResultRow, type Settings, schema } from "./row.js";

/** Where lines are kept. `load` returns whole lines and cuts a torn one off for good. */
export interface LineStore {
  load(): Promise<readonly string[]>;
  append(line: string): Promise<void>;
}

export function memoryStore(initial = ""): LineStore & { readonly text: string } {
  const store = {
    text: initial,
    async load() {
      store.text = store.text.slice(0, store.text.lastIndexOf("\n") + 1);
      return store.text.split("\n").slice(0, -1);
    },
    async append(line: string) {
      store.text += `${line}\n`;
    },
  };
  return store;
}

export interface Results {
  readonly settings: Settings;
  readonly rows: readonly ResultRow[];
  /** Whether this metric was already measured, or found impossible, for this method on this case. */
  has(caseId: string, method: string, metric: string): boolean;
  append(row: ResultRow): Promise<void>;
}

export interface OpenOptions {
  /** Do cases that failed once more. */
  readonly retry?: boolean;
}

/** Opens results for going on. Lines of other settings are refused: figures of two seeds must never meet in one table. */
export async function openResults(
  store: LineStore,
  settings: Settings,
  { retry = false }: OpenOptions = {},
): Promise<Results> {
  const [first, ...lines] = await store.load();
  if (first === undefined) await store.append(JSON.stringify({ schema, settings }));
  else compareSettings(first, settings);
  const rows: ResultRow[] = [];
  const done = new Set<string>();
  const key = (...parts: readonly string[]) => JSON.stringify(parts);
  const note = (row: ResultRow) => {
    rows.push(row);
    if (row.error !== undefined) done.add(key(row.case, row.method));
    for (const metric of finished(row)) done.add(key(row.case, row.method, metric));
  };
  const read = lines.map((line) => JSON.parse(line) as ResultRow);
  const healed = new Set(read.filter((row) => row.error === undefined).map((row) => key(row.case, row.method)));
  for (const row of read) {
    if (row.error === undefined || !(retry || healed.has(key(row.case, row.method)))) note(row);
  }
  let queue: Promise<unknown> = Promise.resolve();
  return {
    settings,
    rows,
    has: (caseId, method, metric) => done.has(key(caseId, method)) || done.has(key(caseId, method, metric)),
    append: (row) => {
      const written = queue.then(() => store.append(JSON.stringify(row))).then(() => note(row));
      queue = written.catch(() => undefined);
      return written;
    },
  };
}

function compareSettings(first: string, settings: Settings): void {
  const header = JSON.parse(first) as { schema?: string; settings?: Settings };
  if (header.schema !== schema) throw new Error(`these results are not ${schema}: choose another folder`);
  const before = header.settings ?? {};
  const keys = new Set([...Object.keys(before), ...Object.keys(settings)]);
  const changed = [...keys].filter((name) => before[name] !== settings[name]);
  if (changed.length === 0) return;
  const list = changed.map(
    (name) => `${name} was ${JSON.stringify(before[name] ?? null)}, is ${JSON.stringify(settings[name] ?? null)}`,
  );
  throw new Error(
    `these results were made with other settings (${list.join("; ")}): choose another folder or start over`,
  );
}
