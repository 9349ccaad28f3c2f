/** Renews the generated parts of the README, and docs/operators.md, from the registries. Run after `npm run build`. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { methods } from "../packages/vitrail/dist/index.js";
import { operatorPage } from "./operator-table.js";

/** The text between two markers, replaced. */
export function replaceBetween(text, name, content) {
  const [open, close] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < 0) throw new Error(`README.md has no markers for "${name}"`);
  return `${text.slice(0, start + open.length)}\n${content.trim()}\n${text.slice(end)}`;
}

export function methodTable() {
  const rows = methods.map((m) => {
    const options = m.options.map((o) => `\`${o.name}\` = ${o.default}`).join(", ");
    return `| \`${m.id}\` | ${m.classSpecific ? "yes" : "no"} | ${m.kind} | ${m.needs.join(", ") || "nothing"} | ${options} | ${m.citation} |`;
  });
  return ["| id | class-specific | explains | needs | options | source |", "|---|---|---|---|---|---|", ...rows].join(
    "\n",
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await renew();

async function renew() {
  const readme = new URL("../README.md", import.meta.url);
  let text = replaceBetween(readFileSync(readme, "utf8"), "methods", methodTable());
  const support = new URL("./support-table.js", import.meta.url);
  if (existsSync(support)) {
    const { supportTable } = await import(support.href);
    const manifest = JSON.parse(readFileSync(new URL("../test/collection/manifest.json", import.meta.url), "utf8"));
    text = replaceBetween(text, "support", supportTable(manifest));
  }
  writeFileSync(readme, text);
  const { operators } = await import("../packages/vitrail/dist/ops/registry.js");
  writeFileSync(new URL("../docs/operators.md", import.meta.url), operatorPage(operators));
}
