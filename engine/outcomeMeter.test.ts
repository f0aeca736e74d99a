import { expect, test } from "vitest";
import { createRegistry } from "./chain/registry/registry.ts";
import { createMetrics } from "./ops/metrics.ts";
import { createOutcomeMeter } from "./outcomeMeter.ts";
import { packBatch } from "./source/batch.ts";
import type { FindingCount, Outcome } from "./worker/outcome.ts";

const SOLANA = { id: 501, name: "Solana", nativeToken: "SOL" };

function scene() {
  let at = 0;
  const metrics = createMetrics({ defaults: false });
  const meter = createOutcomeMeter(metrics, createRegistry({ chains: [SOLANA] }), { get: () => undefined }, () => at);
  return {
    /** A batch with these findings is under way for so many ms. */
    publish(findings: FindingCount[], ms = 0) {
      const batch = packBatch("tx_raw", 0, 0, 1, []);
      meter.begun(batch);
      at += ms;
      meter.published([{ batch, outcome: { transactions: 3, findings, rules: [], deadLetterReasons: {} } as unknown as Outcome }]); // biome-ignore format: one line
    },
    wait: (ms: number) => void (at += ms),
    async value(series: string) {
      const text = await metrics.text();
      return text
        .split("\n")
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1);
    },
  };
}
const arbitrage = (chainId: number, senders: string[], usd = 0, native = 0): FindingCount => ({
  ...{ chainId, kind: "arbitrage", findings: 2, transactions: 1, earned: { usd, native, senders } },
});
const opportunity = (kind: string, known: number, small: number): FindingCount => ({
  ...{ chainId: 1, kind, findings: known + 1, transactions: 1, valued: { known, small } },
});

test("opportunities of both kinds, and which part of those that have a value is small", async () => {
  const { publish, value } = scene();
  expect(await value('small_opportunities_percentage{chain="Ethereum"}')).toBeUndefined();
  publish([opportunity("pool_imbalance", 0, 0)]);
  expect(await value('small_opportunities_percentage{chain="Ethereum"}')).toBeUndefined(); // none of known value
  publish([opportunity("pool_imbalance", 2, 1), opportunity("pending_backrun", 2, 0)], 30);
  expect(await value('opportunities_detected_total{chain="Ethereum"}')).toBe("7");
  expect(await value('small_opportunities_percentage{chain="Ethereum"}')).toBe("25");
  const latency = (rest: string) => value(`detection_latency_seconds_${rest}`);
  expect(await latency('bucket{le="0.025",chain="Ethereum",type="opportunity"}')).toBe("1");
  expect(await latency('bucket{le="0.05",chain="Ethereum",type="opportunity"}')).toBe("2");
});

test("profit adds up by chain; that of chains whose coin is SOL also in SOL", async () => {
  const { publish, value } = scene();
  publish([arbitrage(1, ["0xa"], 12.5, 5e18), arbitrage(501, ["0xb"], 300, 2e9)]);
  publish([arbitrage(501, ["0xb"], 150, 1e9)]);
  expect(await value('total_profit_detected_usd{chain="Ethereum"}')).toBe("12.5");
  expect(await value('total_profit_detected_usd{chain="Solana"}')).toBe("450");
  expect(await value("arbitrage_profit_total_sol")).toBe("3");
  expect(await value('transactions_detected_total{chain="Solana"}')).toBe("2");
});

test("an arbitrageur is active for an hour after the last time", async () => {
  const { publish, wait, value } = scene();
  const active = () => value('active_arbitrageurs{chain="Ethereum"}');
  publish([arbitrage(1, ["0xa", "0xb"])]);
  wait(1_800_000);
  publish([arbitrage(1, ["0xb", "0xc"])]);
  expect(await active()).toBe("3");
  wait(1_799_999);
  expect(await active()).toBe("3");
  wait(1);
  expect(await active()).toBe("2"); // 0xb was there again
  wait(1_800_000);
  expect(await active()).toBe("0");
});
