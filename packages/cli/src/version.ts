import { readFileSync } from "node:fs";

const own = new URL("../package.json", import.meta.url);

export const { version } = JSON.parse(readFileSync(own, "utf8")) as { version: string };
