import { STEPS } from "../scale.js";
import { background, css, ink, PALETTES, type Theme } from "./color.js";

/** Arrow keys move between units, so that Tab leaves the text with one press. Without it, Tab visits every unit. */
export const SCRIPT = `
for (const list of document.querySelectorAll(".text")) {
  const units = [...list.querySelectorAll(".u")];
  const go = (i) => { for (const u of units) u.tabIndex = -1; units[i].tabIndex = 0; };
  if (units.length) go(0);
  list.addEventListener("focusin", (e) => { const i = units.indexOf(e.target); if (i >= 0) go(i); });
  list.addEventListener("keydown", (e) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[e.key];
    if (!by) return;
    const rtl = getComputedStyle(list).direction === "rtl" && Math.abs(by) === 1 ? -by : by;
    const i = Math.max(0, Math.min(units.length - 1, units.indexOf(document.activeElement) + rtl));
    e.preventDefault();
    go(i);
    units[i].focus();
  });
}
addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });
`;

/** The style sheet. Every step has its own background and ink, so contrast is decided here and not by the browser. */
export function styles(): string {
  return `
:root { ${variables("light")} }
@media screen and (prefers-color-scheme: dark) { :root { ${variables("dark")} } }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 48rem; margin: 0 auto; padding: 1rem; }
img { display: block; max-width: 100%; height: auto; margin: 1rem 0; }
h1 { font-size: 1.25rem; } h2 { font-size: 1.1rem; margin-bottom: 0; }
article { border-top: 1px solid var(--muted); margin-top: 1.5rem; }
.caption, .notes, .legend { color: var(--muted); font-size: .875rem; }
.caption { margin: .25rem 0; } .notes { padding-left: 1.2rem; } .value { font-weight: normal; color: var(--muted); }
.text { font-size: 1.15rem; line-height: 2; white-space: pre-wrap; overflow-wrap: anywhere; }
.u { position: relative; border-radius: 3px 3px 0 0; padding: .1em .08em; background-clip: padding-box; }
${levels()}
.s { color: var(--muted); font-size: .8em; border: 1px dotted var(--muted); padding: 0 .2em; }
.text .u:focus { outline: 2px solid var(--text); outline-offset: 1px; }
.text .u:hover::after, .text .u:focus::after { content: attr(data-v); position: absolute; left: 0; top: 100%; z-index: 1;
  margin-top: 4px; padding: .1rem .5rem; border-radius: 4px; background: var(--text); color: var(--page);
  font: .8rem/1.5 system-ui, sans-serif; white-space: nowrap; direction: ltr; pointer-events: none; }
@media (max-width: 64rem) { .text .u:hover::after, .text .u:focus::after { position: fixed; left: 50%; top: auto; bottom: 1rem; translate: -50%; } }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; margin: .75rem 0; }
.scale { white-space: nowrap; } .scale .u { display: inline-block; min-width: 1.2em; text-align: center; border-radius: 0; }
details { margin: .75rem 0; } summary { cursor: pointer; min-height: 1.5rem; }
table { border-collapse: collapse; font-size: .875rem; } th, td { padding: .1rem .75rem .1rem 0; text-align: right; }
th:first-child { text-align: left; } tbody th { font-weight: normal; white-space: pre-wrap; }
@media print { main { max-width: none; } .u { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .text .u::after { display: none; } article { break-inside: avoid-page; } }
`;
}

function variables(theme: Theme): string {
  const { page, text, muted } = PALETTES[theme];
  const steps = [];
  for (let level = 1; level <= STEPS; level++) {
    for (const [name, sign] of SIGNS) {
      const color = background(sign * level, theme);
      steps.push(`--${name}${level}: ${css(color)}; --${name}${level}-ink: ${css(ink(color))};`);
    }
  }
  return `color-scheme: ${theme}; --page: ${css(page)}; --text: ${css(text)}; --muted: ${css(muted)}; ${steps.join(" ")}`;
}

const SIGNS = [
  ["p", 1],
  ["n", -1],
] as const;

function levels(): string {
  const rules = [];
  for (let level = 1; level <= STEPS; level++) {
    for (const [name, sign] of SIGNS) {
      const line = sign > 0 ? "solid" : "dashed";
      rules.push(
        `.${name}${level} { background-color: var(--${name}${level}); color: var(--${name}${level}-ink); border-bottom: 3px ${line} var(--text); forced-color-adjust: none; }`,
      );
    }
  }
  return rules.join("\n");
}
