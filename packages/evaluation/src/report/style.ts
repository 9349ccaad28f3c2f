/** The look of the report: system fonts, both colour schemes, print. */
export const style = `
:root { color-scheme: light dark; --ink: #1d2025; --soft: #5a626e; --line: #d5d9e0; --paper: #fff; --tint: #f3f5f8; --mark: #0b57a4; --warn: #8a4b00; --opacity: 0.65; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --soft: #a3abb8; --line: #3a414c; --paper: #15181d; --tint: #1f242b; --mark: #7db8f5; --warn: #f0b35c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; } h3 { font-size: 1rem; margin: 0 0 .25rem; }
.lead { color: var(--soft); margin: 0 0 1rem; } dl + .lead { margin-top: 1rem; }
a { color: var(--mark); } code { font: .875em ui-monospace, monospace; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; } dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } caption { text-align: left; color: var(--soft); padding-bottom: .5rem; }
th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; } th[scope=row], thead th:first-child { text-align: left; }
thead th { vertical-align: bottom; } tbody tr.baseline { color: var(--soft); } tbody tr.baseline th { font-weight: 400; font-style: italic; }
th { white-space: nowrap; } td .range, td .versus, th .way { display: block; font-size: .78rem; font-weight: 400; color: var(--soft); white-space: nowrap; } td.best .value { font-weight: 700; text-decoration: underline; text-underline-offset: .2em; }
.warning { border-left: .25rem solid var(--warn); padding: .1rem .8rem; margin: .5rem 0; } .warning strong { color: var(--warn); }
.charts, .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.25rem; }
.gallery { grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); }
figure { margin: 0; border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; background: var(--tint); break-inside: avoid; }
figcaption { font-size: .85rem; } figure svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 11px system-ui, sans-serif; } svg .axis { stroke: var(--soft); } svg .grid { stroke: var(--line); }
.stack { position: relative; aspect-ratio: var(--shape, 1); margin-bottom: .5rem; } .stack img { position: absolute; inset: 0; width: 100%; height: 100%; image-rendering: pixelated; border-radius: .25rem; } .stack .map { opacity: var(--opacity); }
.kind { font-weight: 600; } .kind::before { content: "▲ "; content: "▲ " / ""; } .kind.worst::before { content: "▼ "; content: "▼ " / ""; }
.words { line-height: 2; margin: 0 0 .5rem; } .words span { padding: .1em .15em; border-radius: .2em; } .words .for { background: rgb(230 97 1 / var(--weight)); } .words .against { background: rgb(70 110 220 / var(--weight)); text-decoration: underline wavy; } .words .gold { outline: 1px solid currentColor; }
.controls { display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; align-items: center; margin-bottom: 1rem; } .controls[hidden], figure[hidden] { display: none; }
.controls select, .controls input { font: inherit; min-height: 1.75rem; } :focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
details { margin-top: .5rem; font-size: .85rem; } summary { cursor: pointer; min-height: 1.5rem; }
@media print { :root { color-scheme: light; --ink: #000; --paper: #fff; --tint: #fff; --soft: #444; --line: #bbb; } body { max-width: none; padding: 0; } .controls { display: none !important; } figure[hidden] { display: block !important; } .stack, .words span { print-color-adjust: exact; -webkit-print-color-adjust: exact; } .scroll { overflow: visible; } .scroll table { font-size: .75rem; } .scroll th, .scroll td { padding: .15rem .3rem; white-space: normal; } td .range, td .versus, th .way { font-size: .62rem; white-space: normal; } thead { display: table-header-group; } tr { break-inside: avoid; } details::details-content { content-visibility: visible; block-size: auto; } }
`;
