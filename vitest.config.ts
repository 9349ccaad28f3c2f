import { defineConfig } from "vitest/config";

/**
 * Two projects: `unit` reads the sources directly and is part of every commit's check; `platform` runs what was built
 * (runtimes, worker threads, the command line, Chromium) and therefore needs `npm run build` first.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.ts", "test/unit/**/*.test.ts"],
          setupFiles: ["test/support/properties.ts"],
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: "platform",
          include: ["test/platform/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
