import { describe, expect, it } from "vitest";
import type { TransactionRecord } from "../../frame/writeFrame.ts";
import type { ArbitrageFinding } from "../finding.ts";
import { type Address, NATIVE } from "../swap.ts";
import { transactionOf } from "../testing/fixtures.ts";
import { viewsOf } from "../testing/views.ts";
import { TRANSFER_EVENTS } from "../transfers.ts";
import { findCycles } from "./cycles.ts";
import { profitOf } from "./profit.ts";
import { swap } from "./testing/swaps.ts";
import { tracedValueTo } from "./trace.ts";

const [BOT, BUILDER, WETH, TOKEN] = ["b0", "c0", "ed", "77"].map((byte) => `0x${byte.repeat(20)}`) as [Address, Address, Address, Address]; // biome-ignore format: names

/** A transaction that used 100 gas at 7 wei, in a block whose fee recipient is BUILDER. */
function viewOf(given: object = {}, receipt: object = {}, logs: Parameters<typeof transactionOf>[0] = []) {
  const record = transactionOf(logs, {
    from: BOT,
    block: { miner: BUILDER },
    receipt: { status: "0x1", gasUsed: "0x64", effectiveGasPrice: "0x7", logs, ...receipt },
    ...given,
  } as Partial<TransactionRecord>);
  return viewsOf([record])[0]!;
}
const arbitrage = (token: Address): ArbitrageFinding =>
  findCycles([
    swap(`${token} 10000 -> 0xb 5`, "p", BOT, { logIndex: 0 }),
    swap(`0xb 5 -> ${token} 15000`, "q", BOT, { logIndex: 1 }),
  ])[0]!;
/** 2 USD a unit of the native coin, 1 USD one of TOKEN. */
const prices = (token: Address): number | undefined => ({ [NATIVE]: 2, [WETH]: 2, [TOKEN]: 1 })[token];
const profit = (view: ReturnType<typeof viewOf>, token = WETH, of = prices) =>
  profitOf(arbitrage(token), { view, prices: of, wrapped: WETH });

describe("profitOf()", () => {
  it("takes gas off the gross profit", () => {
    expect(profit(viewOf())).toEqual({
      gasCost: 700n,
      feeRecipientPayment: 0n,
      paymentsComplete: false,
      net: 4300n,
      roiPercent: 43,
      gasUsd: 1_400,
      grossUsd: 10_000,
      netUsd: 8_600,
    });
  });

  it("turns a profit in another token into the native coin by the block's prices, and leaves it open without", () => {
    expect(profit(viewOf(), TOKEN)).toMatchObject({
      net: 2500n - 700n,
      roiPercent: 36,
      grossUsd: 5_000,
      netUsd: 3_600,
    });
    const unknown = { gasCost: 700n, net: null, roiPercent: null, grossUsd: null, netUsd: null };
    expect(profit(viewOf(), "0xunknown")).toMatchObject(unknown);
    expect(profit(viewOf(), WETH, () => undefined)).toMatchObject({ net: 4300n, grossUsd: null, netUsd: null });
  });

  it("says that it is unknown where a price is out of all proportion", () => {
    const absurd = profit(viewOf(), TOKEN, (token) => (token === TOKEN ? 1e308 : 1e-300));
    expect(absurd).toMatchObject({ net: null, roiPercent: null, grossUsd: null, netUsd: null });
  });

  it("says that net is unknown where gas is", () => {
    expect(profit(viewOf({}, { gasUsed: null }))).toMatchObject({
      gasCost: null,
      gasUsd: null,
      net: null,
      netUsd: null,
      grossUsd: 10_000,
    });
  });

  it("counts what the fee recipient got: value, wrapped coin, and with a trace what contracts sent", () => {
    const word = (hex: string): string => `0x${hex.slice(2).padStart(64, "0")}`;
    const logs = [
      {
        address: WETH,
        topics: [TRANSFER_EVENTS[0].topic0, word(BOT), word(BUILDER)],
        data: word("0x64"),
        logIndex: "0x0",
      },
      {
        address: TOKEN,
        topics: [TRANSFER_EVENTS[0].topic0, word(BOT), word(BUILDER)],
        data: word("0x64"),
        logIndex: "0x1",
      },
    ];
    const paid = { feeRecipientPayment: 100n + 16n, net: 5000n - 700n - 116n, paymentsComplete: false };
    expect(profit(viewOf({ to: BUILDER, value: "0x10" }, {}, logs))).toMatchObject(paid);
    const trace = { type: "CALL", to: BOT, value: "0x0", calls: [{ type: "CALL", to: BUILDER, value: "0x3e8" }] };
    expect(profit(viewOf({ trace }))).toMatchObject({ feeRecipientPayment: 1000n, net: 3300n, paymentsComplete: true });
    expect(profit(viewOf({ block: {} }))).toMatchObject({
      feeRecipientPayment: null,
      net: 4300n,
      paymentsComplete: false,
    });
  });

  it("speaks of no profit where a router trade ends in another token", () => {
    const finding = { ...arbitrage(WETH), definition: "router" as const, profitAmount: null };
    expect(profitOf(finding, { view: viewOf(), prices, wrapped: WETH })).toBeUndefined();
  });
});

describe("tracedValueTo()", () => {
  const traced = (trace: unknown) => tracedValueTo(viewOf({ trace }), 0, BUILDER);
  const call = (value: string, more: object = {}) => ({
    type: "CALL",
    to: BUILDER.toUpperCase().replace("X", "x"),
    value,
    ...more,
  });

  it("adds up calls at any depth, but not what failed, nor what moves nothing", () => {
    const calls = [
      call("0x1"),
      { type: "DELEGATECALL", to: BUILDER, value: "0x100" },
      { type: "CALL", to: BOT, value: "0x0", calls: [call("0x2"), { ...call("0x40"), error: "out of gas" }] },
      { type: "CALL", to: BOT, value: "0x0", error: "execution reverted", calls: [call("0x80")] },
    ];
    expect(traced({ ...call("0x200"), calls })).toBe(3n);
    expect(traced({ ...call("0x0"), calls, error: "execution reverted" })).toBe(0n);
  });

  it.each([[undefined], [null], ["text"], [{ calls: [] }], [7]])("makes nothing of %j", (trace) => {
    expect(traced(trace)).toBeUndefined();
  });
});
