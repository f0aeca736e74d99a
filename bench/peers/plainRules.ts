/**
 * The five example rules in plain JavaScript over parsed JSON, written without the engine, the frame or the SDK: the truth about
 * a load, and the peer that the sandbox is measured against (what a service without a sandbox would do).
 */
import { toEventSelector, toFunctionSelector } from "viem";
import { CONTENT } from "../../engine/frame/content.ts";
import { decodeRecord } from "../../engine/frame/decodeRecord.ts";
import { createFrameWriter } from "../../engine/frame/frameWriter.ts";
import { RUN_LIMITS } from "../../engine/sandbox/limits.ts";

interface PlainLog {
  readonly topics: readonly string[];
}

export interface PlainTransaction {
  readonly from: string;
  readonly to: string | null;
  readonly value: string;
  readonly input: string;
  readonly receipt?: { readonly status: string | null; readonly logs: readonly PlainLog[] } | null;
}

export interface PlainRule {
  /** The rule's filter: which transactions it is shown. */
  sees(tx: PlainTransaction): boolean;
  /** It alerts, once or more often. Asked about what it sees only. */
  alerts(tx: PlainTransaction): boolean;
}

export interface PlainCounts {
  /** Transactions that each rule's filter lets through; of these, those it alerts on, and those whose frame is too large for it. */
  readonly seen: Readonly<Record<string, number>>;
  readonly alerted: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, number>>;
}

const NO_LOGS: readonly PlainLog[] = [];
const MAX = "f".repeat(64);
const word = (tx: PlainTransaction, i: number): string => tx.input.slice(10 + 64 * i, 74 + 64 * i);
const logsOf = (tx: PlainTransaction): readonly PlainLog[] => tx.receipt?.logs ?? NO_LOGS;
const reverted = (tx: PlainTransaction): boolean => tx.receipt?.status === "0x0";
const selectorOf = (tx: PlainTransaction): string => tx.input.slice(0, 10);
const selectors = (...signatures: string[]): Set<string> => new Set(signatures.map((each) => toFunctionSelector(each)));

const APPROVE = selectors("approve(address,uint256)", "increaseAllowance(address,uint256)");
const PERMIT = selectors("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)");
const DAI_PERMIT = selectors("permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)");
const APPROVALS = new Set([...APPROVE, ...PERMIT, ...DAI_PERMIT]);
const OWNERSHIP = new Set<string>(
  [
    "OwnershipTransferred(address,address)",
    "Upgraded(address)",
    "AdminChanged(address,address)",
    "RoleGranted(bytes32,address,address)",
  ].map((each) => toEventSelector(each)),
);
const TRANSFER: string = toEventSelector("Transfer(address,address,uint256)");
const WATCHED = "0x28c6c06298d514db089934071355e5743bf21d60";
const WATCHED_TOPIC = `0x${WATCHED.slice(2).padStart(64, "0")}`;
const WHALE = 100n * 10n ** 18n;
const ROUTERS = new Set([
  "0x7a250d5630b4cf539739df2c5dacb4c659f2488d",
  "0xe592427a0aece92de3edee1f18e0157c05861564",
  "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45",
  "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b",
  "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad",
  "0x66a9893cc07d91d95644aedd05d03f95e1dba8af",
  "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f",
  "0x11111112542d85b3ef69ae05771c2dccff4faa26",
  "0x1111111254fb6c44bac0bed2854e76f90643097d",
  "0x1111111254eeb25477b68fb85ed929f73a960582",
  "0x111111125421ca6dc452d289314280a0f8842a65",
  "0xdef1c0ded9bec7f1a1670819833240f027b25eff",
]);
const SWAPS = selectors(
  "swapExactETHForTokens(uint256,address[],address,uint256)",
  "swapExactTokensForETH(uint256,uint256,address[],address,uint256)",
  "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
  "swapETHForExactTokens(uint256,address[],address,uint256)",
  "swapTokensForExactETH(uint256,uint256,address[],address,uint256)",
  "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)",
  "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)",
  "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
  "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
  "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
  "exactInput((bytes,address,uint256,uint256,uint256))",
  "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
  "exactOutput((bytes,address,uint256,uint256,uint256))",
  "execute(bytes,bytes[],uint256)",
);

export const PLAIN_RULES: Readonly<Record<string, PlainRule>> = {
  "failed-router-call": {
    sees: reverted,
    alerts: (tx) => (tx.to !== null && ROUTERS.has(tx.to)) || SWAPS.has(selectorOf(tx)),
  },
  "ownership-change": {
    sees: (tx) => logsOf(tx).some(({ topics }) => OWNERSHIP.has(topics[0]!)),
    alerts: () => true,
  },
  "unlimited-approval": {
    sees: (tx) => APPROVALS.has(selectorOf(tx)),
    alerts(tx) {
      const selector = selectorOf(tx);
      if (APPROVE.has(selector)) return word(tx, 1) === MAX;
      if (PERMIT.has(selector)) return word(tx, 2) === MAX;
      return word(tx, 4).length === 64 && /[1-9a-f]/.test(word(tx, 4));
    },
  },
  "watched-address": {
    sees: () => true,
    alerts: (tx) =>
      tx.from === WATCHED ||
      tx.to === WATCHED ||
      logsOf(tx).some(
        ({ topics }) =>
          topics[0] === TRANSFER && topics.length >= 3 && (topics[1] === WATCHED_TOPIC || topics[2] === WATCHED_TOPIC),
      ),
  },
  "whale-transfer": {
    sees: (tx) => BigInt(tx.value) >= WHALE,
    alerts: (tx) => !reverted(tx),
  },
};

const RULES = Object.entries(PLAIN_RULES);

/** Matches of all rules, as fast as it goes without an index. */
export function runPlain(transactions: readonly PlainTransaction[]): number {
  let matches = 0;
  for (const tx of transactions) for (const [, rule] of RULES) if (rule.sees(tx) && rule.alerts(tx)) matches++;
  return matches;
}

/**
 * What the rules make of these transactions. A frame that does not fit into a rule's input area is a failure of the rule on that
 * transaction; that takes thousands of logs, so nothing shorter is looked at.
 */
export function countPlain(lines: readonly string[]): PlainCounts {
  const seen: Record<string, number> = {};
  const alerted: Record<string, number> = {};
  const failed: Record<string, number> = {};
  for (const line of lines) {
    const tx = JSON.parse(line) as PlainTransaction;
    const tooLarge = line.length > RUN_LIMITS.inputBytes && frameBytes(line) > RUN_LIMITS.inputBytes - 8;
    for (const [name, rule] of RULES) {
      if (!rule.sees(tx)) continue;
      seen[name] = (seen[name] ?? 0) + 1;
      if (tooLarge) failed[name] = (failed[name] ?? 0) + 1;
      else if (rule.alerts(tx)) alerted[name] = (alerted[name] ?? 0) + 1;
    }
  }
  return { seen, alerted, failed };
}

function frameBytes(line: string): number {
  const writer = createFrameWriter();
  const bytes = Buffer.from(line);
  decodeRecord(bytes, 0, bytes.length, CONTENT.json, writer, () => {});
  return writer.end;
}
