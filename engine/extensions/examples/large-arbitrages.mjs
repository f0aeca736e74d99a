/**
 * Puts arbitrages that left 1,000 USD or more on a topic of their own.
 *
 *     WEIR_EXTENSIONS=engine/extensions/examples/large-arbitrages.mjs npx weir process
 *
 * @type {import("../extension.ts").Processor}
 */
export default {
  kind: "processor",
  name: "large-arbitrages",
  reads: "arbitrage-transactions",
  async process(records) {
    return records.flatMap(({ key, value }) => {
      const arbitrage = JSON.parse(String(value));
      if (!(arbitrage.net_usd >= LEAST)) return [];
      const { chain_id, tx_hash, net_usd, account } = arbitrage;
      return [{ topic: TOPIC, key: key ?? tx_hash, value: JSON.stringify({ chain_id, tx_hash, net_usd, account }) }];
    });
  },
};

const LEAST = 1_000;
const TOPIC = process.env.LARGE_ARBITRAGES_TOPIC ?? "large-arbitrages";
