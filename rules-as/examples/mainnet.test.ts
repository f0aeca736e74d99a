/** The examples on real blocks, against counts that plain JavaScript makes of the same JSON, without filter or frame. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { toEventSelector, toFunctionSelector } from "viem";
import { tryRule } from "../cli/tryRule.ts";

const file = new URL("../../../shared/data/mainnet.ndjson.gz", import.meta.url);
const there = existsSync(file);
if (!there) console.warn(`Examples are not tried on mainnet transactions: "${file.pathname}" is not there`);

// biome-ignore lint/suspicious/noExplicitAny: a record as it stands in the file
type Any = any;
const transactions: Any[] = there
  ? gunzipSync(readFileSync(file)).toString().trim().split("\n").map((line) => JSON.parse(line))
  : [];

const MAX = "f".repeat(64);
const word = (tx: Any, i: number): string => tx.input.slice(10 + 64 * i, 74 + 64 * i);
const logs = (tx: Any): Any[] => tx.receipt?.logs ?? [];
const reverted = (tx: Any): boolean => tx.receipt?.status === "0x0";
const selectorOf = (tx: Any): string => tx.input.slice(0, 10);

const APPROVE = ["approve(address,uint256)", "increaseAllowance(address,uint256)"].map((s) => toFunctionSelector(s));
const PERMIT = toFunctionSelector("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)");
const DAI_PERMIT = toFunctionSelector("permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)");
const OWNERSHIP = [
  "OwnershipTransferred(address,address)",
  "Upgraded(address)",
  "AdminChanged(address,address)",
  "RoleGranted(bytes32,address,address)",
].map((s) => toEventSelector(s));
const TRANSFER = toEventSelector("Transfer(address,address,uint256)");
const WATCHED = "0x28c6c06298d514db089934071355e5743bf21d60";
const WATCHED_TOPIC = `0x${WATCHED.slice(2).padStart(64, "0")}`;
const source = readFileSync(new URL("failed-router-call.ts", import.meta.url), "utf8");
const ROUTERS = [...source.matchAll(/"(0x[0-9a-f]{40})"/g)].map(([, address]) => address);
const SWAPS = [...source.matchAll(/selector\("([^"]+)"\)/g)].map(([, signature]) => toFunctionSelector(signature!));

/** Should it alert? And what is known of the real data, so that a mistake in both sides does not go unseen. */
const EXPECTED: Record<string, { hit: (tx: Any) => boolean; count: number }> = {
  "whale-transfer": { hit: (tx) => BigInt(tx.value) >= 100n * 10n ** 18n && !reverted(tx), count: 13 },
  "unlimited-approval": {
    hit: (tx) =>
      (APPROVE.includes(selectorOf(tx) as Any) && word(tx, 1) === MAX) ||
      (selectorOf(tx) === PERMIT && word(tx, 2) === MAX) ||
      (selectorOf(tx) === DAI_PERMIT && word(tx, 4).length === 64 && /[1-9a-f]/.test(word(tx, 4))),
    count: 350,
  },
  "ownership-change": { hit: (tx) => logs(tx).some(({ topics }) => OWNERSHIP.includes(topics[0])), count: 6 },
  "watched-address": {
    hit: (tx) =>
      tx.from === WATCHED ||
      tx.to === WATCHED ||
      logs(tx).some(
        ({ topics }) => topics[0] === TRANSFER && topics.length >= 3 && topics.slice(1, 3).some((t: string) => t === WATCHED_TOPIC),
      ),
    count: 1336,
  },
  "failed-router-call": {
    hit: (tx) => reverted(tx) && (ROUTERS.includes(tx.to) || SWAPS.includes(selectorOf(tx) as Any)),
    count: 83,
  },
};

describe.skipIf(!there)("examples on mainnet transactions", () => {
  test.for(Object.entries(EXPECTED))("%s alerts on exactly the transactions that it should", async ([name, { hit, count }]) => {
    const rule = await tryRule(fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
    const { verdicts, fuel } = rule.run(transactions);
    // Not even the one with 10,001 logs.
    expect(verdicts.filter(({ failure }) => failure !== null)).toEqual([]);
    const alerted = transactions.filter((_, i) => verdicts[i]!.alerts.length > 0);
    expect(alerted.map(({ hash }) => hash)).toEqual(transactions.filter(hit).map(({ hash }) => hash));
    expect(transactions.filter(hit).length).toBe(count);
    console.log(`${name}: ${count} of ${transactions.length}, fuel ${fuel}`);
  });

  test("watched-address sees token transfers that neither send nor call it", () => {
    const both = transactions.filter((tx) => EXPECTED["watched-address"]!.hit(tx));
    expect(both.some((tx) => tx.from !== WATCHED && tx.to !== WATCHED)).toBe(true);
  });
});
