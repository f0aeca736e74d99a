import { expect, test } from "vitest";
import { createLog } from "../../ops/log.ts";
import { createPoolScanLog } from "./poolScanLog.ts";

const [ONE, EMPTY, NONE] = ["1", "2", "3"].map((digit) => `0x${digit.repeat(40)}`) as [string, string, string];
const pools = new Map([["WETH-OAK", ONE], ["WETH-PINE", EMPTY], ["none", NONE]]); // biome-ignore format: a line

test("what listed pools hold is logged as the monitor before logged it, warnings seldom, each pool's own", () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: "debug", stream: { write: (line) => void lines.push(JSON.parse(line)) } });
  const scanLog = createPoolScanLog(log, "anvil", { pools });
  scanLog.stopped(); // nothing was begun
  expect(lines).toEqual([]);
  const pair = { factory: NONE, token0: ONE, token1: EMPTY };
  const scanned = {
    market: {
      ...{ blockNumber: "0x7", decimals: {} },
      pools: [
        { ...pair, address: ONE, reserve0: "0xff", reserve1: "0x10" },
        { ...pair, address: EMPTY, reserve0: "0x0", reserve1: "0x10" },
      ],
    },
    unread: [{ name: "none", address: NONE, reason: "none: it has no factory()" }],
  };
  scanLog.scanned(7, scanned);
  scanLog.scanned(8, scanned);
  scanLog.stopped();
  expect(lines.map(({ event }) => event)).toEqual([
    ...["pool_scanner_started", "pool_reserves_fetched", "pool_reserves_zero", "pool_reserves_fetch_failed"],
    ...["pool_reserves_fetched", "pool_scanner_stopped"],
  ]);
  expect(lines[0]).toMatchObject({ chain: "anvil", pools: [...pools.keys()], imbalance_threshold_pct: 5, small_opp_min_usd: 10_000, small_opp_max_usd: 100_000 }); // biome-ignore format: one call
  expect(lines[1]).toMatchObject({ block: 7, pool: "WETH-OAK", address: ONE, reserve0: "255", reserve1: "16" });
  expect(lines[2]).toMatchObject({ pool: "WETH-PINE", level: "warn" });
  expect(lines[3]).toMatchObject({ pool: "none", reason: "none: it has no factory()", level: "warn" });
});
