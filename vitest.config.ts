import { defineConfig } from "vitest/config";

/** `unit` lies beside its file and needs nothing but this checkout; `system` (test/) starts real brokers, stores and nodes. */
export default defineConfig({
  test: {
    retry: 0,
    maxWorkers: 2, // each file of `system` starts processes of its own: more at once only wait for each other
    projects: [
      {
        test: {
          name: "unit",
          include: ["{engine,api,clickhouse,bench,rules-as}/**/*.test.ts"],
          testTimeout: 60_000,
          pool: "forks",
        },
      },
      {
        test: {
          name: "system",
          include: ["test/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          pool: "forks",
          globalSetup: "test/support/globalKafka.ts",
        },
      },
    ],
  },
});
