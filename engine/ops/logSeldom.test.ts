import { expect, test } from "vitest";
import { createLog, type Log } from "./log.ts";
import { logSeldom, SAY_AGAIN_MS } from "./logSeldom.ts";

function logInMemory(): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return { log: createLog({ stream: { write: (line) => void lines.push(JSON.parse(line)) } }), lines };
}

const away = (attempt: number) => ({ event: "kafka_error", reason: `broker 1: refused after ${attempt} ms` });

test("a line that comes again and again is said when it begins, then every 10 s with how often it came", () => {
  const { log, lines } = logInMemory();
  for (let ms = 0; ms < 2.5 * SAY_AGAIN_MS; ms += 50) logSeldom(log, "warn", away(ms), "Cannot reach the brokers", ms);
  expect(lines).toMatchObject([
    { level: "warn", event: "kafka_error", reason: "broker 1: refused after 0 ms", msg: "Cannot reach the brokers" },
    { reason: "broker 1: refused after 10000 ms", repeated: 199 },
    { reason: "broker 1: refused after 20000 ms", repeated: 199 },
  ]);
  expect(lines[0]).not.toHaveProperty("repeated");
});

test("another reason, another event and another log are said at once", () => {
  const one = logInMemory();
  const other = logInMemory();
  logSeldom(one.log, "warn", away(1), "", 0);
  logSeldom(one.log, "warn", { event: "kafka_error", reason: "unknown topic" }, "", 1);
  logSeldom(one.log, "warn", { event: "store_retry", reason: away(1).reason }, "", 2);
  logSeldom(other.log, "warn", away(1), "", 3);
  expect(one.lines).toHaveLength(3);
  expect(other.lines).toHaveLength(1);
});

test("however many different lines come, few are remembered, and each is still said", () => {
  const { log, lines } = logInMemory();
  const word = (i: number) => String.fromCharCode(97 + (i % 26), 97 + (Math.floor(i / 26) % 26));
  for (let i = 0; i < 500; i++) logSeldom(log, "warn", { event: "odd", reason: word(i) }, "", i);
  expect(lines).toHaveLength(500);
  logSeldom(log, "warn", { event: "odd", reason: word(499) }, "", 500);
  expect(lines).toHaveLength(500);
  logSeldom(log, "warn", { event: "odd", reason: word(0) }, "", 501);
  expect(lines).toHaveLength(501);
});
