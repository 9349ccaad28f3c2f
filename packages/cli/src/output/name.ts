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
  const seen = new Map<string, number>();
  return stems.map((stem) => {
    const key = slug(stem).toLowerCase();
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? stem : `${stem}-${count}`;
  });
}
