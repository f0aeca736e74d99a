/** What belongs to rows of a page, read for all of them at once: a page with its alerts is two queries, however many rows it has. */
import DataLoader from "dataloader";
import { ALERTS, type AlertRow } from "../../clickhouse/queries/alerts.ts";
import {
  ARBITRAGES,
  type ArbitrageRow,
  findingConditions,
  LIQUIDATIONS,
  type LiquidationRow,
  SANDWICHES,
  type SandwichRow,
  SWAPS,
  type SwapRow,
} from "../../clickhouse/queries/findingLists.ts";
import { ofTransactions } from "../../clickhouse/queries/list.ts";
import { TRANSACTIONS, type TransactionRow } from "../../clickhouse/queries/transactions.ts";
import type { Condition, ListSpec } from "../../clickhouse/queries/types.ts";
import { withArbitrages } from "../arbitrageTransactions.ts";
import { toArbitrage, toLiquidation, toSandwich, toSwap } from "../findings.ts";
import { readPage } from "../list.ts";
import { createAlertListing } from "../routes/alerts.ts";
import { readCounts } from "../routes/rules.ts";
import { type Transaction, toTransaction } from "../routes/transactions.ts";
import type { GraphqlDeps } from "./context.ts";

/** Rows that a transaction has of a kind, at most: the newest. */
export const MOST_RELATED = 100;

/** A transaction as it can be named by whatever belongs to it. */
export interface TransactionKey {
  readonly chain_id: number;
  readonly tx_hash: string;
  /** null: pending. Where it is known, findings are looked for in this block alone. */
  readonly block_number?: number | null | undefined;
}

export type Loaders = ReturnType<typeof createLoaders>;

const keyOf = ({ chain_id, tx_hash }: { chain_id: number | string; tx_hash: string }): string =>
  `${chain_id} ${tx_hash}`;
const cacheKeyFn = keyOf;

export function createLoaders({ store, labels, log }: Pick<GraphqlDeps, "store" | "labels" | "log">) {
  const alerts = createAlertListing({ labels, log });

  async function read<Row>(list: ListSpec, conditions: readonly Condition[], limit: number, by?: readonly string[]) {
    const page = { limit, offset: 0, ...(by && { most: { rows: MOST_RELATED, by } }) };
    return (await readPage<Row & { cursor: readonly string[] }>(store, list, conditions, page)).rows;
  }

  /** @param hashesOf transactions that a row belongs to */
  const related = <Row extends { readonly chain_id: string }, Body>(
    list: ListSpec,
    encode: (rows: readonly Row[]) => Promise<readonly Body[]> | readonly Body[],
    hashesOf: (row: Row) => readonly string[],
    { columns = ["tx_hash"], own }: { columns?: readonly string[]; own?: readonly Condition[] } = {},
  ) =>
    new DataLoader<TransactionKey, Body[], string>(
      async (keys) => {
        const heights = keys.flatMap(({ block_number }) => block_number ?? []);
        const inBlocks = own && heights.length === keys.length ? heights : undefined; // an alert may be of a pending sighting
        const wanted = ofTransactions(columns, keys.map(({ tx_hash }) => tx_hash), inBlocks);
        const by = columns.length === 1 ? ["chain_id", "tx_hash"] : undefined;
        const rows = await read<Row>(list, [wanted, ...(own ?? [])], keys.length * MOST_RELATED, by);
        const bodies = await encode(rows);
        const byKey = new Map<string, Body[]>(keys.map((key) => [keyOf(key), []]));
        for (const [i, row] of rows.entries())
          for (const tx_hash of new Set(hashesOf(row))) byKey.get(keyOf({ chain_id: row.chain_id, tx_hash }))?.push(bodies[i]!);
        return keys.map((key) => byKey.get(keyOf(key))!);
      },
      { cacheKeyFn, maxBatchSize: 1_000 },
    ); // biome-ignore format: one loader

  const happened = findingConditions({});
  const own = ({ tx_hash }: { tx_hash: string }) => [tx_hash];
  const each =
    <Row, Body>(encode: (row: Row) => Body) =>
    (rows: readonly Row[]): Body[] =>
      rows.map(encode);

  /** By definition: what an arbitrage has beside the fields of its transaction; of others nothing. */
  const arbitrageFields = new Map<string, DataLoader<Transaction, Partial<Transaction>, string>>();
  function arbitrageFieldsOf(definition: string): DataLoader<Transaction, Partial<Transaction>, string> {
    const known = arbitrageFields.get(definition);
    if (known) return known;
    const loader = new DataLoader<Transaction, Partial<Transaction>, string>(
      (rows) => withArbitrages(store, rows, definition) as Promise<readonly Partial<Transaction>[]>,
      { cacheKeyFn: (row) => `${row.source} ${row.partition} ${row.offset} ${row.n}`, maxBatchSize: 1_000 },
    );
    arbitrageFields.set(definition, loader);
    return loader;
  }

  return {
    alerts: related<AlertRow, unknown>(ALERTS, (rows) => alerts({}).encode(rows), own),
    swaps: related<SwapRow, unknown>(SWAPS, each(toSwap), own, { own: happened }),
    arbitrages: related<ArbitrageRow, unknown>(ARBITRAGES, each(toArbitrage), own, {
      own: [...happened, { sql: "t.definition = 'cycle'" }],
    }),
    liquidations: related<LiquidationRow, unknown>(LIQUIDATIONS, each(toLiquidation), own, { own: happened }),
    sandwiches: related<SandwichRow, unknown>(
      SANDWICHES,
      each(toSandwich),
      ({ frontrun_txs, victim_txs, backrun_txs }) => [...frontrun_txs, ...victim_txs, ...backrun_txs],
      { columns: ["frontrun_txs", "victim_txs", "backrun_txs"], own: happened },
    ),
    arbitrageFieldsOf,
    /** The mined sighting where there is one, the newest of them; else the pending one; null: it is not stored. */
    transaction: new DataLoader<TransactionKey, Transaction | null, string>(
      async (keys) => {
        const rows = await read<TransactionRow>(TRANSACTIONS, [ofTransactions(["hash"], keys.map(({ tx_hash }) => tx_hash))], keys.length * MOST_RELATED, ["chain_id", "hash"]); // biome-ignore format: one line
        const best = new Map<string, TransactionRow>();
        for (const row of rows) {
          const known = best.get(keyOf(row));
          if (!known || (known.block_number === null && row.block_number !== null)) best.set(keyOf(row), row);
        }
        return keys.map((key) => {
          const row = best.get(keyOf(key));
          return row ? toTransaction(row) : null;
        });
      },
      { cacheKeyFn, maxBatchSize: 1_000 },
    ),
    /** Counts of all rules are one query. */
    counts: once(() => readCounts(store)),
  };
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  return () => (known ??= read());
}
