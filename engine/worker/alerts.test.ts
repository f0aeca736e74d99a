import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeRows } from "../../clickhouse/encodeRows.ts";
import { ALERT_COLUMNS, encodeAlerts } from "../../clickhouse/tables/alerts.ts";
import { CONTENT } from "../frame/content.ts";
import { transaction } from "../frame/testing/records.ts";
import type { TransactionRecord } from "../frame/writeFrame.ts";
import { SEVERITIES } from "../sandbox/manifest.ts";
import { packBatch } from "../source/batch.ts";
import { createWorld } from "../world/world.ts";
import { alertRecords, alertRows } from "./alerts.ts";
import { createDecoder } from "./decode.ts";

const alerts = fc.record({
  rule: fc.constantFrom("whale", "x_1-y"),
  version: fc.integer({ min: 1, max: 2 ** 31 }),
  severity: fc.nat(SEVERITIES.length - 1),
  message: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"quoted"', "line\nbreak", "é \u2028 \ud800")),
  ordinal: fc.nat(9),
});

test("alerts' rows and records say the same of their transactions, and ids what they are about", () => {
  const raised = fc.array(fc.tuple(transaction, alerts), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(raised, fc.constantFrom("tx.eth", 'recording:"x"'), (pairs, source) => {
      const records = pairs.map(([record], i) => {
        const value = Buffer.from(JSON.stringify(record));
        return { offset: 7 + i, time: 1_763_700_000_123 + i, content: CONTENT.json, value };
      });
      const chains = pairs.map(([record]) => Number(record.chainId));
      const batch = packBatch(source, 3, 7, 7 + pairs.length, records);
      const decoded = createDecoder(createWorld({ chains }))(batch);
      // by rule, so not in the order of transactions
      const order = pairs.map((_, i) => pairs.length - 1 - i);
      const rows = alertRows(decoded, order.map((i) => ({ ...pairs[i]![1], transaction: i }))); // biome-ignore format: one call
      const expected = order.map((i) => {
        const [record, { rule, version, severity, message, ordinal }] = pairs[i]!;
        const { hash, blockHash, from, to } = record as TransactionRecord;
        const about = [rule, version, chains[i], hash, blockHash ?? "pending", ordinal].join("\n");
        const said = { ordinal, message, chain_id: chains[i]!, tx_hash: hash };
        const block_number = record.blockNumber == null ? null : Number(record.blockNumber);
        const where = { block_number, block_hash: blockHash ?? null, from_address: from, to_address: to ?? null };
        return {
          id: createHash("sha256").update(about).digest("hex").slice(0, 32),
          ...{ rule, version, severity: SEVERITIES[severity]!, ...said, ...where },
          event_time: new Date(decoded.events[i]! / 1000).toISOString(),
          source: { topic: source, partition: 3, offset: 7 + i, n: 0 },
        };
      });
      const objects = expected.map(({ id, version, source: { topic, ...position }, ...same }, i) => {
        const event_time = decoded.events[order[i]!]!;
        return { ...same, ...position, source: topic, event_time, alert_id: `0x${id}`, rule_version: version };
      });
      const lacks = ([name]: readonly [string, string]): boolean => objects.every((each: Record<string, unknown>) => each[name] === null); // biome-ignore format: one line
      const without = ALERT_COLUMNS.flatMap((column, i) => (lacks(column) ? [i] : []));
      const columns = ALERT_COLUMNS.filter((column) => !lacks(column));
      expect(encodeAlerts(rows)).toEqual({ ...encodeRows<Record<string, unknown>>(columns, objects), without });
      const topicRecords = alertRecords(rows);
      expect(topicRecords.map(({ value }) => value)).toEqual(expected.map((body) => JSON.stringify(body)));
      expect(topicRecords.map(({ key }) => key)).toEqual(expected.map((body) => `${body.chain_id}:${body.tx_hash}`));
    }),
    { numRuns: 100 },
  );
});
