import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TransactionRecord } from "../frame/writeFrame.ts";
import { createDetector } from "./detect.ts";
import type { Finding } from "./finding.ts";
import { findingJson } from "./findingJson.ts";
import { builtInRegistry } from "./registry/registry.ts";
import type { Address } from "./swap.ts";
import { type Log, transactionOf } from "./testing/fixtures.ts";
import { viewsOf } from "./testing/views.ts";
import { TRANSFER_EVENTS } from "./transfers.ts";

const address = (byte: string): Address => `0x${byte.repeat(20)}`;
const [TOKEN, WETH] = [address("11"), "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"];
const [BOT, ALICE, POOL, OTHER] = ["b0", "a1", "70", "71"].map(address) as [Address, Address, Address, Address];
const SWAP = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822";

const word = (value: bigint | string): string =>
  typeof value === "bigint" ? value.toString(16).padStart(64, "0") : value.slice(2).padStart(64, "0");
type Raw = Omit<Log, "logIndex">;
const log = (contract: Address, topics: string[], data: bigint[]): Raw => ({
  address: contract,
  topics: topics.map((topic) => `0x${word(topic)}`),
  data: `0x${data.map(word).join("")}`,
});

/** What a pair of TOKEN (its token 0) and WETH logs of a swap by an account. */
function trade(pool: Address, account: Address, buys: "TOKEN" | "WETH", amountIn: bigint, amountOut: bigint): Raw[] {
  const [tokenIn, tokenOut] = buys === "TOKEN" ? [WETH, TOKEN] : [TOKEN, WETH];
  const amounts = buys === "TOKEN" ? [0n, amountIn, amountOut, 0n] : [amountIn, 0n, 0n, amountOut];
  const transfer = TRANSFER_EVENTS[0].topic0;
  return [
    log(tokenIn, [transfer, account, pool], [amountIn]),
    log(tokenOut, [transfer, pool, account], [amountOut]),
    log(pool, [SWAP, account, account], amounts),
  ];
}

/** A block's transactions: who sent them, what they logged, whether they reverted. */
function blockOf(...transactions: { from: Address; logs?: Raw[]; reverted?: boolean; to?: Address }[]) {
  let next = 0;
  return transactions.map(({ from, logs = [], reverted = false, to }, i): TransactionRecord => {
    const placed = logs.map((each) => ({ ...each, logIndex: `0x${(next++).toString(16)}` }));
    return transactionOf(placed, {
      from,
      ...(to && { to }),
      hash: `0x${(i + 1).toString(16).padStart(64, "0")}`,
      transactionIndex: `0x${i.toString(16)}`,
      blockHash: `0x${"bb".repeat(32)}`,
      receipt: { status: reverted ? "0x0" : "0x1", gasUsed: "0x1", effectiveGasPrice: "0x1", logs: placed },
    });
  });
}
const detect = createDetector({ registry: builtInRegistry });
function found(records: readonly TransactionRecord[], detector = detect): Finding[] {
  return viewsOf(records).flatMap((view) => detector(view));
}
const of = (findings: readonly Finding[], kind: Finding["kind"]) => findings.filter((finding) => finding.kind === kind);

const arbitrage = [...trade(POOL, BOT, "TOKEN", 1_000n, 500n), ...trade(OTHER, BOT, "WETH", 500n, 1_100n)];

describe("createDetector()", () => {
  it("orders findings by transaction and log", () => {
    const findings = found(
      blockOf({ from: ALICE, logs: trade(POOL, ALICE, "TOKEN", 9n, 5n) }, { from: BOT, logs: arbitrage }),
    );
    expect(findings.map(({ kind, transaction, logIndex }) => `${transaction} ${logIndex} ${kind}`)).toEqual([
      "0 2 swap",
      "1 5 swap",
      "1 5 arbitrage",
      "1 8 swap",
    ]);
  });

  it("finds failed attempts of accounts that it saw searching, or knows, and of nobody else", () => {
    const failed = (from: Address, to?: Address) => ({ from, reverted: true, ...(to && { to }) });
    const block = blockOf(
      { from: ALICE, logs: arbitrage },
      failed(ALICE),
      failed(address("e0"), BOT),
      failed(address("e1")),
    );
    expect(of(found(block), "attempt")).toMatchObject([
      {
        transaction: 2,
        searcher: BOT,
        reason: "reverted; its recipient made an arbitrage in this block",
        logIndex: -1,
      },
    ]);
    const knowing = createDetector({ registry: builtInRegistry, searchers: new Set([address("e1")]) });
    expect(of(found(block, knowing), "attempt")).toMatchObject([
      { searcher: BOT },
      { transaction: 3, searcher: address("e1"), reason: "reverted; its sender is known to search" },
    ]);
  });

  it("takes an arbitrage that is a sandwich's leg for one of low confidence", () => {
    const front = [...trade(OTHER, BOT, "TOKEN", 1_000n, 500n), ...trade(POOL, BOT, "WETH", 500n, 900n)];
    const back = [...trade(POOL, BOT, "TOKEN", 900n, 540n), ...trade(OTHER, BOT, "WETH", 540n, 1_050n)];
    const findings = found(
      blockOf(
        { from: BOT, logs: front },
        { from: ALICE, logs: trade(POOL, ALICE, "WETH", 100n, 150n) },
        { from: BOT, logs: back },
      ),
    );
    expect(of(findings, "sandwich")).toMatchObject([{ pool: POOL, confidence: "high" }]);
    expect(of(findings, "arbitrage")).toMatchObject([
      { transaction: 0, confidence: "low", profitAmount: -100n },
      { transaction: 2, confidence: "low", profitAmount: 150n },
    ]);
  });

  it("takes two arbitrages that pay, around somebody's swap, for no sandwich to be sure of", () => {
    const back = [...trade(POOL, BOT, "WETH", 500n, 1_000n), ...trade(OTHER, BOT, "TOKEN", 1_000n, 510n)];
    const findings = found(
      blockOf(
        { from: BOT, logs: arbitrage },
        { from: ALICE, logs: trade(POOL, ALICE, "TOKEN", 100n, 40n) },
        { from: BOT, logs: back },
      ),
    );
    expect(of(findings, "sandwich")).toMatchObject([{ pool: POOL, confidence: "low" }]);
    expect(of(findings, "arbitrage")).toMatchObject([{ confidence: "high" }, { confidence: "high" }]);
  });

  it("says nothing of pending and of reverted transactions", () => {
    expect(found(blockOf({ from: BOT, logs: arbitrage, reverted: true }))).toEqual([]);
    const [record] = blockOf({ from: BOT, logs: arbitrage });
    expect(found([{ ...record!, blockNumber: null, blockHash: null }])).toEqual([]);
  });

  it("neither throws nor doubts itself, whatever logs say", () => {
    const base = [...arbitrage, ...trade(POOL, ALICE, "TOKEN", 100n, 40n), ...trade(POOL, BOT, "WETH", 500n, 1_050n)];
    const max = 2n ** 256n - 1n;
    const change = fc.record({
      log: fc.nat(base.length - 1),
      word: fc.nat(4),
      value: fc.oneof(fc.constantFrom(0n, 1n, max, 2n ** 255n), fc.bigInt(0n, max)),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(base.length), (changes, split) => {
        const logs = base.map((each) => ({ ...each }));
        for (const { log: at, word: which, value, cut } of changes) {
          const words = logs[at]!.data.slice(2).match(/.{64}/g) ?? [];
          if (which < words.length) words[which] = word(value);
          logs[at]!.data = `0x${(cut ? words.slice(1) : words).join("")}`;
        }
        const records = blockOf({ from: BOT, logs: logs.slice(0, split) }, { from: ALICE, logs: logs.slice(split) });
        const lines = () =>
          viewsOf(records).flatMap((view) => detect(view).map((finding) => findingJson(view, finding)));
        const first = lines();
        expect(new Set(first).size).toBe(first.length);
        expect(lines()).toEqual(first);
      }),
      { numRuns: 100 },
    );
  });
});
