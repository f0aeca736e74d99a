import { expect, test } from "vitest";
import { CONTENT } from "../frame/content.ts";
import { packBatch } from "../source/batch.ts";
import { createDecoder } from "../worker/decode.ts";
import { createRuleStage } from "../worker/ruleStage.ts";
import { createWorld } from "../world/world.ts";
import { loadJson } from "./content.ts";

const FROM = `0x${"1f".repeat(20)}`;
const transaction = (value: bigint, more: object) => ({
  ...{ chainId: 1, hash: `0x${"ab".repeat(32)}`, from: FROM, to: null, nonce: "0x7", gas: "0x5208", input: "0x" },
  ...{ value: `0x${value.toString(16)}`, ...more },
});

/** What the alerts of a rule with this message say. */
function said(message: string, ...transactions: object[]): string[] {
  const records = transactions.map((each, offset) => {
    return { offset, time: 0, content: CONTENT.json, value: Buffer.from(JSON.stringify(each)) };
  });
  const decoded = createDecoder(createWorld({ chains: [1] }))(packBatch("s", 0, 0, records.length, records));
  const text = JSON.stringify({ name: "a", conditions: { value_gte: 0 }, actions: { message } });
  const rule = { ...loadJson(Buffer.from(text)).with({}), name: "a", version: 1 };
  return createRuleStage([rule])(decoded).alerts.map((alert) => alert.message);
}

test("alerts of a JSON rule say what each transaction has, exactly; addresses as marks that labels are filled into", () => {
  const to = `0x${"2f".repeat(20)}`;
  expect(
    said(
      "{from_address} sent {value:18} ETH to {to} ({value} wei, nonce {nonce:0}, {pending}, {selector}, {blockNumber})",
      transaction(12_300_000_000_000_000_001n, { to, input: "0xa9059cbb00" }),
      transaction(0n, {}),
      transaction(2n ** 256n - 1n, {}),
    ),
  ).toEqual([
    `{${FROM}} sent 12.300000000000000001 ETH to {${to}} (12300000000000000001 wei, nonce 7, true, 0xa9059cbb, none)`,
    `{${FROM}} sent 0 ETH to none (0 wei, nonce 7, true, none, none)`,
    `{${FROM}} sent 115792089237316195423570985008687907853269984665640564039457.584007913129639935 ETH to none (${2n ** 256n - 1n} wei, nonce 7, true, none, none)`,
  ]);
  expect(said("{value:18}{value:2}{value:0}", transaction(100n, {}))).toEqual(["0.00000000000000011100"]);
});
