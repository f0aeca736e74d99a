/**
 * What the summary of a recording must say, counted from its JSON alone: no frames, no filters, no engine. The rules are
 * written down here once more, from what their authors say they do.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { decompress } from "fzstd";
import { toEventSelector, toFunctionSelector } from "viem";

interface Log {
  readonly topics: readonly string[];
}
interface Transaction {
  readonly chainId: number;
  readonly from: string;
  readonly to: string | null;
  readonly value: string;
  readonly input: string;
  readonly blockHash: string | null;
  readonly receipt?: { readonly status: string | null; readonly logs: readonly Log[] } | null;
}

export interface Counts {
  readonly transactions: number;
  readonly blocks: number;
  readonly alerts: Readonly<Record<string, number>>;
  /** Swaps by their logs; of the bundled recording also what it was made with. */
  readonly findings: Readonly<Record<string, number>>;
}

const selectors = (...signatures: string[]): string[] => signatures.map((signature) => toFunctionSelector(signature));
const word = (tx: Transaction, i: number): string => tx.input.slice(10 + 64 * i, 74 + 64 * i);
const logs = (tx: Transaction): readonly Log[] => tx.receipt?.logs ?? [];
const reverted = (tx: Transaction): boolean => tx.receipt?.status === "0x0";

const UNLIMITED = "f".repeat(64);
const APPROVE = selectors("approve(address,uint256)", "increaseAllowance(address,uint256)");
const PERMIT = selectors("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)");
const DAI_PERMIT = selectors("permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)");
const POWER = [
  "OwnershipTransferred(address,address)",
  "Upgraded(address)",
  "AdminChanged(address,address)",
  "RoleGranted(bytes32,address,address)",
].map((signature) => toEventSelector(signature));
const TRANSFER = toEventSelector("Transfer(address,address,uint256)");
const WATCHED = "0x28c6c06298d514db089934071355e5743bf21d60";
/** The lists of routers and of their selectors are the rule's own; what is counted by them is not. */
const rule = readFileSync(new URL("../../rules-as/examples/failed-router-call.ts", import.meta.url), "utf8");
export const ROUTERS = [...rule.matchAll(/"(0x[0-9a-f]{40})"/g)].map(([, address]) => address!);
export const SWAPS = selectors(...[...rule.matchAll(/selector\("([^"]+)"\)/g)].map(([, signature]) => signature!));

/** How many alerts each example rule raises for a transaction. */
const ALERTS: Record<string, (tx: Transaction) => number | boolean> = {
  "whale-transfer": (tx) => BigInt(tx.value) >= 100n * 10n ** 18n && !reverted(tx),
  "unlimited-approval": (tx) => {
    const selector = tx.input.slice(0, 10);
    if (APPROVE.includes(selector)) return word(tx, 1) === UNLIMITED;
    if (PERMIT.includes(selector)) return word(tx, 2) === UNLIMITED;
    return DAI_PERMIT.includes(selector) && word(tx, 4).length === 64 && /[1-9a-f]/.test(word(tx, 4));
  },
  "ownership-change": (tx) => logs(tx).filter(({ topics }) => POWER.includes(topics[0] as never)).length,
  "watched-address": (tx) =>
    tx.from === WATCHED ||
    tx.to === WATCHED ||
    logs(tx).some(
      ({ topics }) =>
        topics[0] === TRANSFER && topics.length >= 3 && topics.slice(1, 3).some((t) => t.endsWith(WATCHED.slice(2))),
    ),
  "failed-router-call": (tx) =>
    reverted(tx) && (ROUTERS.includes(tx.to ?? "") || SWAPS.includes(tx.input.slice(0, 10) as never)),
};

export function readRecording(path: string): Transaction[] {
  const bytes = readFileSync(path);
  const text = path.endsWith(".gz") ? gunzipSync(bytes) : path.endsWith(".zst") ? decompress(bytes) : bytes;
  const lines = Buffer.from(text).toString().split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Transaction);
}

export function countRecording(path: string): Counts {
  const transactions = readRecording(path);
  const blocks = new Set(transactions.filter((tx) => tx.blockHash).map((tx) => `${tx.chainId} ${tx.blockHash}`));
  const alerts: Record<string, number> = {};
  for (const [name, count] of Object.entries(ALERTS)) {
    const total = transactions.reduce((sum, tx) => sum + Number(count(tx)), 0);
    if (total > 0) alerts[name] = total;
  }
  return { transactions: transactions.length, blocks: blocks.size, alerts, findings: findingsOf(path, transactions) };
}

const SWAP_LOGS = [
  "Swap(address,uint256,uint256,uint256,uint256,address)",
  "Swap(address,address,int256,int256,uint160,uint128,int24)",
].map((signature) => toEventSelector(signature));

function findingsOf(path: string, transactions: readonly Transaction[]): Record<string, number> {
  const swap = transactions
    .filter((tx) => !reverted(tx))
    .reduce((sum, tx) => sum + logs(tx).filter(({ topics }) => SWAP_LOGS.includes(topics[0] as never)).length, 0);
  if (!path.endsWith("test/recordings/dex.ndjson.gz")) return { swap };
  const { arbitrages, sandwiches } = JSON.parse(
    readFileSync(new URL("../recordings/truth.json", import.meta.url), "utf8"),
  ) as Record<string, number>;
  return { swap, arbitrage: arbitrages!, sandwich: sandwiches! };
}
