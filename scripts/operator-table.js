/** docs/operators.md: every operator of ONNX and of onnxruntime's own set, and what becomes of it. `npm run docs` renews it. */
import { readFileSync } from "node:fs";

const list = JSON.parse(readFileSync(new URL("./operator-list.json", import.meta.url), "utf8"));

/** Read by the import, before there are nodes. */
const AT_IMPORT = {
  Constant: "a constant of the graph",
  If: "the branch that is taken, where the condition is known before the model runs",
  Upsample: "of operator sets 7 to 9, as Resize",
  Scatter: "of operator sets 9 and 10, as ScatterElements",
};
const reasons = new Map(Object.entries(list.reasons).flatMap(([why, names]) => names.map((name) => [name, why])));

function row(name, operators) {
  const plain = name.replace("com.microsoft::", "");
  const operator = operators.get(name);
  if (AT_IMPORT[name]) return `| ${plain} | read | ${AT_IMPORT[name]} |`;
  if (!operator) return `| ${plain} | refused | ${reasons.get(name) ?? "not met in a transformer yet"} |`;
  if (operator.canonical && !operator.gradient) return `| ${plain} | explained | taken apart into simpler operators |`;
  const role = typeof operator.role === "string" ? operator.role : "by its operands";
  if (operator.gradient) return `| ${plain} | explained | ${role === "opaque" ? "gradient alone" : role} |`;
  return `| ${plain} | read | for sizes, indices and masks: it has no slope |`;
}

/** @param operators the registry of the compiler: name -> entry */
export function operatorPage(operators) {
  const table = (names) =>
    ["| operator | | |", "|---|---|---|", ...names.map((name) => row(name, operators))].join("\n");
  return `# Operators

Written by \`npm run docs\` from the compiler's own table; a test compares the two.

- **explained**: gradients go through it, and relevance by the rule of its role (\`docs/decisions/0004\` says what a role is).
- **read**: its result is known where sizes, indices and masks are computed with it; nothing is pulled back.
- **refused**: where the explained output depends on it, the compiler says so by name (E020, E021 or E023). Anywhere else it is no
  hindrance, and methods that only run the model (\`occlusion\`, \`rise\`) need none of this.

Operator sets 7 to 10 are read as set 11. Some forms of an explained operator are refused (a kernel that is data, a mode that nobody
exports); the message says which.

## ONNX

${table(list.onnx)}

## com.microsoft (onnxruntime)

${table(list["com.microsoft"].map((name) => `com.microsoft::${name}`))}
`;
}
