import { readFileSync } from "node:fs";
import { toEventSelector } from "viem";
import { describe, expect, it } from "vitest";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { writeFrame } from "../../frame/writeFrame.ts";
import type { BlockView } from "../blockView.ts";
import { NATIVE } from "../swap.ts";
import { type Log, transactionOf } from "../testing/fixtures.ts";
import { TRANSFER_EVENTS } from "../transfers.ts";
import { findLiquidations, LENDERS } from "./liquidations.ts";

/** A real log, and what it says. */
interface Fixture {
  readonly protocol: string;
  readonly version?: string;
  readonly transaction: string;
  readonly source: string;
  readonly log: Omit<Log, "logIndex">;
  readonly liquidation: Readonly<
    Record<"liquidator" | "user" | "debtToken" | "debtAmount" | "collateralToken" | "collateralAmount", string>
  >;
}
const fixtures = JSON.parse(
  readFileSync(new URL("lenders/fixtures.json", import.meta.url), "utf8"),
) as readonly Fixture[];

const word = (value: string | bigint): string =>
  typeof value === "bigint" ? value.toString(16).padStart(64, "0") : value.slice(2).padStart(64, "0");
const transfer = (token: string, from: string, to: string, amount: bigint): Omit<Log, "logIndex"> => ({
  address: token,
  topics: [TRANSFER_EVENTS[0].topic0, `0x${word(from)}`, `0x${word(to)}`],
  data: `0x${word(amount)}`,
});

function viewOf(logs: readonly Omit<Log, "logIndex">[], status = "0x1"): BlockView {
  const writer = createFrameWriter();
  const placed = logs.map((log, i) => ({ ...log, logIndex: `0x${i.toString(16)}` }));
  writeFrame(writer, transactionOf(placed, { receipt: { status, logs: placed } }));
  return { bytes: writer.bytes, u32: writer.u32, chainId: 1, blockNumber: 1, frames: [0], complete: true };
}
const found = (logs: readonly Omit<Log, "logIndex">[]) =>
  findLiquidations(viewOf(logs), undefined).map(({ debtAmount, collateralAmount, ...rest }) => ({
    ...rest,
    debtAmount: `${debtAmount}`,
    collateralAmount: `${collateralAmount}`,
  }));

/** What is paid and got besides the log; the native coin leaves none. */
function transfersOf({ log, liquidation }: Fixture): Omit<Log, "logIndex">[] {
  const { liquidator, user, debtToken, debtAmount, collateralToken, collateralAmount } = liquidation;
  const source = log.topics.length === 1 ? user! : log.address; // Compound moves the user's own cTokens
  return [
    transfer(debtToken!, liquidator!, log.address, BigInt(debtAmount!)),
    transfer(collateralToken!, source, liquidator!, BigInt(collateralAmount!)),
  ].filter(({ address }) => address !== NATIVE);
}

describe("findLiquidations()", () => {
  it.each(fixtures.map((fixture) => [`${fixture.protocol} ${fixture.version ?? ""} ${fixture.transaction}`, fixture]))(
    "reads the log of %s",
    (_, fixture) => {
      const { protocol, log, liquidation } = fixture as Fixture;
      expect(found([...transfersOf(fixture as Fixture), log])).toMatchObject([
        { protocol, pool: log.address, ...liquidation, confidence: "high" },
      ]);
    },
  );

  it("knows the event of each lender by its signature, and has a real log of each that it calls proven", () => {
    for (const { signature, topic0 } of LENDERS) expect(toEventSelector(signature)).toBe(topic0);
    const proven = LENDERS.filter((lender) => lender.proven).map(({ topic0 }) => topic0);
    expect(new Set(fixtures.map(({ log }) => log.topics[0]))).toEqual(new Set(proven));
  });

  it.each(fixtures.map((fixture) => [fixture.protocol, fixture]))(
    "is not sure of what no transfer bears out, as of a liar's log: %s",
    (_, fixture) => {
      for (const { confidence } of found([(fixture as Fixture).log])) expect(confidence).toBe("low");
    },
  );

  it("takes aTokens for the collateral where the liquidator asked for them", () => {
    const { log, liquidation } = fixtures.find(({ version }) => version === "V2")!;
    const aToken = "0x00000000000000000000000000000000000000a7";
    const asATokens = { ...log, data: `${log.data.slice(0, -1)}1` };
    const { user, liquidator, collateralAmount, debtToken, debtAmount } = liquidation;
    const paid = transfer(debtToken, liquidator, log.address, BigInt(debtAmount));
    const got = transfer(aToken, user, liquidator, BigInt(collateralAmount));
    expect(found([paid, got, asATokens])).toMatchObject([{ collateralToken: aToken, confidence: "high" }]);
  });

  it("counts of Compound what the liquidator got of what was seized", () => {
    const fixture = fixtures.find(({ protocol }) => protocol === "compound_v2")!;
    const { log, liquidation } = fixture;
    const share = transfer(liquidation.collateralToken, liquidation.user, liquidation.liquidator, 5_000_000n);
    expect(found([share, log])).toMatchObject([{ collateralAmount: "5000000", debtToken: NATIVE, confidence: "high" }]);
  });

  it("splits an absorbed account of Compound V3 by the collaterals' value", () => {
    const [comet, absorber, user] = ["0xc3d688b66703497daa19211eedff47f25384cdc3", `0x${"ab".repeat(20)}`, `0x${"cd".repeat(20)}`] as const; // biome-ignore format: names
    const topics = (topic0: string, ...rest: string[]) => [topic0, ...rest.map((text) => `0x${word(text)}`)];
    const absorbed = (asset: string, amount: bigint, usd: bigint) => ({
      address: comet,
      topics: topics(
        toEventSelector("AbsorbCollateral(address,address,address,uint256,uint256)"),
        absorber,
        user,
        asset,
      ),
      data: `0x${word(amount)}${word(usd)}`,
    });
    const [weth, wbtc] = [`0x${"01".repeat(20)}`, `0x${"02".repeat(20)}`];
    const debt = {
      address: comet,
      topics: topics(toEventSelector("AbsorbDebt(address,address,uint256,uint256)"), absorber, user),
      data: `0x${word(1000n)}${word(1000n)}`,
    };
    expect(found([absorbed(weth, 7n, 300n), absorbed(wbtc, 9n, 700n), debt])).toMatchObject([
      { collateralToken: weth, collateralAmount: "7", debtAmount: "300", confidence: "low" },
      { collateralToken: wbtc, collateralAmount: "9", debtAmount: "700" },
    ]);
  });

  it("says nothing of what reverted, nor of logs that only look alike", () => {
    const { log } = fixtures[0]!;
    expect(findLiquidations(viewOf([log], "0x0"), undefined)).toEqual([]);
    expect(found([{ ...log, data: log.data.slice(0, -64) }])).toEqual([]);
    expect(found([{ ...log, topics: log.topics.slice(0, 3) }])).toEqual([]);
    expect(found([{ ...log, topics: [log.topics[0]!, `0x${"ff".repeat(32)}`, ...log.topics.slice(2)] }])).toEqual([]);
  });

  it("looks at 5,000 of them in one transaction", () => {
    const { log } = fixtures[1]!;
    expect(found(Array.from({ length: 5_000 }, () => log))).toHaveLength(5_000);
  });
});
