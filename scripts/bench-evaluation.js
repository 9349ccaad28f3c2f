/**
 * What an evaluation costs beyond the forwards that it needs: the processor time of every perturbation metric, all threads together, and
 * its time by the clock (the next batch is made while one runs), in units of what the same batches take when they are ready and nothing
 * else is done, in turns in one loop; and maps per second beside bare forwards per second. Writes the table into the README; with names
 * of metrics it only measures those.
 *
 *     npm run bench:evaluation -- [road ...]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spreadOf, takeTurns } from "../packages/cli/dist/bench/measure.js";
import { modelOver } from "../packages/cli/dist/evaluate/engine.js";
import {
  baselineExplainer,
  caseContext,
  chooseMetric,
  measure,
  metrics,
  normaliser,
  pictureSubject,
  random,
} from "../packages/evaluation/dist/index.js";
import { createExplainer, tensor } from "../packages/vitrail/dist/runtime/node/index.js";
import { visionTransformer } from "./bench-model.js";
import { replaceBetween } from "./docs.js";

/** As `vitrail evaluate` runs: idle threads of a runtime wait in a loop, which would count as work. */
const THREADS = 1;
const ROUNDS = 5;
/** Processor time of the rounds that warm up, in microseconds: an evaluation measures thousands of cases. */
const WARM_UP = 2e6;
const METHODS = ["transformer-attribution", "generic-attention"];
const named = process.argv.slice(2);
const perturbing = metrics
  .filter(({ group, needs }) => group === "faithfulness" && needs.includes("model"))
  .filter(({ id }) => named.length === 0 || named.includes(id));

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "vitrail-bench-"));
  const tiny = join(folder, "tiny.onnx");
  writeFileSync(tiny, visionTransformer({ width: 192, depth: 12, heads: 3 }));
  const shipped = fileURLToPath(new URL("../models/blood-cells/onnx/model.onnx", import.meta.url));
  try {
    const columns = [
      await column("blood-cells, 96 px", shipped, 96, 8),
      await column("ViT-Tiny/16, 224 px", tiny, 224, 16),
    ];
    const rows = columns[0].rows.map(([name], i) => `| ${[name, ...columns.map((c) => c.rows[i][1])].join(" | ")} |`);
    const head = [`| | ${columns.map((c) => c.title).join(" | ")} |`, `|---|${columns.map(() => "--:|").join("")}`];
    const note = `\`npm run bench:evaluation\` on ${cpus()[0]?.model ?? "CPU"}, ${THREADS} thread, Node ${process.versions.node}; medians of ${ROUNDS} alternating rounds. Cost of a metric: its processor time / its time by the clock, each divided by that of its batches of forwards alone; how many inputs they have in brackets.`;
    const text = [...head, ...rows, "", note].join("\n");
    console.log(text);
    if (named.length > 0) return;
    const readme = new URL("../README.md", import.meta.url);
    writeFileSync(readme, replaceBetween(readFileSync(readme, "utf8"), "bench-evaluation", text));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function column(title, file, size, patch) {
  const explainers = Object.fromEntries(
    await Promise.all(
      METHODS.map(async (method) => [method, await createExplainer(file, { method, threads: THREADS })]),
    ),
  );
  const [first] = Object.values(explainers);
  const grid = size / patch;
  const toTensor = normaliser([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);
  const subject = pictureSubject({
    pixels: Float32Array.from({ length: 3 * size * size }, (_, i) => 0.5 + 0.5 * Math.sin(i * 0.37)),
    channels: 3,
    height: size,
    width: size,
    grid: [grid, grid],
    toInput: (pixels) => ({ feeds: { pixel_values: tensor(toTensor(pixels), [1, 3, size, size]) } }),
  });
  const { feeds } = subject.input;
  const speed = await takeTurns(
    {
      forward: () => first.predict(feeds),
      ...Object.fromEntries(METHODS.map((id) => [id, () => explainers[id].explain(feeds, { target: 0 })])),
    },
    { rounds: 4 * ROUNDS, repeats: 2 },
  );
  const perSecond = (times) => (1000 / spreadOf(times).median).toFixed(0);
  const rows = [
    ["bare forwards per second", perSecond(speed.forward)],
    ...METHODS.map((id) => [`maps per second, \`${id}\``, perSecond(speed[id])]),
  ];
  const model = modelOver(first, "softmax");
  for (const { id } of perturbing) {
    const ratios = [];
    const walls = [];
    let count = 0;
    let warm = 0;
    for (let round = 0; ratios.length < ROUNDS; round++) {
      const { batches, time } = await timeOf(chooseMetric(id), model, subject, round);
      const bare = await clocked(async () => {
        for (const batch of batches) await model.predict(batch);
      });
      if (warm >= WARM_UP) {
        ratios.push(time.processor / bare.processor);
        walls.push(time.wall / bare.wall);
      }
      warm += time.processor + bare.processor;
      count = batches.reduce((total, batch) => total + batch.length, 0);
    }
    rows.push([
      `\`${id}\``,
      `${[ratios, walls].map((each) => spreadOf(each).median.toFixed(2)).join(" / ")} (${count})`,
    ]);
  }
  for (const explainer of Object.values(explainers)) await explainer.close();
  return { title, rows };
}

/** Processor time of one metric on one case, and the batches of which it asked the model. */
async function timeOf(metric, model, subject, seed) {
  const batches = [];
  const watched = {
    ...model,
    predict(batch) {
      batches.push(batch);
      return model.predict(batch);
    },
  };
  const of = { id: "bench", subject, target: 0, label: 0 };
  const context = caseContext(of, { model: watched, seed, batchSize: 16 });
  const time = await clocked(() => measure(context, baselineExplainer(random, of, seed), [metric]));
  return { batches, time };
}

/** Microseconds of all threads, which other processes change little, and by the clock. */
async function clocked(work) {
  const [start, begin] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(start);
  return { processor: user + system, wall: 1000 * (performance.now() - begin) };
}

await main();
