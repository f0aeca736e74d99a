import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { has, hexAt } from "../../frame/readFrame.ts";
import { OFFSET, OPTIONAL } from "../../frame/schema.ts";
import { transaction } from "../../frame/testing/records.ts";
import { validateFrame } from "../../frame/validateFrame.ts";
import { type TransactionRecord, writeFrame } from "../../frame/writeFrame.ts";
import type { Finding } from "../finding.ts";
import { RISK } from "../risk/factors.ts";
import { attachFacts } from "./attachFacts.ts";
import { factsOf, noFacts, type TransactionFacts } from "./factsOf.ts";
import { assemblyScript, GENERATED_FILE } from "./generate.ts";
import { factsAt, sectionReader } from "./readFacts.ts";
import {
  ENTRIES,
  FACT_FLAG,
  FACT_WIDTH,
  FACTS,
  FACTS_BIT,
  FACTS_HEADER,
  MAX_ENTRIES,
  SECTION_NAMES,
  SECTIONS,
} from "./schema.ts";
import { someFacts } from "./testing/someFacts.ts";

function written(records: readonly TransactionRecord[], capacity = 8) {
  const writer = createFrameWriter({ capacity, frames: 1 });
  for (const record of records) writeFrame(writer, record);
  return { bytes: writer.bytes, words: writer.u32, frames: writer.offsets, count: writer.count, end: writer.end };
}

describe("attachFacts()", () => {
  test("what is written is what is read, and the frames are as they were, whether there is room behind them or not", () => {
    const input = fc.array(fc.tuple(transaction, fc.option(someFacts)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(input, fc.boolean(), (all, isRoom) => {
        const batch = written(
          all.map(([record]) => record),
          isRoom ? 2 ** 18 : 8,
        );
        const before = batch.bytes.slice(0, batch.end);
        const facts = new Map(all.flatMap(([, own], i) => (own ? [[i, own] as const] : [])));
        const { bytes, words, shown } = attachFacts(batch, facts);
        expect(Buffer.compare(bytes.subarray(0, batch.end), before)).toBe(0);
        for (const [i, [, own]] of all.entries()) {
          if (own === null) {
            expect(shown[i]).toBe(batch.frames[i]);
            expect(factsAt(words, shown[i]! >> 2)).toBe(-1);
          } else {
            expect(readFacts(bytes, words, shown[i]!)).toEqual(own);
            expect(has({ bytes, u32: words }, batch.frames[i]!, FACTS_BIT)).toBe(false);
            const size = words[(batch.frames[i]! + OFFSET.size) >> 2]!;
            const copy = bytes.slice(shown[i]!, shown[i]! + size);
            const view = new DataView(copy.buffer);
            const facts = factsAt(words, shown[i]! >> 2);
            expect(view.getUint32(OFFSET.size, true)).toBe(size + words[facts + (FACTS.size >> 2)]!);
            view.setUint32(OFFSET.size, size, true);
            view.setUint32(OFFSET.present, view.getUint32(OFFSET.present, true) - FACTS_BIT, true);
            expect(Buffer.compare(copy, before.subarray(batch.frames[i], batch.frames[i]! + size))).toBe(0);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("a flood of swaps is counted, and listed up to a limit", () => {
    const [record] = fc.sample(transaction, { numRuns: 1, seed: 1 });
    const facts = noFacts();
    for (let i = 0; i < MAX_ENTRIES + 5; i++) facts.entries.swap.push({ confidence: "low", logIndex: i });
    const { words, shown } = attachFacts(written([record!]), new Map([[0, facts]]));
    const at = factsAt(words, shown[0]! >> 2);
    expect(words[at + (FACTS.swapCount >> 2)]).toBe(MAX_ENTRIES + 5);
    expect(sectionReader("swap").count(words, at)).toBe(MAX_ENTRIES);
    expect(words[at + (FACTS.size >> 2)]).toBe(FACTS_HEADER + MAX_ENTRIES * ENTRIES.swap.stride);
  });

  test("nobody sends facts: a packed frame that has the bit is refused", () => {
    const [record] = fc.sample(transaction, { numRuns: 1, seed: 1 });
    const { bytes, words, end } = written([record!]);
    expect(validateFrame({ bytes, u32: words }, 0, end)).toBe(end);
    words[OFFSET.present >> 2]! |= FACTS_BIT;
    expect(validateFrame({ bytes, u32: words }, 0, end)).toBe(-1);
    expect(2 ** OPTIONAL.length).toBeLessThanOrEqual(FACTS_BIT);
  });
});

function readFacts(bytes: Uint8Array, words: Uint32Array, frame: number): TransactionFacts {
  const at = factsAt(words, frame >> 2);
  const header = new DataView(bytes.buffer, bytes.byteOffset + at * 4);
  const bits = header.getUint32(FACTS.flags, true);
  const facts = noFacts();
  for (const [flag, bit] of Object.entries(FACT_FLAG)) if ((bits & bit) !== 0) facts.flags.add(flag as never);
  facts.risk = header.getUint32(FACTS.risk, true);
  expect(header.getUint32(FACTS.swapCount, true)).toBe(sectionReader("swap").count(words, at));
  for (const name of SECTION_NAMES) {
    const { count, first, step } = sectionReader(name);
    for (let e = 0; e < count(words, at); e++) {
      const entry = (first(words, at) + e * step(words, at)) * 4;
      const fields = ENTRIES[name].fields.map(({ name: field, type, offset, bit, choices }) => {
        const own = Buffer.from(bytes.slice(entry + offset, entry + offset + FACT_WIDTH[type]));
        if (bit !== 0 && (words[entry >> 2]! & bit) === 0) {
          expect(own.every((byte) => byte === 0)).toBe(true);
          return [field, undefined];
        }
        if (type === "u32") return [field, own.readUInt32LE()];
        if (type === "choice") return [field, choices![own.readUInt32LE() - 1]];
        if (type === "text") return [field, own.toString().replace(/\0+$/, "")];
        if (type === "u256") return [field, BigInt(`0x${own.reverse().toString("hex")}`)];
        return [field, hexAt({ bytes, u32: words }, entry + offset, FACT_WIDTH[type])];
      });
      facts.entries[name].push(Object.fromEntries(fields));
    }
  }
  return facts;
}

const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;

describe("factsOf()", () => {
  const judged = { transaction: 0, logIndex: 7, confidence: "high", reason: "", evidence: [] } as const;
  const of = (...findings: Finding[]): Map<number, TransactionFacts> =>
    factsOf([{ block: { numbers: [10, 11, 12, 13] }, findings }], new Uint32Array(14));

  test("a sandwich is a fact of all its transactions, each with its role, a victim's with its loss", () => {
    const pool = `0x${"ab".repeat(32)}`;
    const all = of({
      ...{ ...judged, kind: "sandwich", pool, protocol: "uniswap_v4", sandwicher: address(1), profitToken: address(2) },
      ...{ frontruns: [0], victims: [1, 2], backruns: [3], profitAmount: -5n },
      ...{ frontrunIn: 1n, frontrunOut: 1n, backrunIn: 1n, backrunOut: 1n },
      victimLosses: [
        { transaction: 1, token: address(3), amount: 9n },
        { transaction: 2, token: address(3), amount: null },
      ],
    });
    const common = {
      ...{ confidence: "high", protocol: "uniswap_v4", pool: `0x${"ab".repeat(20)}`, poolId: pool },
      ...{ sandwicher: address(1), token: address(2), profit: undefined },
    };
    expect([...all].map(([i, { entries }]) => [i, entries.sandwich])).toEqual([
      [10, [{ ...common, role: "frontrun" }]],
      [11, [{ ...common, role: "victim", lossToken: address(3), loss: 9n }]],
      [12, [{ ...common, role: "victim", lossToken: address(3), loss: undefined }]],
      [13, [{ ...common, role: "backrun" }]],
    ]);
    expect([...all.values()].every(({ flags }) => flags.has("sandwich") && flags.size === 1)).toBe(true);
  });

  test("an arbitrage by the seed's definition is a flag, not an arbitrage", () => {
    const arbitrage = {
      ...judged,
      kind: "arbitrage",
      ...{ account: address(1), profitToken: address(2), route: [] },
      ...{ startAmount: 10n, endAmount: 7n, profitAmount: -3n },
    } as const;
    const [routed] = of({ ...arbitrage, definition: "router" }).values();
    expect(routed).toEqual({ ...noFacts(), flags: new Set(["routerArbitrage"]) });
    const [lost] = of({ ...arbitrage, definition: "cycle" }).values();
    const amounts = { hops: 0, account: address(1), token: address(2), start: 10n, end: 7n, loss: 3n };
    expect(lost!.entries.arbitrage).toEqual([{ confidence: "high", logIndex: 7, ...amounts }]);
    expect(lost!.flags).toEqual(new Set(["arbitrage"]));
  });

  test("JIT liquidity is a fact of the swaps that it served, too, and a failed attempt is a flag", () => {
    const all = of(
      {
        ...{ ...judged, kind: "jit", pool: address(5), protocol: "uniswap_v3", provider: address(1), liquidity: 4n },
        ...{ mintTransaction: 0, swapTransactions: [1], burnTransaction: 2 },
      },
      { ...judged, kind: "attempt", transaction: 3, searcher: address(1) },
    );
    expect([...all].map(([i, { entries, flags }]) => [i, entries.jit[0]?.role, ...flags])).toEqual([
      [10, "mint", "jit"],
      [11, "swap", "jit"],
      [12, "burn", "jit"],
      [13, undefined, "failedAttempt"],
    ]);
  });
});

test("a transaction that is a risk has facts, too", () => {
  const risks = Uint32Array.of(
    0,
    RISK.unverified_selector,
    0,
    RISK.known_bad | RISK.proxy_change | RISK.fresh_contract,
  );
  expect([...factsOf([], risks)]).toEqual([
    [1, { ...noFacts(), risk: 5 }],
    [3, { ...noFacts(), risk: 100 }],
  ]);
});

test("rules-as/assembly/facts.ts is what the schema gives (else run `npm run frame:generate`)", () => {
  expect(readFileSync(GENERATED_FILE, "utf8")).toBe(assemblyScript());
});

test("facts v1 never move: modules that are built read them here", () => {
  expect(FACTS_HEADER).toBe(88);
  expect(Object.keys(SECTIONS)).toEqual(["swap", "arbitrage", "sandwich", "liquidation", "jit"]);
  const offsets = SECTION_NAMES.map((name) => [
    name,
    ENTRIES[name].stride,
    ENTRIES[name].fields
      .map(({ name: field, offset, bit }) => `${field} ${offset}${bit ? ` bit ${bit}` : ""}`)
      .join(", "),
  ]);
  expect(offsets).toMatchInlineSnapshot(`
    [
      [
        "swap",
        240,
        "confidence 4, logIndex 8, protocol 12, pool 44, poolId 64 bit 1, from 96, to 116, tokenIn 136, tokenOut 156, amountIn 176, amountOut 208",
      ],
      [
        "arbitrage",
        184,
        "confidence 4, logIndex 8, hops 12, account 16, token 36, start 56, end 88, profit 120 bit 1, loss 152 bit 2",
      ],
      [
        "sandwich",
        224,
        "confidence 4, role 8, protocol 12, pool 44, poolId 64 bit 1, sandwicher 96, token 116, lossToken 136 bit 2, profit 160 bit 4, loss 192 bit 8",
      ],
      [
        "liquidation",
        208,
        "confidence 4, logIndex 8, protocol 12, pool 44, liquidator 64, user 84, debtToken 104, collateralToken 124, debtAmount 144, collateralAmount 176",
      ],
      [
        "jit",
        152,
        "confidence 4, role 8, protocol 12, pool 44, poolId 64 bit 1, provider 96, liquidity 120",
      ],
    ]
  `);
});
