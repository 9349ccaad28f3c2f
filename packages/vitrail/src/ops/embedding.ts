/** Embeddings: rows of a table that ids of the caller pick. Data begins there. */
import type { Value } from "../ir/graph.js";

/** Marks `value` as an embedding where it is one: a table that does not depend on the inputs, and ids that do. */
export function markEmbedding(value: Value, table: Value | undefined, ids: Value | undefined, axis = 0): Value {
  if (!table || !ids?.dependent || table.dependent || axis !== 0 || (table.rank ?? 0) < 2) return value;
  value.data = true;
  value.lookup = { table, ids };
  return value;
}
