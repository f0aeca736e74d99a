import { describe, expect, test } from "vitest";
import { isRefusal, MAX_SOLANA_BYTES, readSolanaRecord } from "./record.ts";
import { RECORD, SIGNATURE } from "./testing/records.ts";

const read = (value: unknown) => readSolanaRecord(Buffer.from(JSON.stringify(value)));
const MS = Date.UTC(2024, 0, 15, 10, 30, 0, 123);

describe("a record of an arbitrage on Solana", () => {
  test("is read as seed 003 has it", () => {
    expect(read(RECORD)).toEqual({
      signature: SIGNATURE,
      blockTime: MS,
      slot: 241_893_457,
      revenue: 32_500_000n,
      netProfit: 31_000_005n,
    });
  });

  test.each([
    ["2024-01-15T10:30:00.123Z", MS],
    ["2024-01-15T12:30:00.123+02:00", MS],
    ["2024-01-15 10:30:00.123", MS],
    ["2024-01-15T10:30:00", MS - 123],
    [1_705_314_600, MS - 123],
    [1_705_314_600.123, MS],
  ])("has a time: %s", (block_time, ms) => expect(read({ ...RECORD, block_time })).toMatchObject({ blockTime: ms }));

  test.each([
    ["-0.000000001", -1n],
    ["999999999.999999999", 999_999_999_999_999_999n],
    ["-0.5", -500_000_000n],
    [0, 0n],
    [1e-9, 1n],
    [0.1 + 0.2, 300_000_000n],
    [-12.25, -12_250_000_000n],
  ])("has an amount: %s SOL", (revenue_sol, revenue) => expect(read({ ...RECORD, revenue_sol })).toMatchObject({ revenue })); // biome-ignore format: one line

  test("need not say what was left, may write its slot as text, and may say more", () => {
    const { net_profit_sol: _, ...rest } = RECORD;
    expect(read({ ...rest, slot: "241893457", dex: "raydium", hops: [1, 2] })).toMatchObject({
      netProfit: null,
      slot: 241_893_457,
    });
  });

  test.each([
    ["tx_signature", undefined, "tx_signature: Expected text"],
    ["tx_signature", SIGNATURE.slice(3), "tx_signature: Expected base58 of 64 bytes"],
    ["tx_signature", `${SIGNATURE.slice(0, -1)}0`, "tx_signature: Expected base58 of 64 bytes"],
    ["tx_signature", "1".repeat(65), "tx_signature: Expected base58 of 64 bytes"],
    ["tx_signature", "z".repeat(88), "tx_signature: Expected base58 of 64 bytes"],
    ["block_time", "yesterday", "block_time: Expected a time from 2020-03-16"],
    ["block_time", "2024-13-45T10:30:00Z", "block_time: Expected a time"],
    ["block_time", MS, "block_time: Expected a time"],
    ["block_time", 0, "block_time: Expected a time"],
    ["slot", -1, "slot: Expected an integer from 0"],
    ["slot", 1.5, "slot: Expected an integer"],
    ["slot", "9".repeat(16), "slot: Expected an integer"],
    ["slot", null, "slot: Expected an integer"],
    ["revenue_sol", 1e9, "revenue_sol: Expected SOL between"],
    ["revenue_sol", "0.0000000001", "revenue_sol: Expected SOL between"],
    ["revenue_sol", "1e3", "revenue_sol: Expected SOL between"],
    ["revenue_sol", true, "revenue_sol: Expected SOL between"],
    ["net_profit_sol", "much", "net_profit_sol: Expected SOL between"],
  ])("with %s %s is refused", (member, value, detail) => {
    const refused = read({ ...RECORD, [member]: value });
    expect(refused).toMatchObject({ reason: "solana_invalid", detail: expect.stringContaining(detail) });
  });

  test("names everything that is wrong with it", () => {
    const refused = read({ slot: -1 });
    expect(refused && isRefusal(refused) && refused.detail.match(/\w+(?=: Expected)/g)).toEqual(["tx_signature", "block_time", "slot", "revenue_sol"]); // biome-ignore format: one line
  });

  test.each([
    [null, "solana_not_json"],
    [Buffer.from(""), "solana_not_json"],
    [Buffer.from("{"), "solana_not_json"],
    [Buffer.from([0xff, 0xfe]), "solana_not_json"],
    [Buffer.from("null"), "solana_invalid"],
    [Buffer.from("[1]"), "solana_invalid"],
    [Buffer.from(JSON.stringify({ ...RECORD, note: "x".repeat(MAX_SOLANA_BYTES) })), "solana_too_large"],
  ])("that is %s is refused as %s", (value, reason) => expect(readSolanaRecord(value)).toMatchObject({ reason }));

  test("may be one of ours: those are none of Solana's, whatever their size", () => {
    expect(read({ kind: "arbitrage", definition: "cycle", chain_id: 1, tx_hash: "0x" })).toBeUndefined();
    expect(read({ kind: "block", status: "retracted", chain_id: 1 })).toBeUndefined();
    expect(read({ kind: "arbitrage", chain_id: 1, note: "x".repeat(MAX_SOLANA_BYTES) })).toBeUndefined();
    expect(read({ ...RECORD, kind: "arbitrage" })).toMatchObject({ signature: SIGNATURE });
  });
});
