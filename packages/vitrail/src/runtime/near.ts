/** The names that a person may have meant, nearest first: few letters apart, or one holds the other. */
export function nearest(text: string, names: readonly string[], count = 3): string[] {
  const wanted = text.trim().toLowerCase();
  const scored = names.map((name) => ({ name, score: distanceTo(wanted, name.toLowerCase()) }));
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const close = scored.filter(({ score }) => score <= limit).sort((a, b) => a.score - b.score);
  return [...new Set(close.map(({ name }) => name))].slice(0, count);
}

function distanceTo(wanted: string, name: string): number {
  if (wanted.length >= 2 && name.includes(wanted)) return 0.5;
  const words = [name, ...name.split(/[\s,_-]+/)].filter((word) => word.length > 1);
  return Math.min(...words.map((word) => editDistance(wanted, word)), editDistance(wanted, name));
}

/** Insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      current.push(best);
    }
    [before, previous] = [previous, current];
  }
  return previous[b.length]!;
}
