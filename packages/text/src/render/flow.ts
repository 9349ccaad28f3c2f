import { percent } from "../scale.js";
import { unknownMark } from "../token.js";
import type { TextView } from "../view.js";

/** A stretch of the text as it is shown: a unit (its index in `view.units`), or what stands between units. */
export type Stretch =
  | { readonly unit: number; readonly text: string }
  | { readonly unit?: undefined; readonly text: string };

/** The whole text in order: units where they stand, everything between them verbatim, one space around special tokens, a line for each text. */
export function flow(view: TextView): Stretch[] {
  const out: Stretch[] = [];
  const at = [0, 0];
  const last: { segment: number | null } = { segment: null };
  const finish = (segment: number) => {
    const rest = (view.texts[segment] ?? "").slice(at[segment]);
    if (rest) out.push({ text: rest });
    at[segment] = (view.texts[segment] ?? "").length;
  };
  for (const [i, unit] of view.units.entries()) {
    const { segment } = unit;
    if (last.segment !== null && segment !== last.segment) finish(last.segment);
    if (segment === null) {
      if (out.length) out.push({ text: " " });
      out.push({ unit: i, text: unit.text });
    } else {
      const between = view.texts[segment]!.slice(at[segment], unit.start);
      // The second of a pair begins a line of its own.
      if (last.segment !== segment && out.length) out.push({ text: segment === 1 ? "\n" : " " });
      if (between) out.push({ text: between });
      // Several tokens share one character: the first shows it.
      const text = unit.end > unit.start ? unit.text : "·";
      out.push({ unit: i, text: unit.unknown ? text + unknownMark : text });
      at[segment] = Math.max(at[segment]!, unit.end);
    }
    last.segment = segment;
  }
  if (last.segment !== null) finish(last.segment);
  return out;
}

interface Headed {
  readonly target?: TextView["target"] | undefined;
  readonly method?: string | undefined;
  readonly model?: string | undefined;
}

/** Label, method and model in one line, as far as they are known. */
export function heading({ target, method, model }: Headed): string {
  const sure = target?.probability === undefined ? "" : ` ${percent(target.probability)}`;
  return [target && target.label + sure, method, model].filter((part) => part).join(" · ");
}

/** Whether the first letter of a text is of a script that runs from right to left. */
export const rightToLeft = (text: string): boolean =>
  /^\P{L}*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u.test(
    text,
  );
