import { defineConfig } from "vitest/config";

/** As Node resolves it, for what graphql-yoga imports: of two copies of the package each refuses the other's schema. */
const resolve = { alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }] };

/** A test waits for what it expects, however long that takes on a busy machine: this ends one that would wait for ever. */
const patience = { testTimeout: 1_200_000, hookTimeout: 1_200_000 };

/** `unit` lies beside its file and needs nothing but this checkout; `system` (test/) starts real brokers, stores and nodes. */
export default defineConfig({
  test: {
    retry: 0,
    execArgv: ["--max-semi-space-size=64"], // collected less often: 57 s of CPU for the rooms of rules and chains, not 65
    maxWorkers: 3, // on two cores: files of `system` wait for brokers and restarts a good part of their time
    projects: [
      {
        resolve,
        test: {
          name: "unit",
          include: ["{engine,api,clickhouse,bench,rules-as}/**/*.test.ts"],
          ...patience,
          isolate: false, // files that share a worker's modules: 130 s of CPU, not 180 s
          pool: "forks",
        },
      },
      {
        resolve,
        test: {
          name: "system",
          include: ["test/**/*.test.ts"],
          ...patience,
          isolate: false, // each file imported all it needs anew: 3 s of CPU
          pool: "forks",
          globalSetup: "test/support/globalKafka.ts",
        },
      },
    ],
  },
});
