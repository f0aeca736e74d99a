/**
 * What is stored of one transaction's life: all transactions of its sender with its nonce, of which one can be mined, and what was around it.
 * What that comes to is api/life.ts.
 */
import { blockStatus, commonConditions, equal, equalHex, hex, iso, isReplaced, paramsOf, where } from "./list.ts";
import type { Condition, Query } from "./types.ts";

/** A hash of a sender and nonce, over all its sightings. */
export interface SlotRow {
  readonly tx_hash: string;
  /** RFC 3339, of all sources; null: never seen pending. */
  readonly first_seen: string | null;
  /** When it last came in, pending or in a block. */
  readonly last_seen: string;
  /** Wei per gas that it offers at most. */
  readonly fee: string | null;
  /** Blocks that have it or had it, by height. */
  readonly blocks: readonly SlotBlock[];
}
export type SlotBlock = readonly [
  number: string,
  hash: string | null,
  time: string,
  index: number | null,
  status: "provisional" | "confirmed" | "retracted",
];

/** Hashes of one sender and nonce that are looked at: a wallet that raises its fee does so a few times. */
const MAX_HASHES = 1_000;

/** A record need not have its block's. */
const TIME_OF_BLOCK = "ifNull(toDateTime64(t.block_timestamp, 6, 'UTC'), t.event_time)";

/** What is looked at of a sender: a table in the order of time has all of its rows somewhere, and those of some hours together. */
export interface SenderScope {
  readonly chainId: number;
  /** `0x…` */
  readonly from: string;
  readonly since: Date;
  readonly until: Date;
}

const ofSender = ({ chainId, from, since, until }: SenderScope): Condition[] => [
  ...commonConditions({ chainId, since, until }, "event_time"),
  ...equalHex("from_address", from),
];

/** @param nonce decimal text @param hash is among the rows however many there are */
export function slotQuery(scope: SenderScope, nonce: string, hash: string): Query {
  const conditions = [...ofSender(scope), ...equal("nonce", "UInt64", nonce)];
  // a record need not name its block's hash; then it cannot be replaced
  const status = `if(t.block_hash IS NULL, 'confirmed', ${blockStatus})`;
  return {
    sql: `SELECT ${hex("t.hash")} AS tx_hash,
  ${iso("nullIf(min(if(t.block_number IS NULL, t.event_time, t.seen_at)), toDateTime64(0, 6, 'UTC'))")} AS first_seen,
  ${iso(`max(if(t.block_number IS NULL, t.event_time, ${TIME_OF_BLOCK}))`)} AS last_seen,
  toString(max(coalesce(t.max_fee_per_gas, t.gas_price))) AS fee,
  arraySort(b -> toUInt64(b.1), groupUniqArrayIf((toString(assumeNotNull(t.block_number)), ${hex("t.block_hash")},
    ${iso(TIME_OF_BLOCK)}, t.transaction_index, ${status}), t.block_number IS NOT NULL)) AS blocks
FROM transactions AS t${where(conditions)}
GROUP BY t.hash
ORDER BY t.hash = unhex({hash:String}) DESC, t.hash
LIMIT ${MAX_HASHES}`,
    params: { ...paramsOf(conditions), hash: hash.slice(2) },
  };
}

export interface AroundRow {
  /** Highest nonce of the sender that is mined, of what is looked at. */
  readonly mined_nonce: string | null;
  /** Time of the chain's newest block, RFC 3339: as of when all this is so. */
  readonly as_of: string | null;
  /** Heights of the last block before the transaction was first seen, and of the next one. */
  readonly head_at_first_seen: string | null;
  readonly next_after_first_seen: string | null;
  /** A source of pending transactions was healthy when it would have been seen. */
  readonly watched: number;
}

/** Blocks are looked for so far around the time at which a transaction was first seen. */
const NEAR = "INTERVAL 10 MINUTE";
/** Mined rows among which the newest block is: they are in the order in which they were first seen. */
const NEWEST = 1_000;
/** A source must have been healthy for so long before a block: what waits for longer it may not have been told. */
export const WATCHED_SECONDS = 60;

/** @param firstSeen RFC 3339 @param includedAt time of its block, RFC 3339 */
export function aroundQuery(scope: SenderScope, firstSeen: string | null, includedAt: string | null): Query {
  const mined = `t.chain_id = {chain_id:UInt64} AND t.block_number IS NOT NULL AND NOT ${isReplaced}`;
  const conditions = ofSender(scope);
  const at = (name: string): string => `parseDateTime64BestEffortOrNull({${name}:String}, 6, 'UTC')`;
  const blocks = `FROM transactions AS t WHERE ${mined}
    AND t.event_time BETWEEN ${at("first_seen")} - ${NEAR} AND ${at("first_seen")} + ${NEAR}`;
  return {
    sql: `SELECT
  (SELECT toString(max(t.nonce)) FROM transactions AS t${where([...conditions, { sql: mined }])} HAVING count() > 0) AS mined_nonce,
  (SELECT ${iso("max(time)")} FROM (SELECT ${TIME_OF_BLOCK} AS time FROM transactions AS t WHERE ${mined}
    ORDER BY t.chain_id DESC, t.event_time DESC LIMIT ${NEWEST}) HAVING count() > 0) AS as_of,
  (SELECT toString(max(t.block_number)) ${blocks} AND t.block_timestamp <= ${at("first_seen")}) AS head_at_first_seen,
  (SELECT toString(min(t.block_number)) ${blocks} AND t.block_timestamp > ${at("first_seen")}) AS next_after_first_seen,
  (SELECT count() > 0 FROM pending_coverage AS p FINAL WHERE p.chain_id = {chain_id:UInt64}
    AND p.since <= ${at("included_at")} - INTERVAL ${WATCHED_SECONDS} SECOND AND p.until >= ${at("included_at")}) AS watched`,
    params: { ...paramsOf(conditions), first_seen: firstSeen ?? "", included_at: includedAt ?? "" },
  };
}
