/** File names: `{stem}__{method}__{index}-{label}`; only characters that every file system takes. */
export function fileStem(stem: string, method: string, target?: { index: string; label?: string | null }): string {
  const parts = [slug(stem), slug(method)];
  if (target) parts.push(target.label ? `${target.index}-${slug(target.label)}` : target.index);
  return parts.join("__");
}

export function slug(text: string): string {
  const plain = text
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}._+-]+/gu, "-")
    .replace(/^[-.]+|-+$/g, "");
  return plain.slice(0, 80) || "unnamed";
}

/** Gives equal stems (`a/1.png` and `b/1.jpg`) different names, in the order in which they come. */
export function uniqueStems(stems: readonly string[]): string[] {
  const keyOf = (stem: string) => slug(stem).toLowerCase();
  const taken = new Set(stems.map(keyOf));
  const used = new Set<string>();
  return stems.map((stem) => {
    let name = stem;
    for (let count = 2; used.has(keyOf(name)) || (name !== stem && taken.has(keyOf(name))); count++) {
      name = `${stem}-${count}`;
    }
    used.add(keyOf(name));
    return name;
  });
}
