import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { encodeFunctionData, type Hex, maxUint256, parseAbi } from "viem";
import { describe, expect, test } from "vitest";
import { keccak256 } from "../../condition/abi/keccak.ts";
import type { TransactionRecord } from "../../frame/writeFrame.ts";
import { readLines } from "../../source/recording.ts";
import { buildBaselines, openBaselines } from "../../world/baselines.ts";
import { buildList } from "../../world/listTable.ts";
import { type Log, transactionOf } from "../testing/fixtures.ts";
import { viewsOf } from "../testing/views.ts";
import { contributionsOf, RISK, RISK_FACTORS, riskLevel, riskScore } from "./factors.ts";
import { createRiskScorer, type RiskKnowledge } from "./riskScorer.ts";
import { RISK_EVENTS } from "./riskyLogs.ts";

const MAINNET = fileURLToPath(new URL("../../../../shared/data/mainnet.ndjson.gz", import.meta.url));
const there = existsSync(MAINNET);
if (!there) console.warn(`Risk of mainnet transactions is not tested: "${MAINNET}" is not there`);

const [sender, token, spender, other] = ["a1", "a2", "a3", "a4"].map((byte) => `0x${byte.repeat(20)}`) as [
  Hex,
  Hex,
  Hex,
  Hex,
];
const PENDING = { blockNumber: null, blockHash: null, transactionIndex: null, receipt: null };

function listOf(...addresses: string[]) {
  const builder = buildList(20, addresses.length);
  for (const address of addresses) builder.add(Buffer.from(address.slice(2), "hex"));
  return builder.done();
}

/** Names of a transaction's factors. */
function factorsOf(
  given: Partial<TransactionRecord>,
  knowledge: RiskKnowledge = {},
  logs: readonly Log[] = [],
): string[] {
  const [view] = viewsOf([transactionOf(logs, { from: sender, to: token, ...given })]);
  const masks = new Uint32Array(1);
  createRiskScorer(knowledge)(view!, masks);
  return RISK_FACTORS.filter(({ name }) => masks[0]! & RISK[name]).map(({ name }) => name);
}

const abi = parseAbi([
  "function approve(address spender, uint256 amount)",
  "function setApprovalForAll(address operator, bool approved)",
  "function permit(address holder, address spender, uint256 nonce, uint256 expiry, bool allowed, uint8 v, bytes32 r, bytes32 s)",
  "function upgradeTo(address implementation)",
  "function transferOwnership(address newOwner)",
  "function multicall(bytes[] data)",
  "function execute(bytes commands, bytes[] inputs)",
  "function swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)",
  "function exactInput((bytes path, address recipient, uint256 deadline, uint256 amountIn, uint256 amountOutMinimum) params) payable",
]);
const approve = (amount: bigint) => encodeFunctionData({ abi, functionName: "approve", args: [spender, amount] });
const word = (value: bigint | string) => BigInt(value).toString(16).padStart(64, "0");

test("contributions add up to the score, whatever the factors, and the score is at most 100", () => {
  for (let mask = 0; mask < 2 ** RISK_FACTORS.length; mask++) {
    const contributions = contributionsOf(mask);
    const sum = contributions.reduce((all, { points }) => all + points, 0);
    expect(sum).toBe(riskScore(mask));
    const whole = RISK_FACTORS.filter(({ name }) => mask & RISK[name]).reduce((all, { points }) => all + points, 0);
    expect(sum).toBe(Math.min(100, whole));
  }
  expect(riskScore(RISK.known_bad | RISK.unlimited_approval)).toBe(85);
  expect(contributionsOf(2 ** RISK_FACTORS.length - 1).slice(0, 3)).toEqual([
    { factor: "known_bad", points: 60 },
    { factor: "proxy_change", points: 30 },
    { factor: "unlimited_approval", points: 10 },
  ]);
  expect([0, 24, 25, 74, 75, 100].map(riskLevel)).toEqual(["low", "low", "medium", "high", "critical", "critical"]);
});

test("bits of factors are stored, so they stay as they are", () => {
  expect(RISK_FACTORS.map(({ name }) => name)).toEqual([
    ...["known_bad", "proxy_change", "unlimited_approval", "approval_for_all", "sandwich_exposure", "ownership_change"],
    ...["fresh_contract", "value_outlier", "gas_outlier", "unverified_selector"],
  ]);
});

test("topics are the hashes of the signatures beside them", () => {
  for (const { signature, topic0 } of RISK_EVENTS)
    expect([signature, topic0]).toEqual([signature, keccak256(Buffer.from(signature))]);
});

describe("what a transaction asks for", () => {
  test("an approval without a limit: of 256, 160 and 96 bits, and no smaller one", () => {
    const amounts = [maxUint256, maxUint256 - 5n, 2n ** 160n - 1n, 2n ** 160n, 2n ** 96n - 1n];
    for (const amount of amounts) expect(factorsOf({ input: approve(amount) })).toEqual(["unlimited_approval"]);
    for (const amount of [0n, 1n, 10n ** 30n, 2n ** 96n - 2n, 2n ** 96n, 2n ** 160n - 2n])
      expect(factorsOf({ input: approve(amount) }), String(amount)).toEqual([]);
    expect(factorsOf({ input: approve(maxUint256), ...PENDING })).toEqual(["unlimited_approval"]);
    expect(factorsOf({ input: approve(maxUint256).slice(0, -2) })).toEqual([]); // cut off
  });

  test("DAI's permit, a collection's approval, and their opposites", () => {
    const permit = (allowed: boolean) =>
      encodeFunctionData({ abi, functionName: "permit", args: [sender, spender, 1n, 9n, allowed, 27, `0x${"00".repeat(32)}`, `0x${"00".repeat(32)}`] }); // biome-ignore format: one call
    const forAll = (approved: boolean) =>
      encodeFunctionData({ abi, functionName: "setApprovalForAll", args: [spender, approved] });
    expect([true, false].map((allowed) => factorsOf({ input: permit(allowed) }))).toEqual([["unlimited_approval"], []]);
    expect([true, false].map((approved) => factorsOf({ input: forAll(approved) }))).toEqual([["approval_for_all"], []]);
  });

  test("other code, another owner, a contract", () => {
    const upgrade = encodeFunctionData({ abi, functionName: "upgradeTo", args: [other] });
    expect(factorsOf({ input: upgrade })).toEqual(["proxy_change"]);
    const handOver = encodeFunctionData({ abi, functionName: "transferOwnership", args: [other] });
    expect(factorsOf({ input: handOver })).toEqual(["ownership_change"]);
    expect(factorsOf({ to: null, input: "0x60806040" })).toEqual(["fresh_contract"]);
    expect(factorsOf({ to: other }, { fresh: listOf(other) })).toEqual(["fresh_contract"]);
  });

  test("a swap that takes anything", () => {
    const swap = (amountOutMin: bigint) =>
      encodeFunctionData({ abi, functionName: "swapExactTokensForTokens", args: [5n, amountOutMin, [token, other], sender, 9n] }); // biome-ignore format: one call
    expect([0n, 1n].map((least) => factorsOf({ input: swap(least) }))).toEqual([["sandwich_exposure"], []]);
    const exact = (amountOutMinimum: bigint) =>
      encodeFunctionData({ abi, functionName: "exactInput", args: [{ path: "0x1234", recipient: sender, deadline: 9n, amountIn: 5n, amountOutMinimum }] }); // biome-ignore format: one call
    expect([0n, 1n].map((least) => factorsOf({ input: exact(least) }))).toEqual([["sandwich_exposure"], []]);
  });

  test("inside of a wrapper, too", () => {
    const wrapped = encodeFunctionData({ abi, functionName: "multicall", args: [["0x12345678", approve(maxUint256)]] });
    expect(factorsOf({ input: wrapped })).toEqual(["unlimited_approval"]);
    const permit: Hex = `0x${[token, 2n ** 160n - 1n, 9n, 0n, spender, 9n, 192n].map(word).join("")}`;
    const routed = encodeFunctionData({ abi, functionName: "execute", args: ["0x0a", [permit]] });
    expect(factorsOf({ input: routed })).toEqual(["unlimited_approval"]);
    expect(factorsOf({ input: routed }, { knownBad: listOf(spender) })).toEqual(["known_bad", "unlimited_approval"]);
  });

  test("a function that nobody knows, unless it is often called", () => {
    const usual = {
      chainId: 1,
      kind: "selector_gas",
      key: Buffer.from("12345678", "hex"),
      samples: 50,
      median: 17,
      mad: 0.5,
    } as const;
    const baselines = openBaselines(buildBaselines([usual]));
    expect(factorsOf({ input: "0x12345678" })).toEqual(["unverified_selector"]);
    expect(factorsOf({ input: "0x12345678", gas: "0x20000" }, { baselines })).toEqual([]);
    expect(factorsOf({ input: "0x12345678", gas: "0x1000000" }, { baselines })).toEqual(["gas_outlier"]);
    expect(factorsOf({ input: "0x123456" })).toEqual([]);
  });

  test("somebody on the list: who sends, receives, is approved, is called in a wrapper", () => {
    const knownBad = listOf(other, spender);
    expect(factorsOf({ from: other }, { knownBad })).toEqual(["known_bad"]);
    expect(factorsOf({ to: other }, { knownBad })).toEqual(["known_bad"]);
    expect(factorsOf({ input: approve(1n) }, { knownBad })).toEqual(["known_bad"]);
    expect(factorsOf({ to: null }, { knownBad: listOf(`0x${"00".repeat(20)}`) })).toEqual(["fresh_contract"]);
    expect(factorsOf({}, { knownBad })).toEqual([]);
  });

  test("a value far above what its sender sends", () => {
    const usual = {
      chainId: 1,
      kind: "sender_value",
      key: Buffer.from(sender.slice(2), "hex"),
      samples: 30,
      median: 60,
      mad: 1,
    } as const;
    const baselines = openBaselines(buildBaselines([usual]));
    const sends = (log2: number, from = sender) => factorsOf({ from, value: `0x${(2n ** BigInt(log2)).toString(16)}` }, { baselines }); // biome-ignore format: one call
    expect([60, 65, 66, 40].map((log2) => sends(log2))).toEqual([[], [], ["value_outlier"], []]); // 0.6745 × 6 = 4.05
    expect(sends(90, other)).toEqual([]);
  });
});

describe("what a mined one did", () => {
  const topicOf = (name: string) => RISK_EVENTS.find(({ signature }) => signature.startsWith(`${name}(`))!.topic0;
  const log = (name: string, indexed: readonly (bigint | string)[], ...data: (bigint | string)[]): Log => ({
    address: token,
    topics: [topicOf(name), ...indexed.map((value) => `0x${word(value)}`)],
    data: `0x${data.map(word).join("")}`,
    logIndex: "0x0",
  });
  const did = (...logs: Log[]) => factorsOf({ to: other }, {}, logs);

  test("by its logs", () => {
    expect(did(log("Approval", [sender, spender], maxUint256))).toEqual(["unlimited_approval"]);
    expect(did(log("ApprovalForAll", [sender, spender], 1n))).toEqual(["approval_for_all"]);
    expect(did(log("Upgraded", [other]))).toEqual(["proxy_change"]);
    expect(did(log("AdminChanged", [], other, sender))).toEqual(["proxy_change"]);
    expect(did(log("OwnershipTransferred", [other, sender]))).toEqual(["ownership_change"]);
    const approval = log("Approval", [sender, spender], 5n);
    expect(factorsOf({ to: other }, { knownBad: listOf(spender) }, [approval])).toEqual(["known_bad"]);
  });

  test("not what is left of an approval, an NFT's, a withdrawn one, a first owner", () => {
    expect(did(log("Approval", [sender, spender], maxUint256 - 1n))).toEqual([]);
    expect(did(log("Approval", [sender, spender, maxUint256]))).toEqual([]);
    expect(did(log("ApprovalForAll", [sender, spender], 0n))).toEqual([]);
    expect(did(log("AdminChanged", [], 0n, sender))).toEqual([]);
    expect(did(log("OwnershipTransferred", [0n, sender]))).toEqual([]);
    expect(did(log("OwnershipTransferred", []))).toEqual([]);
    expect(factorsOf({ to: null }, {}, [log("Upgraded", [other])])).toEqual(["fresh_contract"]);
  });

  test("victims are told by whoever found the sandwich", () => {
    const [view] = viewsOf([0, 1].map((i) => transactionOf([], { transactionIndex: `0x${i}` })));
    const masks = new Uint32Array(2);
    createRiskScorer()(view!, masks, new Set([1]));
    expect([...masks]).toEqual([0, RISK.sandwich_exposure]);
  });
});

test("a price far above its block's, and no word of few prices or of the same ones", () => {
  const score = (prices: readonly number[]) => {
    const [view] = viewsOf(
      prices.map(
        (price, i) =>
        transactionOf([], { transactionIndex: `0x${i}`, receipt: { status: "0x1", effectiveGasPrice: `0x${price.toString(16)}`, logs: [] } }), // biome-ignore format: one call
      ),
    );
    const masks = new Uint32Array(prices.length).fill(7); // of a view before
    createRiskScorer()(view!, masks);
    return [...masks].map((mask) => (mask === 0 ? 0 : mask === RISK.gas_outlier ? 1 : mask));
  };
  const usual = Array.from({ length: 30 }, (_, i) => 1_000 + i);
  expect(score([...usual, 5_000])).toEqual([...Array(30).fill(0), 1]);
  expect(score([...usual, 1_100, 1])).toEqual(Array(32).fill(0));
  expect(score([1, 1, 1, 9_999])).toEqual([0, 0, 0, 0]);
});

test("whatever the input is, a score comes out", () => {
  const pieces = fc.constantFrom(
    "095ea7b3",
    "ac9650d8",
    "3593564c",
    "6a761202",
    "8d80ff0a",
    word(32n),
    word(64n),
    word(4n),
    "ff".repeat(32),
    word(2n ** 40n),
    "00",
  );
  const scorer = createRiskScorer({ knownBad: listOf(other) });
  const masks = new Uint32Array(1);
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const [view] = viewsOf([transactionOf([], { input: `0x${parts.join("")}`, ...PENDING })]);
      scorer(view!, masks);
      expect(masks[0]! < 2 ** RISK_FACTORS.length).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test.runIf(there)("mainnet: how often each factor is", async () => {
  const records: TransactionRecord[] = [];
  for await (const line of readLines(MAINNET)) records.push(JSON.parse(Buffer.from(line).toString()));
  const scorer = createRiskScorer();
  const counts = Object.fromEntries(RISK_FACTORS.map(({ name }) => [name, 0]));
  const masks = new Uint32Array(2_000);
  for (const view of viewsOf(records)) {
    scorer(view, masks);
    for (let i = 0; i < view.frames.length; i++)
      for (const { name } of RISK_FACTORS) if (masks[i]! & RISK[name]) counts[name]!++;
  }
  expect(counts).toEqual({
    ...{ known_bad: 0, proxy_change: 4, unlimited_approval: 355, approval_for_all: 21, sandwich_exposure: 3 },
    ...{ ownership_change: 0, fresh_contract: 5, value_outlier: 0, gas_outlier: 217, unverified_selector: 742 },
  });
});
