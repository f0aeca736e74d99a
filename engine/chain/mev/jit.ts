/**
 * JIT liquidity: in one block and one pool, somebody adds liquidity to a range, others swap, and the same position gives all of it back;
 * the three in different transactions. The swappers pay less for their trade, the pool's other providers lose its fees.
 *
 * A position is its pool, owner and range (V4: and salt). Positions of a manager contract belong to many: they are the same one if the
 * liquidity is equal and one account sent both transactions.
 */
import { hexAt, logCount, logIndex, logsAt, nextEntry } from "../../frame/readFrame.ts";
import { LOG, OFFSET } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import { createEvent } from "../event.ts";
import type { JitFinding } from "../finding.ts";
import type { Address, Swap } from "../swap.ts";
import { createTopicTable } from "../topicTable.ts";
import { hasHappened } from "../transfers.ts";

const mint = createEvent("Mint", [
  "address",
  "indexed address", // owner
  "indexed int24", // range, from
  "indexed int24", // to
  "uint128", // liquidity
  "uint256",
  "uint256",
]);
const burn = createEvent("Burn", [
  "indexed address", // owner
  "indexed int24",
  "indexed int24",
  "uint128", // liquidity
  "uint256",
  "uint256",
]);
const modify = createEvent("ModifyLiquidity", [
  "indexed bytes32", // pool
  "indexed address", // owner
  "int24",
  "int24",
  "int256", // liquidity added, or taken out
  "bytes32", // salt
]);

/** A test computes the topics from the signatures. */
export const LIQUIDITY_EVENTS = [
  { event: mint, topic0: "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde" },
  { event: burn, topic0: "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c" },
  { event: modify, topic0: "0xf208f4912782fd25c7f114ca3723a2d5dd6f3bcc3ac8db5af63baa85f711d5ec" },
] as const;
const table = createTopicTable(LIQUIDITY_EVENTS.map(({ topic0 }) => topic0));
const [MINT, BURN] = [0, 1];

/** Contracts that hold positions for their users: Uniswap's on most chains, on BSC, on Base, PancakeSwap's, V4's on Ethereum. */
const MANAGERS: ReadonlySet<Address> = new Set([
  "0xc36442b4a4522e871399cd717abdd847ab11fe88",
  "0x7b8a01b39d58278b5de7e48c8449c9f4f5170613",
  "0x03a520b32c04bf3beef7beb72e919cf822ed34f1",
  "0x46a15b0b27311cedf172ab29e4f4766fbe7f4364",
  "0xbd216513d74c8cf14cf4747e6aaa6420ff64ee9e",
]);

/** Liquidity that came (positive) or went. */
interface Change {
  readonly transaction: number;
  readonly sender: Address;
  readonly logIndex: number;
  readonly pool: Address;
  readonly owner: Address;
  readonly position: string;
  readonly range: readonly [from: bigint, to: bigint];
  readonly liquidity: bigint;
}

/** @param swaps of the block, ordered by transaction and log. Nothing of a block that is not complete. */
export function findJit(view: BlockView, swaps: readonly Swap[]): JitFinding[] {
  const findings: JitFinding[] = [];
  if (!view.complete) return findings;
  const open = new Map<string, Change[]>();
  for (const change of liquidityChanges(view)) {
    const mints = open.get(change.position) ?? [];
    if (change.liquidity > 0n) {
      mints.push(change);
      open.set(change.position, mints);
      continue;
    }
    const at = mints.findIndex((added) => isSamePosition(added, change));
    if (at < 0) continue;
    const [added] = mints.splice(at, 1);
    const between = swaps.filter(
      ({ transaction, pool }) =>
        pool === change.pool && transaction > added!.transaction && transaction < change.transaction,
    );
    const others = between.filter(({ transaction }) => senderOf(view, transaction) !== added!.sender);
    if (others.length > 0) findings.push(findingOf(added!, change, others));
  }
  return findings.sort((a, b) => a.transaction - b.transaction || a.logIndex - b.logIndex);
}

const isSamePosition = (added: Change, removed: Change): boolean =>
  added.transaction < removed.transaction &&
  added.liquidity === -removed.liquidity &&
  (!MANAGERS.has(added.owner) || added.sender === removed.sender);

function findingOf(added: Change, removed: Change, swaps: readonly Swap[]): JitFinding {
  const [from, to] = added.range;
  const isInside = ({ after }: Swap): boolean =>
    after !== undefined && "tick" in after && after.tick >= from && after.tick < to;
  const inside = swaps.some(isInside);
  return {
    kind: "jit",
    transaction: added.transaction,
    logIndex: added.logIndex,
    protocol: swaps[0]!.protocol,
    pool: added.pool,
    provider: MANAGERS.has(added.owner) ? added.sender : added.owner,
    mintTransaction: added.transaction,
    swapTransactions: [...new Set(swaps.map(({ transaction }) => transaction))],
    burnTransaction: removed.transaction,
    liquidity: added.liquidity,
    confidence: inside ? "high" : "medium",
    reason: `one position was there for others' swaps only${inside ? "" : "; the price stood outside of its range after each"}`,
    evidence: [added.logIndex, ...swaps.map(({ logIndex: log }) => log), removed.logIndex],
  };
}

const senderOf = (view: BlockView, transaction: number): Address =>
  hexAt(view, view.frames[transaction]! + OFFSET.from, 20);

function liquidityChanges(view: BlockView): Change[] {
  const changes: Change[] = [];
  for (const [transaction, frame] of view.frames.entries()) {
    for (let i = logCount(view, frame), log = logsAt(view, frame); i > 0; i--, log = nextEntry(view, log)) {
      const found = table.find(view, log);
      if (found < 0 || !hasHappened(view, frame)) continue;
      const read = readChange(view, log, found);
      if (!read || read.liquidity === 0n) continue;
      changes.push({ ...read, transaction, sender: senderOf(view, transaction), logIndex: logIndex(view, log) });
    }
  }
  return changes;
}

function readChange(view: BlockView, log: number, found: number) {
  const contract = hexAt(view, log + LOG.address, 20);
  if (found === MINT) {
    const values = mint.read(view, log);
    if (!values) return undefined;
    const [, owner, from, to, liquidity] = values;
    return {
      pool: contract,
      owner,
      position: `${contract}${owner} ${from} ${to}`,
      range: [from, to] as const,
      liquidity,
    };
  }
  if (found === BURN) {
    const values = burn.read(view, log);
    if (!values) return undefined;
    const [owner, from, to, liquidity] = values;
    return {
      pool: contract,
      owner,
      position: `${contract}${owner} ${from} ${to}`,
      range: [from, to] as const,
      liquidity: -liquidity,
    };
  }
  const values = modify.read(view, log);
  if (!values) return undefined;
  const [pool, owner, from, to, liquidity, salt] = values;
  return { pool, owner, position: `${pool}${owner} ${from} ${to} ${salt}`, range: [from, to] as const, liquidity };
}
