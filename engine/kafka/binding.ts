import { createRequire } from "node:module";
import type * as RdKafka from "@confluentinc/kafka-javascript";
import { KafkaError } from "./errors.ts";

export type Binding = typeof RdKafka;

let loaded: Binding | undefined;

/**
 * The optional package @confluentinc/kafka-javascript (librdkafka), loaded when it is first needed: a replay needs none.
 * Throws a `configuration` error that says what to run when it is not installed or its native half is not built.
 */
export function loadBinding(): Binding {
  try {
    loaded ??= createRequire(import.meta.url)("@confluentinc/kafka-javascript") as Binding;
    return loaded;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const absent = code === "MODULE_NOT_FOUND" && message.includes("@confluentinc/kafka-javascript");
    const unbuilt = message.startsWith("Could not locate the bindings file");
    const state = absent ? "it is not installed" : unbuilt ? "it is not built" : `it does not load: ${message}`;
    const remedy = absent ? "npm install --include=optional && npm run kafka:build" : "npm run kafka:build";
    throw new KafkaError(
      `Cannot load the Kafka client "@confluentinc/kafka-javascript": ${state}, expected a build for Node ${process.versions.node}\n  Run: ${remedy}`,
      "configuration",
      -1,
    );
  }
}

/** What every client shares: after an outage it comes back within a second (librdkafka's default waits up to 10). */
export const connectionSettings = { "reconnect.backoff.ms": 100, "reconnect.backoff.max.ms": 1_000 };
