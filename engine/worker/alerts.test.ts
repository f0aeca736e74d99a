import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CONTENT } from "../frame/content.ts";
import { transaction } from "../frame/testing/records.ts";
import type { TransactionRecord } from "../frame/writeFrame.ts";
import { SEVERITIES } from "../sandbox/manifest.ts";
import { packBatch } from "../source/batch.ts";
import { createWorld } from "../world/world.ts";
import { alertRecord, alertRow } from "./alerts.ts";
import { createDecoder } from "./decode.ts";

const alerts = fc.record({
  rule: fc.constantFrom("whale", "x_1-y"),
  version: fc.integer({ min: 1, max: 2 ** 31 }),
  severity: fc.nat(SEVERITIES.length - 1),
  message: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"quoted"', "line\nbreak", "é \u2028 \ud800")),
  ordinal: fc.nat(9),
});

test("an alert's row and record say the same of its transaction, and its id what it is about", () => {
  fc.assert(
    fc.property(transaction, alerts, fc.constantFrom("tx.eth", 'recording:"x"'), (record, alert, source) => {
      const value = Buffer.from(JSON.stringify(record));
      const records = [{ offset: 7, time: 1_763_700_000_123, content: CONTENT.json, value }];
      const chains = [Number(record.chainId)];
      const decoded = createDecoder(createWorld({ chains }))(packBatch(source, 3, 7, 8, records));
      const row = alertRow(decoded, { ...alert, transaction: 0 });
      const topicRecord = alertRecord(row);
      const { rule, version, message, ordinal } = alert;
      const { hash, blockHash, from, to } = record as TransactionRecord;
      const about = [rule, version, chains[0], hash, blockHash ?? "pending", ordinal].join("\n");
      const id = createHash("sha256").update(about).digest("hex").slice(0, 32);

      const digits = (bytes: Uint8Array | null): string | null =>
        bytes && `0x${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
      const { alert_id, tx_hash, block_hash, from_address, to_address } = row;
      expect([alert_id, tx_hash, block_hash, from_address, to_address].map(digits)).toEqual([
        ...[`0x${id}`, hash, blockHash ?? null, from, to ?? null],
      ]);
      const text = Buffer.from(topicRecord.value).toString();
      const body = {
        id,
        rule,
        version,
        severity: SEVERITIES[alert.severity],
        ordinal,
        message,
        chain_id: chains[0],
        tx_hash: hash,
        block_number: record.blockNumber == null ? null : Number(record.blockNumber),
        block_hash: blockHash ?? null,
        from_address: from,
        to_address: to ?? null,
        event_time: new Date(decoded.events[0]! / 1000).toISOString(),
        source: { topic: source, partition: 3, offset: 7, n: 0 },
      };
      expect(text).toBe(JSON.stringify(body));
      expect(topicRecord.key).toBe(`${chains[0]}:${hash}`);
    }),
    { numRuns: 100 },
  );
});
