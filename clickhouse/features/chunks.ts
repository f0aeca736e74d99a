import type { Readable } from "node:stream";
import { builtInRegistry } from "../../engine/chain/registry/registry.ts";
import type { Store } from "../client.ts";
import type { Query } from "../queries/types.ts";
import { selectColumns } from "./catalogue.ts";
import { featureSql } from "./featureSql.ts";
import { minedWithin } from "./rows.ts";

export interface FeatureRequest {
  readonly chainId: number;
  /** Blocks of this time on. Default: all that are stored. */
  readonly since?: Date | undefined;
  /** Blocks before this time. */
  readonly until?: Date | undefined;
  /** Features, groups or columns; default all. */
  readonly names?: readonly string[] | undefined;
  /** Transactions a chunk takes about: what bounds memory. Blocks are not cut. */
  readonly chunkRows?: number | undefined;
  /** The chain's wrapped coin, hex: one token with the coin. Default: as the built-in registry says. */
  readonly wrapped?: string | undefined;
  /** Plan no more chunks than that; default all. */
  readonly atMost?: number | undefined;
}

/** One query of a request: a stretch of whole blocks. */
export interface FeatureChunk extends Query {
  readonly firstBlock: string;
  readonly lastBlock: string;
  /** Transactions stored of these blocks: rows of the answer but for repeats and replaced blocks. */
  readonly transactions: number;
}

/** With all features 50,000 in one query exceed the 1 GiB that the embedded store gives a query. */
export const CHUNK_ROWS = 10_000;

/**
 * Cuts a period into queries that together give its features, in order. The features of a transaction are the same however it is cut: each query
 * reads as far back as its windows reach.
 * @throws UsageError for a name that is no feature
 */
export async function planFeatures(store: Pick<Store, "rows">, request: FeatureRequest): Promise<FeatureChunk[]> {
  const { chainId, chunkRows = CHUNK_ROWS, atMost = 1_000_000 } = request;
  const sql = featureSql(selectColumns(request.names));
  const wrapped = (request.wrapped ?? builtInRegistry.chains.get(chainId)?.wrapped ?? "0x").slice(2);
  const rows = await store.rows<PlanRow>(PLAN, {
    chain: chainId,
    ...periodOf(request),
    rows: chunkRows,
    at_most: atMost,
  });
  return rows.map(({ first, last, from, to, transactions }) => ({
    sql,
    params: { chain: chainId, first, last, from, to, wrapped },
    firstBlock: first,
    lastBlock: last,
    transactions: Number(transactions),
  }));
}

interface PlanRow {
  readonly first: string;
  readonly last: string;
  /** Unix seconds of these blocks. */
  readonly from: string;
  readonly to: string;
  readonly transactions: string;
}

/** Blocks of a period with their time and how many of their transactions are stored. */
const BLOCKS = `SELECT assumeNotNull(block_number) AS block, toUnixTimestamp(assumeNotNull(any(block_timestamp))) AS time, count() AS here
    FROM transactions
    WHERE chain_id = {chain:UInt64} AND block_number IS NOT NULL AND block_hash IS NOT NULL AND transaction_index IS NOT NULL
      AND ${minedWithin("{from:Int64} - 1", "{to:Int64}")}
    GROUP BY block`;

const PLAN = `SELECT toString(min(block)) AS first, toString(max(block)) AS last, toString(min(time)) AS from, toString(max(time)) AS to,
  toString(sum(here)) AS transactions
FROM (
  SELECT block, time, here, intDiv(sum(here) OVER (ORDER BY block ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - 1, {rows:UInt64}) AS piece
  FROM (${BLOCKS})
)
GROUP BY piece
ORDER BY min(block)
LIMIT {at_most:UInt64}`;

const periodOf = ({ since, until }: FeatureRequest) => ({
  from: since === undefined ? 0 : Math.ceil(since.getTime() / 1000),
  to: until === undefined ? 2 ** 32 - 1 : Math.ceil(until.getTime() / 1000) - 1,
});

/** How many transactions of each block time (Unix seconds, ascending) are stored of a period. */
export async function featureTimes(
  store: Pick<Store, "rows">,
  request: FeatureRequest,
): Promise<[time: number, rows: number][]> {
  const rows = await store.rows<{ time: number; rows: string }>(
    `SELECT time, sum(here) AS rows FROM (${BLOCKS}) GROUP BY time ORDER BY time`,
    { chain: request.chainId, ...periodOf(request) },
  );
  return rows.map(({ time, rows }) => [time, Number(rows)]);
}

/**
 * Features of a period as bytes of a ClickHouse format that streams (TSV, CSV, JSONEachRow, JSONCompactEachRow, RowBinary, Native), chunk by chunk, one after
 * the other. A chunk's stream must be read to its end before the next is asked for.
 */
export async function* streamFeatures(store: Store, request: FeatureRequest, format: string): AsyncGenerator<Readable> {
  for (const { sql, params } of await planFeatures(store, request)) yield await store.stream(sql, params, format);
}
