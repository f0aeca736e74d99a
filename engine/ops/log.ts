/**
 * Structured logs on stderr: JSON in a pipe, readable on a terminal. `event` says what happened, in fixed words.
 *
 *     log.info({ event: "range_stored", partition: 3, rows: 41_000 }, "Stored a range");
 *
 * WARN: nothing is lost, we go on. ERROR: someone must act. A healthy run is quiet.
 */
import pino, { type Logger, type StreamEntry } from "pino";
import { stripCredentials } from "./errors.ts";
import { traceIds } from "./tracing.ts";

export type Log = Logger;

export interface LogOptions {
  /** pino's level names */
  readonly level?: string;
  /** Values that must never appear: tokens, passwords. */
  readonly secrets?: readonly (string | undefined)[];
  /** default: stderr */
  readonly stream?: { write(line: string): void };
  /** default: whether stderr is a terminal */
  readonly pretty?: boolean;
}

export function createLog({ level = "info", secrets = [], stream, pretty }: LogOptions = {}): Log {
  const sink: { write(line: string): void } = stream ?? pino.destination({ dest: 2, sync: true });
  const readable = pretty ?? (stream === undefined && process.stderr.isTTY === true);
  const hidden = secrets.filter((secret): secret is string => secret !== undefined && secret.length > 0);
  const target = {
    write(line: string) {
      // A secret is looked for in the finished line, as JSON spells it: wherever it came from, it doesn't get out.
      const clean = stripCredentials(hidden.reduce((text, secret) => text.replaceAll(inJson(secret), "***"), line));
      sink.write(readable ? toReadable(clean) : clean);
    },
  } satisfies StreamEntry["stream"];
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => traceIds(),
      formatters: { level: (label) => ({ level: label }) },
    },
    target,
  );
}

function inJson(secret: string): string {
  return JSON.stringify(secret).slice(1, -1);
}

/** `12:04:05.123 warn  range_retried  Insert failed, trying again  partition=3 attempt=2` */
function toReadable(line: string): string {
  const { time, level, event = "", msg = "", err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const facts = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const head = [String(time).slice(11, 23), String(level).padEnd(5), event, msg, facts.join(" ")]
    .filter((part) => part !== "")
    .join("  ");
  const error = err as { message?: string; stack?: string } | undefined;
  return error ? `${head}\n${error.stack ?? error.message}\n` : `${head}\n`;
}
