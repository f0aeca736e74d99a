import { hash as digest } from "node:crypto";
import type { Block } from "../../clickhouse/native.ts";
import { encodeFindings, type FindingRow } from "../../clickhouse/tables/findings.ts";
import { isSmallOpportunity } from "../chain/opportunity/imbalance.ts";
import { isPair, reservesOf } from "../chain/opportunity/pool.ts";
import { has, hexAt, u32At, u64AsNumber } from "../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../frame/schema.ts";
import type { Decoded } from "./decode.ts";
import { placeOf } from "./findingRows.ts";
import type { FoundOpportunities, FoundOpportunity } from "./opportunities.ts";
import type { TopicRecord } from "./topicRecords.ts";
import { usdColumn } from "./usdColumn.ts";

type OpportunityTables = "opportunities" | "opportunity_captures";

/** A block of rows for each table that has any. */
export function encodeOpportunities(
  decoded: Decoded,
  { opportunities, captures }: FoundOpportunities,
): Partial<Record<OpportunityTables, Block[]>> {
  const tables: Partial<Record<OpportunityTables, Block[]>> = {};
  if (opportunities.length > 0)
    tables.opportunities = [encodeFindings("opportunities", opportunities.map((found) => rowOf(decoded, found)))]; // biome-ignore format: a line a table
  if (captures.length > 0)
    tables.opportunity_captures = [
      encodeFindings(
        "opportunity_captures",
        captures.map(({ block, transaction, logIndex, pool, account }) => [
          placeOf(decoded, block, transaction),
          { log_index: logIndex, pool, account },
        ]),
      ),
    ];
  return tables;
}

function rowOf(decoded: Decoded, found: FoundOpportunity): FindingRow<"opportunities"> {
  const { opportunity } = found;
  const { status } = found;
  const { confidence, reason, evidence } = opportunity;
  const place = pendingPlaceOf(decoded, found.number);
  return [place, columnsOf(found, place), { status, confidence, reason, evidence }];
}

type Place = FindingRow<"opportunities">[0];

/** As `placeOf` of findings, of what may be in no block yet. */
function pendingPlaceOf(decoded: Decoded, number: number): Place {
  const { bytes, words, frames } = decoded;
  const frame = frames[number]!;
  const all = { bytes, u32: words };
  const given = (bit: number): boolean => has(all, frame, bit);
  const view = (offset: number, width: number): Uint8Array => bytes.subarray(frame + offset, frame + offset + width);
  return {
    source: decoded.source,
    partition: decoded.partition,
    offset: decoded.offsets[number]!,
    n: decoded.indexes[number]!,
    event_time: decoded.events[number]!,
    chain_id: u64AsNumber(all, frame + OFFSET.chainId),
    block_number: given(PRESENT.blockNumber) ? u64AsNumber(all, frame + OFFSET.blockNumber) : null,
    block_hash: given(PRESENT.blockHash) ? view(OFFSET.blockHash, 32) : null,
    block_timestamp: given(PRESENT.blockTimestamp) ? u64AsNumber(all, frame + OFFSET.blockTimestamp) : null,
    transaction_index: given(PRESENT.transactionIndex) ? u32At(all, frame + OFFSET.transactionIndex) : null,
    tx_hash: view(OFFSET.hash, 32),
    tx_from: view(OFFSET.from, 20),
    tx_to: given(PRESENT.to) ? view(OFFSET.to, 20) : null,
  };
}

function columnsOf({ opportunity, decimals }: FoundOpportunity, place: Place): FindingRow<"opportunities">[1] {
  const { kind, pool, imbalance, trade, exposure } = opportunity;
  const [reserve0, reserve1] = reservesOf(pool);
  const { cycle, net = null, netUsd = null } = trade ?? {};
  const whole = (amount: bigint, token: string): number | null => {
    const places = decimals(token);
    return places === undefined ? null : Number(amount) / 10 ** places;
  };
  return {
    opportunity_id: idOf(kind, place, pool.address, trade?.other.address),
    kind,
    log_index: opportunity.logIndex,
    state_block: opportunity.stateBlock,
    dex: opportunity.dex,
    pool: pool.address,
    token0: pool.token0,
    token1: pool.token1,
    reserve0: whole(reserve0, pool.token0),
    reserve1: whole(reserve1, pool.token1),
    reserve0_raw: reserve0,
    reserve1_raw: reserve1,
    sqrt_price_x96: isPair(pool) ? null : pool.sqrtPriceX96,
    liquidity: isPair(pool) ? null : pool.liquidity,
    imbalance_pct: imbalance.pct,
    imbalance_pct_raw: imbalance.rawPct,
    other_dex: trade?.otherDex ?? "",
    other_pool: trade?.other.address ?? null,
    profit_token: cycle?.token ?? null,
    amount_in_raw: cycle?.amountIn ?? null,
    amount_out_raw: cycle?.amountOut ?? null,
    profit_raw: cycle?.profit ?? null,
    gas_cost_raw: trade?.gasCost ?? null,
    profit_native: net === null ? null : Number(net) / 1e18,
    profit_native_raw: net,
    profit_usd: usdColumn(netUsd),
    is_small_opportunity: netUsd === null ? null : isSmallOpportunity(netUsd),
    exposure_token: exposure?.token ?? null,
    exposure_front_raw: exposure?.front ?? null,
    exposure_loss_raw: exposure?.loss ?? null,
    exposure_profit_raw: exposure?.profit ?? null,
  };
}

/** It depends on what it is about and nothing else: of a replay it is the same. */
function idOf(kind: string, { chain_id, tx_hash, block_hash }: Place, pool: string, other = ""): Uint8Array {
  const hash = Buffer.from(tx_hash as Uint8Array).toString("hex");
  const block = block_hash === null ? "pending" : Buffer.from(block_hash as Uint8Array).toString("hex");
  const about = [kind, chain_id, hash, block, pool, other].join("\n");
  return new Uint8Array(Buffer.from(digest("sha256", about).slice(0, 32), "hex"));
}

const HEADERS = { "content-type": "application/json" };

/** Opportunities on their topic, keyed by chain and transaction: the columns of their table, exact amounts as decimal strings. */
export function opportunityRecords(decoded: Decoded, { opportunities }: FoundOpportunities): TopicRecord[] {
  return opportunities.map((found) => {
    const [place, columns, judged] = rowOf(decoded, found);
    const { chain_id, block_number, tx_hash, block_hash, event_time, source: topic, partition, offset, n } = place;
    const value = {
      ...{ id: columns.opportunity_id, kind: columns.kind, chain_id, block_number, block_hash, tx_hash },
      ...without(columns, ["opportunity_id", "kind", "profit_usd"]),
      profit_usd: found.opportunity.trade?.netUsd ?? null,
      ...judged,
      detected_at: new Date(Math.floor(event_time / 1000)).toISOString(),
      source: { topic, partition, offset, n },
    };
    const hash = hexAt({ bytes: decoded.bytes, u32: decoded.words }, decoded.frames[found.number]! + OFFSET.hash, 32);
    return {
      ...{ topic: "arbitrage-opportunities", key: `${chain_id}:${hash}`, headers: HEADERS },
      value: Buffer.from(JSON.stringify(value, asText)),
    };
  });
}

/** Of an id its digits, as everywhere; of other bytes 0x and theirs; integers of any width as text. */
function asText(key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (!(value instanceof Uint8Array)) return value;
  const digits = Buffer.from(value).toString("hex");
  return key === "id" ? digits : `0x${digits}`;
}

function without<T extends object, K extends keyof T>(object: T, names: readonly K[]): Omit<T, K> {
  const copy = { ...object };
  for (const name of names) delete copy[name];
  return copy;
}
