import { describe, expect, it } from "vitest";
import { chooseMetric, type GalleryItem, type ResultRow, report, summariseResults } from "../src/index.js";
import { curveChart, ticks } from "../src/report/chart.js";
import { html } from "../src/report/markup.js";

const metrics = ["deletion", "pointing-game", "class-sensitivity"].map(chooseMetric);
const methods = ["one", "random"];
const rows: ResultRow[] = ["a", "b", "c", "<evil>"].flatMap((id, i) =>
  methods.map((method) => ({
    case: id,
    group: id,
    method,
    values: {
      deletion: { value: 0.5 + i / 10, curve: { x: [0, 0.5, 1], y: [1, 0.4 + i / 10, 0] } },
      "pointing-game": { value: method === "one" ? 1 : i % 2 },
      "class-sensitivity": { value: 0, note: "not class-specific" },
    },
  })),
);
rows.push({ case: "<evil>", group: "x", method: "one", error: "</script><b>broken</b>" });
const summary = summariseResults(rows, {
  metrics,
  methods,
  header: { command: 'vitrail evaluate "x" --seed 1', model: "sha256:abc" },
  resamples: 100,
});
const items: GalleryItem[] = [
  {
    case: "a",
    method: "one",
    metric: "pointing-game",
    value: 1,
    kind: "best",
    title: "a red triangle",
    picture: { image: "data:image/png;base64,AA==", map: "data:image/png;base64,AA==", width: 96, height: 96 },
  },
  {
    case: "b",
    method: "one",
    metric: "pointing-game",
    value: 0,
    kind: "worst",
    title: "words",
    words: [
      { text: "not", relevance: -1 },
      { text: "<b>", relevance: 2, gold: true },
    ],
  },
];
const page = report(summary, { gallery: items });
const visible = page.replace(/<script[\s\S]*?<\/script>/g, "");

describe("what was left out", () => {
  const shortened = (evidenceLost: boolean) => ({ shortened: { evidenceLost } });
  const cut = rows.map((row) => ({
    ...row,
    ...(row.case === "a" && shortened(true)),
    ...(row.case === "b" && shortened(false)),
  }));

  it("counts cases of which only the beginning was read, once whatever the methods, and says it", () => {
    const counted = summariseResults(cut, { metrics, methods, resamples: 10 });
    expect(counted.shortened).toEqual({ cases: 2, evidenceLost: 1 });
    expect(report(counted)).toContain("2 of 4 cases are longer than what the model reads");
    expect(report(counted)).toContain("in 1 of them evidence lies behind it");
    expect(summary.shortened).toEqual({ cases: 0, evidenceLost: 0 });
    expect(page).not.toContain("longer than");
  });

  it("lists broken rows with place and reason", () => {
    const broken = [
      { file: "a.jsonl", at: 3, reason: "<has no text>" },
      { file: "b.jpg", reason: "no mask" },
    ];
    const listed = report(summary, { broken });
    expect(listed).toContain("were left out: 2.");
    expect(listed).toContain("<li>a.jsonl:3: &#60;has no text&#62;</li><li>b.jpg: no mask</li>");
  });
});

describe("report", () => {
  it("is one file that asks the network for nothing", () => {
    expect(page).not.toMatch(/(src|href)\s*=\s*"(?!data:)/);
    expect(page).not.toMatch(/https?:|url\(|@import/);
    expect(page).toContain("default-src 'none'");
  });

  it("escapes whatever comes from data", () => {
    expect(html`<a title="${'"<&'}">${"<i>"}</a>`.markup).toBe('<a title="&#34;&#60;&#38;">&#60;i&#62;</a>');
    expect(page).not.toContain("<evil>");
    expect(page).not.toContain("<b>");
    expect(page.match(/<\/script>/g)!.length).toBe(2);
    expect(() =>
      report(summary, { gallery: [{ ...items[0]!, picture: { ...items[0]!.picture!, map: "x.png" } }] }),
    ).toThrow("data:image");
  });

  it("says everything without scripts: figures, intervals, chance, notes, warnings, failures", () => {
    expect(visible).toContain("vitrail evaluate &#34;x&#34; --seed 1");
    expect(visible).toMatch(/0\.65\d?0?<\/span>\s*<span class="range">no interval<\/span><span class="range">n = 4/);
    expect(visible).toContain("better than chance");
    expect(visible).toContain("not class-specific (4 of 4)");
    expect(visible).toContain("cannot separate the method from a random map on these 4 cases");
    expect(visible).toContain("1 measurements failed");
    expect(visible.match(/<figure data-method/g)!.length).toBe(2);
    expect(visible).toContain('class="controls" hidden');
  });

  it("names what a curve runs over; one of a single point is drawn, and stands in the table", () => {
    const [whole] = summary.cells.filter(({ metric, method }) => metric === "deletion" && method === "one");
    const short = { ...whole!, method: "short", curve: { x: [0], y: [0.75] } };
    const { markup: chart } = curveChart(summary.metrics.find(({ name }) => name === "deletion")!, [short, whole!]);
    expect(chart).toContain("share of units taken away");
    expect(chart.match(/<circle/g)?.length).toBe(1);
    expect(chart).toMatch(/<th scope="row">0(\.0+)?<\/th><td>0\.75\d*<\/td><td>1(\.0+)?<\/td>/);
    expect(chart).toMatch(/<th scope="row">1(\.0+)?<\/th><td><\/td><td>0(\.0+)?<\/td>/);
  });

  it("has names for screen readers: captions, scopes, a table behind each curve, text for pictures", () => {
    expect(visible).toContain("<caption>");
    expect(visible).toMatch(/<th scope="row">one<\/th>/);
    expect(visible).toMatch(/role="img" aria-label="Deletion \(area\): mean curve of one, random/);
    expect(visible.match(/<summary>Figures<\/summary>/g)!.length).toBe(1);
    for (const [image] of visible.matchAll(/<img[^>]*>/g)) expect(image).toContain("alt=");
  });

  it("marks best and worst for eyes only, and prints what is folded up", () => {
    expect(page).toContain('content: "▲ " / ""');
    expect(page).toMatch(/@media print \{.*details::details-content \{ content-visibility: visible/);
  });

  it("carries its data", () => {
    const data = /id="vitrail-evaluation">([\s\S]*?)<\/script>/.exec(page)![1]!;
    expect(JSON.parse(data)).toEqual(JSON.parse(JSON.stringify(summary)));
  });

  it("puts ticks on round numbers", () => {
    expect(ticks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks(-3, 12)).toEqual([0, 5, 10]);
    expect(ticks(0.12, 0.19)).toEqual([0.12, 0.14, 0.16, 0.18]);
  });
});
