/**
 * Lines that come again and again while something is away: said when it begins, then every 10 s with how often it came
 * meanwhile. A client that has lost its broker complains 20 times a second.
 *
 *     logSeldom(log, "warn", { event: "kafka_error", reason: "broker 1: connection refused" }, "Cannot reach the brokers");
 */
import type { Log } from "./log.ts";

export const SAY_AGAIN_MS = 10_000;
/** Of different lines that are remembered: beyond, the one that was said longest ago is forgotten, and said anew. */
const MAX_REMEMBERED = 100;

interface Said {
  readonly at: number;
  heldBack: number;
}

const remembered = new WeakMap<Log, Map<string, Said>>();

/**
 * Two lines are the same if event and reason are, whatever numbers stand in the reason: ports, attempts and milliseconds
 * change with each. `repeated` says how many were held back since the line before.
 */
export function logSeldom(
  log: Log,
  level: "warn" | "error",
  facts: { readonly event: string; readonly reason: string; readonly [fact: string]: unknown },
  message: string,
  now = performance.now(),
): void {
  let lines = remembered.get(log);
  if (!lines) remembered.set(log, (lines = new Map()));
  const key = `${facts.event} ${facts.reason.replace(/\d+/g, "0")}`;
  const said = lines.get(key);
  if (said && now - said.at < SAY_AGAIN_MS) {
    said.heldBack++;
    return;
  }
  lines.delete(key); // to the end: a Map keeps the order in which its keys came
  lines.set(key, { at: now, heldBack: 0 });
  if (lines.size > MAX_REMEMBERED) lines.delete(lines.keys().next().value!);
  log[level](said?.heldBack ? { ...facts, repeated: said.heldBack } : facts, message);
}
