/** What the scanner of pools does, as events of the log: named as the monitor before named them. */
import { IMBALANCE_THRESHOLD_PCT, SMALL_OPPORTUNITY_USD } from "../../chain/opportunity/imbalance.ts";
import type { Chain } from "../../chain/registry/registry.ts";
import type { Log } from "../../ops/log.ts";
import { logSeldom } from "../../ops/logSeldom.ts";
import type { ScannedPools } from "./poolScanner.ts";

export function createPoolScanLog(log: Log, chainName: string, { pools }: Pick<Chain, "pools">) {
  const chain = chainName;
  const { from: small_opp_min_usd, to: small_opp_max_usd } = SMALL_OPPORTUNITY_USD;
  let isStarted = false;
  return {
    scanned(block: number, { market, unread }: ScannedPools): void {
      const settings = { imbalance_threshold_pct: IMBALANCE_THRESHOLD_PCT, small_opp_min_usd, small_opp_max_usd };
      if (!isStarted)
        log.info({ event: "pool_scanner_started", chain, pools: [...pools.keys()], ...settings }, "Scanning pools");
      isStarted = true;
      const held = new Map(market.pools.map((pool) => [pool.address, pool]));
      for (const [name, address] of pools) {
        const pool = held.get(address);
        if (!pool || !("reserve0" in pool)) continue;
        const { reserve0, reserve1 } = pool;
        const facts = { chain, block, pool: name, address };
        if (BigInt(reserve0) === 0n || BigInt(reserve1) === 0n)
          logSeldom(log, "warn", { event: "pool_reserves_zero", reason: name, ...facts }, "A pool holds nothing of a token");
        else
          log.debug({ event: "pool_reserves_fetched", ...facts, reserve0: String(BigInt(reserve0)), reserve1: String(BigInt(reserve1)) }, "What a pool holds"); // biome-ignore format: one call
      }
      for (const { name, address, reason } of unread)
        logSeldom(log, "warn", { event: "pool_reserves_fetch_failed", chain, block, pool: name, address, reason }, "Cannot say what a pool holds; trying again with the next block"); // biome-ignore format: one call
    },
    stopped(): void {
      if (isStarted) log.info({ event: "pool_scanner_stopped", chain }, "Not scanning pools any more");
    },
  };
}
