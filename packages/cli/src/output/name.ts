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
  return cut(plain, LONGEST) || "unnamed";
}

/** Bytes of a name's part: file systems take names of 255 bytes, and a name has two such parts, a method and an ending. */
const LONGEST = 80;

/** As many whole characters as fit into so many bytes of UTF-8. */
function cut(text: string, most: number): string {
  let [bytes, length] = [0, 0];
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > most) break;
    length += character.length;
  }
  return text.slice(0, length);
}

/** A name that is not `taken` yet, which it is from then on: a number tells it from another of the same name. */
export function freeName(name: string, taken: Set<string>): string {
  for (let count = 1; ; count++) {
    const free = count === 1 ? name : `${name}-${count}`;
    const key = free.normalize("NFC").toLowerCase();
    if (taken.has(key)) continue;
    taken.add(key);
    return free;
  }
}

/** Gives equal stems (`a/1.png` and `b/1.jpg`) different names, in the order in which they come. */
export function uniqueStems(stems: readonly string[]): string[] {
  const keyOf = (stem: string) => slug(stem).toLowerCase();
  const taken = new Set(stems.map(keyOf));
  const used = new Set<string>();
  return stems.map((stem) => {
    let name = stem;
    for (let count = 2; used.has(keyOf(name)) || (name !== stem && taken.has(keyOf(name))); count++) {
      // What is cut off must not be the number.
      name = `${cut(slug(stem), LONGEST - 8)}-${count}`;
    }
    used.add(keyOf(name));
    return name;
  });
}
