import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assemblyScript, GENERATED_FILE } from "./generate.ts";
import { FIELD_WIDTH, FIELDS, HEADER_SIZE, OFFSET, OPTIONAL } from "./schema.ts";

test("rules-as/assembly/frame.ts is what the schema gives (else run `npm run frame:generate`)", () => {
  expect(readFileSync(GENERATED_FILE, "utf8")).toBe(assemblyScript());
});

test("frame v1 never moves: its fields fill the header without a gap", () => {
  const last = FIELDS.at(-1)!;
  expect(OFFSET[last.name] + FIELD_WIDTH[last.type]).toBe(HEADER_SIZE);
  expect(OPTIONAL.length).toBeLessThanOrEqual(32);
  // Read by modules that are already built: any change here needs a new version of the frame.
  expect(OFFSET).toMatchInlineSnapshot(`
    {
      "accessListCount": 24,
      "accessListLength": 12,
      "baseFeePerGas": 192,
      "blockGasLimit": 120,
      "blockGasUsed": 112,
      "blockHash": 272,
      "blockNumber": 96,
      "blockParentHash": 304,
      "blockTimestamp": 104,
      "blockTransactionCount": 40,
      "chainId": 48,
      "contractAddress": 396,
      "cumulativeGasUsed": 88,
      "effectiveGasPrice": 176,
      "extraLength": 20,
      "from": 336,
      "gas": 72,
      "gasPrice": 128,
      "gasUsed": 80,
      "hash": 240,
      "headerSize": 2,
      "inputLength": 8,
      "logCount": 28,
      "logsLength": 16,
      "maxFeePerGas": 144,
      "maxPriorityFeePerGas": 160,
      "miner": 376,
      "nonce": 64,
      "present": 32,
      "reserved": 46,
      "seenAt": 56,
      "size": 4,
      "status": 45,
      "to": 356,
      "transactionIndex": 36,
      "type": 44,
      "value": 208,
      "version": 0,
    }
  `);
});
