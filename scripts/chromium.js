/** Makes sure that a Chromium is there for the browser tests: installs Debian's where it may, else says what to do. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const places = [
  process.env.CHROMIUM,
  ...JSON.parse(readFileSync(new URL("./chromium-places.json", import.meta.url), "utf8")),
];
if (!places.some((place) => place && existsSync(place))) {
  const mayInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (mayInstall) {
    spawnSync("apt-get", ["update", "-qq"], { stdio: "inherit" });
    spawnSync("apt-get", ["install", "-y", "-qq", "chromium"], { stdio: ["ignore", "ignore", "inherit"] });
  }
  if (!existsSync("/usr/bin/chromium"))
    console.log(
      "No Chromium was found: the browser tests will be skipped. Install Debian's `chromium`, or name one in CHROMIUM.",
    );
}
