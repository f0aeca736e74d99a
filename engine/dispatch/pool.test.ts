/** Worker threads need the engine's loader, so the cases are a process of their own: see pool.case.ts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { CONTAINED, TRANSACTIONS } from "../sandbox/hostileGuests.ts";

// biome-ignore lint/suspicious/noExplicitAny: what the cases print
let cases: Record<string, any>;
beforeAll(async () => {
  const file = fileURLToPath(new URL("./pool.case.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file], { stdio: ["ignore", "pipe", "inherit"] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`${file} ended with exit code ${code}`);
  cases = JSON.parse(printed);
}, 180_000);

const countOf = (rule: string, matches: number, version = 1) => ({
  rule,
  version,
  evaluations: TRANSACTIONS,
  matches,
  traps: 0,
  fuel: expect.any(Number),
  skipped: 0,
  added: 0,
  dropped: 0,
});
const HUNG = expect.stringMatching(/^its thread did not answer within \d+ ms$/);

describe("a thread that hangs is ended, and its batch", () => {
  it("runs again", () => {
    const { alerts, counts, deaths, guilty } = cases.once;
    expect(counts).toEqual([countOf("honest-0", TRANSACTIONS), countOf("honest-1", TRANSACTIONS)]);
    expect(alerts).toBe(2 * TRANSACTIONS);
    expect(deaths).toEqual([HUNG]);
    expect(guilty).toEqual([]);
  });

  it("runs without the rule that is found guilty among the innocent: by its policy, its transactions are failures", () => {
    const { transactions, alerts, counts, deaths, guilty, deadLetterReasons, halt } = cases.guilty;
    const innocent = (n: number, version = 1) =>
      Array.from({ length: n }, (_, i) => countOf(`honest-${i}`, TRANSACTIONS, version));
    expect(guilty).toEqual([{ rule: "hangs", version: 1, reason: HUNG }]);
    const found = { ...countOf("hangs", 0), traps: TRANSACTIONS, fuel: 0 };
    expect(counts).toEqual([...innocent(14), found, ...innocent(3, 2)]);
    expect(transactions).toBe(TRANSACTIONS);
    expect(alerts).toBe(17 * TRANSACTIONS);
    expect(deadLetterReasons).toEqual({ rule_thread_lost: TRANSACTIONS });
    expect(halt).toMatch(
      /^Cannot go on at case\/0 at offset 0: the rule "hangs" failed and its policy is halt: Cannot run the rule: its thread did not answer/,
    );
    expect(deaths).toEqual([HUNG, HUNG, HUNG, HUNG]); // twice whole, once among 2 of 18, once alone
  });

  it("ends in an error when no rule is to blame", () => {
    const { error, guilty } = cases.broken;
    expect(error).toMatch(/^Cannot process the batch case\/0 from 0 to 8: its thread ended: /);
    expect(guilty).toEqual([]);
  });
});

it("hostile rules in a worker change nothing for those beside them, nor for the main thread", () => {
  const { counts, alerts, busy, idle, ratio, took, deaths } = cases.lag;
  expect(counts.at(0)).toEqual(countOf("before", TRANSACTIONS));
  expect(counts.at(-1)).toEqual(countOf("behind", TRANSACTIONS));
  const hostile = CONTAINED.map((guest, n) => ({
    ...countOf(`hostile-${n}`, guest.alerts.length),
    traps: Object.keys(guest.failures).length,
  }));
  expect(counts.slice(1, -1)).toEqual(hostile);
  expect(alerts).toBe(hostile.reduce((sum, { matches }) => sum + matches, 2 * TRANSACTIONS));
  expect(deaths).toEqual([]);
  const ms = (delay: { p99: number; max: number }) => `p99 ${delay.p99.toFixed(1)} ms, max ${delay.max.toFixed(1)} ms`;
  console.log(
    `Main thread's lag in ${took.toFixed(0)} ms of hostile batches: ${ms(busy)}; idle beside it: ${ms(idle)}; ratio of p99 ${ratio.toFixed(2)}`,
  );
});
