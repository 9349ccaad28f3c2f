/** `Intl.Segmenter` on texts of any length: its time grows with the square of what it is given, so that it is given parts. */

/** Characters of a part. */
const LENGTH = 4000;
/** What is said of a part's last pieces may depend on what stands behind it: they begin the next part. */
const UNSURE = 3;

/** Where the pieces between `from` and `to` begin. A piece must begin at `from`. */
export function segmentStarts(segmenter: Intl.Segmenter, text: string, from = 0, to = text.length): number[] {
  const found: number[] = [];
  for (let length = LENGTH; from < to; ) {
    const stop = Math.min(to, from + length);
    const begins = from;
    const places = Array.from(segmenter.segment(text.slice(from, stop)), ({ index }) => begins + index);
    const sure = stop === to ? places : places.slice(0, -UNSURE);
    for (const place of sure) found.push(place);
    // A single piece may be longer than a part.
    if (sure.length === 0) length *= 2;
    else [from, length] = [stop === to ? to : places[sure.length]!, LENGTH];
  }
  return found;
}

const clusters = new Intl.Segmenter("und");

/** What a person calls characters: letters with their marks, emoji of several parts. */
export function characters(text: string): string[] {
  const starts = segmentStarts(clusters, text);
  return starts.map((start, index) => text.slice(start, starts[index + 1]));
}
