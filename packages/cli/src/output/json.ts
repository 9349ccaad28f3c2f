/** JSON for people and programs: indented, but a list of numbers stays on one line. */
export function prettyJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  // A line break cannot stand inside a JSON string, so this only matches real lists.
  return text.replace(/\[\n\s*([-\d.eE+,\s]+?)\n\s*\]/g, (_, list: string) => `[${list.replace(/\s+/g, " ")}]`);
}
