/**
 * What strangers' receipts may hold, through all of detection: nothing throws, nothing is found that did not happen, and the work is bounded, which
 * is counted in code that ran and not in time.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createDetector } from "./detect.ts";
import type { Finding } from "./finding.ts";
import { findPoolImbalances } from "./opportunity/poolImbalances.ts";
import { builtInRegistry } from "./registry/registry.ts";
import { transactionOf } from "./testing/fixtures.ts";
import { FEW, floods, LIQUIDATIONS, type Logs, trade } from "./testing/floods.ts";
import * as l from "./testing/logs.ts";
import { viewsOf } from "./testing/views.ts";

const detect = createDetector({ registry: builtInRegistry });
const chain = builtInRegistry.chains.get(1)!;
const { WETH, named } = l;
const [A, B, POOL, OTHER, BOT, ALICE] = ["alpha", "beta", "pool", "other", "bot", "alice"].map(named) as [string, string, string, string, string, string]; // biome-ignore format: one line
const HUGE = [2n ** 255n, 2n ** 255n + 7n, 2n ** 256n - 1n];

const arbitrage = [...trade(POOL, BOT, "A", 1_000n, 500n), ...trade(OTHER, BOT, "WETH", 500n, 1_100n)];
/** Of each: whose, in which order of one block. */
const sandwich: [string, Logs][] = [
  [BOT, trade(POOL, BOT, "A", 1_000n, 500n)],
  [ALICE, trade(POOL, ALICE, "A", 900n, 300n)],
  [BOT, trade(POOL, BOT, "WETH", 500n, 1_200n)],
];

function blockOf(transactions: readonly [from: string, logs: Logs][], status = "0x1") {
  let next = 0;
  const [view] = viewsOf(
    transactions.map(([from, logs], i) => {
      const placed = logs.map((log) => ({ ...log, logIndex: `0x${(next++).toString(16)}` }));
      return transactionOf(placed, {
        ...{ from, hash: `0x${l.word(i + 1)}`, transactionIndex: `0x${i.toString(16)}`, blockHash: `0x${"bb".repeat(32)}` },
        receipt: { status, gasUsed: "0x5208", effectiveGasPrice: "0x1", logs: placed },
      }); // biome-ignore format: parts of a transaction
    }),
  );
  return view!;
}
const found = (logs: Logs): Finding[] => detect(blockOf([[BOT, logs]]));
const brief = (findings: readonly Finding[]) =>
  findings.map((finding) => {
    const { kind, pool, tokenIn, amountIn, tokenOut, amountOut } = finding as Extract<Finding, { kind: "swap" }>;
    return [kind, pool, tokenIn, amountIn, tokenOut, amountOut].join(" ");
  });

const asText = (findings: readonly Finding[]): string =>
  JSON.stringify(findings, (_, value) => (typeof value === "bigint" ? String(value) : value));

test("malformed logs: cut, lengthened, with more or fewer topics, they say nothing, and those around them what they did before", () => {
  const honest = [...arbitrage, l.sync(POOL, 9_000, 9_000)];
  const all = new Set(brief(found(honest)));
  expect(all.size).toBe(3);
  const changes: ((log: Logs[number]) => Logs[number])[] = [
    (log) => ({ ...log, data: log.data.slice(0, -2) }),
    (log) => ({ ...log, data: log.data.slice(0, -64) }),
    (log) => ({ ...log, data: "0x" }),
    (log) => ({ ...log, data: `${log.data}${l.word(1)}` }),
    (log) => ({ ...log, topics: log.topics.slice(0, -1) }),
    (log) => ({ ...log, topics: [...log.topics, `0x${l.word(1)}`] }),
    (log) => ({ ...log, topics: [] }),
    (log) => ({ ...log, topics: log.topics.map((topic, i) => (i > 0 ? `0x${"ff".repeat(32)}` : topic)) }),
  ];
  for (const at of honest.keys())
    for (const [kind, change] of changes.entries()) {
      const findings = brief(found(honest.map((log, i) => (i === at ? change(log) : log))));
      for (const finding of findings) expect(all, `log ${at}, change ${kind}`).toContain(finding);
      if (at === 2 || at === 5) expect(findings.filter((finding) => finding.startsWith("arb"))).toEqual([]);
    }
});

test("zero-liquidity pools: what was swapped was swapped, but it has no price, no loss and no opportunity", () => {
  const empty: [string, (pool: string) => Logs][] = [
    ["nothing", (pool) => [l.sync(pool, 0, 0)]],
    ["nothing of one", (pool) => [l.sync(pool, 0, 10n ** 30n)]],
    ["nothing of the other", (pool) => [l.sync(pool, 10n ** 30n, 0)]],
  ];
  for (const [name, standing] of empty) {
    const view = blockOf(sandwich.map(([from, logs]) => [from, [...standing(POOL), ...logs]]));
    const findings = detect(view);
    const [one, ...others] = findings.flatMap((finding) => (finding.kind === "sandwich" ? [finding] : []));
    expect(others, name).toEqual([]);
    expect(
      one!.victimLosses.map(({ amount }) => amount),
      name,
    ).toEqual([null]);
    const swaps = findings.flatMap((finding) => (finding.kind === "swap" ? [finding] : []));
    expect(swaps, name).toHaveLength(3);
    expect(findPoolImbalances(view, swaps, chain), name).toEqual([]);
  }
  // Concentrated liquidity that is none: a price of 0, and liquidity of 0 beside a price.
  for (const [price, liquidity] of [
    [0, 10n ** 20n],
    [2n ** 96n, 0],
    [0, 0],
  ] as const) {
    const swap = l.log(POOL, ["0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67", BOT, BOT], [-500, 1_000, price, liquidity, 0]); // biome-ignore format: a log
    const logs = [l.transfer(A, POOL, BOT, 500), l.transfer(WETH, BOT, POOL, 1_000), swap];
    const findings = found([...logs, ...trade(OTHER, BOT, "WETH", 500n, 1_100n)]);
    for (const finding of findings) if (finding.kind === "arbitrage") expect(finding.profit!.net).toBe(100n - 21_000n); // wrapped coin needs no price
    expect(findings.map(({ kind }) => kind)).toEqual(["swap", "arbitrage", "swap"]);
  }
});

test("amounts of 2^255 and more are nobody's: no swap, no arbitrage, no liquidation, whichever word they stand in", () => {
  for (const huge of HUGE) {
    const asWord = l.word(huge);
    for (const [at, log] of arbitrage.entries())
      for (let word = 0; 2 + 64 * word < log.data.length; word++) {
        const data = log.data.slice(0, 2 + 64 * word) + asWord + log.data.slice(66 + 64 * word);
        const findings = found(arbitrage.map((one, i) => (i === at ? { ...log, data } : one)));
        expect(asText(findings)).not.toContain(String(huge));
        // What a pool says that it swapped counts, whatever a token's log says beside it; then it is not the most certain.
        if (log.address === POOL || log.address === OTHER) expect(findings.map(({ kind }) => kind)).toEqual(["swap"]);
        for (const finding of findings)
          if (finding.kind === "arbitrage")
            expect([finding.profitAmount, finding.confidence]).toEqual([100n, "medium"]);
      }
    for (const log of LIQUIDATIONS) {
      const words = (log.data.length - 2) / 64;
      const data = `0x${asWord.repeat(words)}`;
      expect(asText(found([{ ...log, data }]))).not.toContain(String(huge));
    }
  }
});

test("tokens that lie in Transfer: what they log moves nothing of other tokens, and what could be a lie is of low confidence", () => {
  // The pool says that it sold WETH; a token of the liar's says that it moved, WETH's contract says nothing.
  const lie = [
    l.transfer(A, BOT, POOL, 500),
    l.transfer(B, POOL, BOT, 1_000),
    l.swapV2(POOL, [500, 0], [0, 1_000], BOT),
  ];
  for (const finding of found(lie)) expect(JSON.stringify(brief([finding]))).not.toContain(WETH);
  // A liar's token shows the real one's amounts at the same pool: which of them it was cannot be told.
  const shadowed = [...arbitrage.slice(0, 2), l.transfer(B, POOL, BOT, 500), ...arbitrage.slice(2)];
  for (const finding of found(shadowed)) {
    if (finding.kind === "swap" && finding.pool === POOL) expect(finding.confidence).toBe("low");
    if (finding.kind === "arbitrage") expect(finding.confidence).not.toBe("high");
  }
  // Thousands of liars' transfers beside a real trade change nothing of it.
  const liars = Array.from({ length: 1_000 }, (_, i) => l.transfer(named(`z${i}`), ALICE, OTHER, i + 1));
  expect(brief(found([...liars, ...arbitrage]))).toEqual(brief(found(arbitrage)));
  // Without a swap's log a transfer is a transfer.
  expect(found(liars)).toEqual([]);
});

test("reverted with logs: nothing has happened, whatever a receipt says beside it", () => {
  expect(found([...arbitrage, ...LIQUIDATIONS]).length).toBeGreaterThan(3);
  expect(detect(blockOf([[BOT, [...arbitrage, ...LIQUIDATIONS]]], "0x0"))).toEqual([]);
  expect(detect(blockOf(sandwich, "0x0"))).toEqual([]);
});

describe("log floods: 20,000 in one transaction are looked at, with work in proportion to their number", () => {
  test.each(Object.keys(floods))("%s", (name) => {
    const findings = detect(l.floodOf(floods[name]!(20_000)));
    expect(findings.length > 0).toBe(!name.endsWith("alone"));
    for (const finding of findings)
      if (finding.kind === "swap") expect(finding.amountIn > 0n && finding.amountOut < 2n ** 255n).toBe(true);
  });

  test("8 times as many take some 8 times the work; were each compared with each, 64 times", async () => {
    const script = fileURLToPath(new URL("./testing/countFloods.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script]);
    const counted = JSON.parse(stdout) as Record<string, [few: number, many: number]>;
    expect(Object.keys(counted)).toEqual(Object.keys(floods));
    for (const [name, [few, many]] of Object.entries(counted)) {
      expect(few, name).toBeGreaterThan(FEW); // each log, at least
      expect(many / few, name).toBeLessThan(10);
    }
  });
});
