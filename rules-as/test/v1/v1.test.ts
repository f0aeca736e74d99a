/**
 * The promise of frame v1 and ABI v1: modules built on the day they were fixed run on every later engine, with the same
 * results. `accessors.wasm` and `unlimited-approval.wasm` are that day's, made of
 * test/guests/v1; they and expected.json are never built again.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { tryModule, tryRule } from "../../cli/tryRule.ts";
import { TRANSACTIONS } from "./transactions.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const expected = JSON.parse(readFileSync(here("expected.json"), "utf8"));

describe.for(["accessors", "unlimited-approval"])("%s", (name) => {
  test("as built for v1, gives the same manifest and results", () => {
    const rule = tryModule(readFileSync(here(`${name}.wasm`)));
    expect(rule.manifest).toEqual(expected[name].manifest);
    expect(rule.run(TRANSACTIONS).verdicts).toEqual(expected[name].verdicts);
  });

  test("as built by today's SDK, still does", async () => {
    const rule = await tryRule(here(`../guests/v1/${name}.ts`));
    expect(rule.manifest).toEqual(expected[name].manifest);
    expect(rule.run(TRANSACTIONS).verdicts).toEqual(expected[name].verdicts);
  });
});

test("what the accessors say is what the records have", async () => {
  const rule = await tryRule(here("../guests/v1/accessors.ts"));
  const { verdicts } = rule.run(TRANSACTIONS);
  const text = (value: string | null | undefined, none = "none") => (value == null ? none : BigInt(value).toString());
  const zero = (bytes: number) => `0x${"00".repeat(bytes)}`;
  let checked = 0;
  TRANSACTIONS.forEach((tx, i) => {
    expect(verdicts[i]!.candidate).toBe([1, 31337].includes(tx.chainId));
    if (!verdicts[i]!.candidate) return;
    const said = Object.fromEntries(
      verdicts[i]!.alerts.slice(0, 3).flatMap((alert) =>
        alert
          .replace(/^\w+: /, "")
          .split("\n")
          .map((line) => line.split("=")),
      ),
    );
    const { block, receipt } = tx;
    const status = receipt?.status;
    const words = (tx.input.length - 10) / 64;
    const fee = BigInt(receipt?.gasUsed ?? 0) * BigInt(receipt?.effectiveGasPrice ?? 0);
    expect(said).toEqual({
      hash: tx.hash,
      chainId: String(tx.chainId),
      from: tx.from,
      to: tx.to ?? "none",
      isCreation: String(!tx.to),
      value: text(tx.value),
      nonce: text(tx.nonce),
      type: text(tx.type, "0"),
      gas: text(tx.gas),
      gasPrice: text(tx.gasPrice),
      maxFeePerGas: text(tx.maxFeePerGas),
      maxPriorityFeePerGas: text(tx.maxPriorityFeePerGas),
      effectiveGasPrice: text(receipt?.effectiveGasPrice),
      gasUsed: text(receipt?.gasUsed),
      fee: fee.toString(),
      isPending: String(!tx.blockNumber),
      isMined: String(Boolean(tx.blockNumber)),
      blockNumber: text(tx.blockNumber, "0"),
      blockHash: tx.blockHash ?? zero(32),
      transactionIndex: text(tx.transactionIndex, "0"),
      hasBlock: String(Boolean(block)),
      blockTimestamp: text(block?.timestamp, "0"),
      baseFeePerGas: text(block?.baseFeePerGas, "0"),
      miner: block?.miner ?? zero(20),
      blockGasUsed: text(block?.gasUsed, "0"),
      blockGasLimit: text(block?.gasLimit, "0"),
      blockTransactionCount: String(block?.transactionCount ?? 0),
      seenAt: tx.seenAt == null ? "none" : String(tx.seenAt * 1000),
      hasReceipt: String(Boolean(receipt)),
      status: text(status, "0"),
      failed: String(status === "0x0"),
      succeeded: String(status === "0x1"),
      cumulativeGasUsed: text(receipt?.cumulativeGasUsed, "0"),
      contractAddress: receipt?.contractAddress ?? "none",
      inputLength: String((tx.input.length - 2) / 2),
      input: tx.input,
      selector: tx.input.length >= 10 ? BigInt(tx.input.slice(0, 10)).toString(16) : "none",
      arg0: words >= 1 ? `0x${tx.input.slice(10, 74)}` : "none",
      arg1: words >= 2 ? text(`0x${tx.input.slice(74, 138)}`) : "none",
      logCount: String(receipt?.logs?.length ?? 0),
      accessListCount: String(tx.accessList?.length ?? 0),
    });
    const rest = verdicts[i]!.alerts.slice(3);
    const logs = (receipt?.logs ?? []).map(({ address, topics, data, logIndex }) =>
      [
        `high: address=${address}`,
        `logIndex=${text(logIndex)}`,
        `data=${data}`,
        ...topics.map((topic, t) => `topic${t}=${topic}`),
        ...(data.length >= 66 ? [`word0=${data.slice(0, 66)}`] : []),
      ].join("\n"),
    );
    const entries = (tx.accessList ?? []).map(({ address, storageKeys }) =>
      [`critical: address=${address}`, ...storageKeys.map((key, k) => `key${k}=${key}`)].join("\n"),
    );
    expect(rest).toEqual([...logs, ...entries]);
    expect(verdicts[i]!.tags).toEqual(
      (receipt?.logs ?? []).map(({ logIndex }, l) => `${l}:${text(logIndex)}`).reverse(),
    );
    expect(verdicts[i]!.scores).toEqual([0.5]);
    checked++;
  });
  expect(checked).toBe(TRANSACTIONS.length - 1);
});
