/**
 * Takes in what collectors on Solana put on `arbitrage-transactions`, beside what we put there ourselves, which is passed over.
 *
 *     arbitrage-transactions ──▶ a Solana record ──▶ solana_transactions
 *                            └─▶ none of ours nor theirs ──▶ dead_letters, table and topic
 *
 * A transaction's rows are one, however often it was told and written (ReplacingMergeTree). Rows of dead letters are counted before they are
 * inserted, as those of the stream are; their records and the position are one Kafka transaction.
 */
import type { Store } from "../../clickhouse/client.ts";
import { type DeadLetterRow, encodeDeadLetters } from "../../clickhouse/tables/deadLetters.ts";
import {
  encodeSolanaTransactions,
  SOLANA_TRANSACTION_COLUMNS,
  type SolanaTransactionRow,
} from "../../clickhouse/tables/solanaTransactions.ts";
import { byPartition, followTopic, type Handled } from "../kafka/followTopic.ts";
import type { Message } from "../kafka/message.ts";
import type { Config } from "../ops/config.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";
import { storeRound } from "../sink/storeRound.ts";
import { letter, letterRecord } from "../worker/deadLetters.ts";
import { isRefusal, readSolanaRecord } from "./record.ts";

export interface SolanaOptions {
  readonly config: Pick<Config, "kafka">;
  readonly store: Store;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts; whatever is away is waited for. @throws what only a person can mend */
export function followSolana({ config, store, log, metrics, signal }: SolanaOptions): Promise<void> {
  const { arbitrageTransactions: topic, deadLetters } = config.kafka.topics;

  async function handle(messages: readonly Message[]): Promise<Handled> {
    const { rows, letters } = sort(messages);
    await insertRows(rows);
    for (const [partition, some] of byPartition(letters)) await insertLetters(partition, some, messages);
    return {
      records: letters.map((row) => {
        const { key, headers, value } = letterRecord(row);
        return { topic: deadLetters, key, headers, value: Buffer.from(value) };
      }),
      count() {
        countArbitrages(metrics, rows);
        for (const { reason } of letters) metrics.deadLetters.inc({ reason });
      },
    };
  }

  async function insertRows(rows: readonly SolanaTransactionRow[]): Promise<void> {
    if (rows.length === 0) return;
    await store.insertBlock({
      table: "solana_transactions",
      columns: SOLANA_TRANSACTION_COLUMNS.map(([name]) => name),
      types: SOLANA_TRANSACTION_COLUMNS.map(([, type]) => type),
      format: "Native",
      bodies: [encodeSolanaTransactions(rows).bytes],
      rows: rows.length,
    });
  }

  /** What an attempt before this one inserted of these records, cut in another way, is found by their offsets. */
  async function insertLetters(
    partition: number,
    letters: readonly DeadLetterRow[],
    messages: readonly Message[],
  ): Promise<void> {
    const offsets = messages.filter((message) => message.partition === partition).map(({ offset }) => offset);
    const [from, to] = [offsets[0]!, offsets.at(-1)! + 1];
    const blocks = { dead_letters: [encodeDeadLetters(letters)] };
    const range = { from, cuts: [to], round: `${topic}/${partition}:${from}-${to}`, recovered: true, blocks };
    await storeRound({
      ...{ store, source: topic, members: [{ partition, range }], signal, failpoint: () => {} },
      retry: async (error) => {
        throw error;
      },
    });
  }

  return followTopic({ config, topic, name: "solana", handle, log, metrics, signal });
}

/** As those that the engine finds. Of what does not say its net profit nothing is added to that. */
function countArbitrages(metrics: Metrics, rows: readonly SolanaTransactionRow[]): void {
  metrics.solanaTransactions.inc(rows.length);
  metrics.transactionsDetected.inc({ chain: "solana" }, rows.length);
  metrics.arbitrageTransactions.inc({ chain: "solana" }, rows.length);
  metrics.rates.arbitrageTransactions.add(rows.length);
  for (const { net_profit_sol } of rows)
    if (net_profit_sol !== null && net_profit_sol > 0n) metrics.profitSol.inc(Number(net_profit_sol) / LAMPORTS);
}

const LAMPORTS = 1e9;

/** What the messages bring, and what cannot be taken of them. */
function sort(messages: readonly Message[]): { rows: SolanaTransactionRow[]; letters: DeadLetterRow[] } {
  const rows: SolanaTransactionRow[] = [];
  const letters: DeadLetterRow[] = [];
  for (const { topic, partition, offset, timestamp, value } of messages) {
    const read = readSolanaRecord(value);
    if (read === undefined) continue;
    const place = { source: topic, partition, offset, record_time: timestamp };
    const bytes = value ?? new Uint8Array(0);
    if (isRefusal(read)) {
      const { reason, detail } = read;
      const at = `Cannot take the Solana record at ${topic}/${partition}, offset ${offset}`;
      letters.push(letter({ ...place, n: 0, reason, detail: `${at}: ${detail}`, rule: "", bytes }));
      continue;
    }
    const { signature, blockTime, slot, revenue, netProfit } = read;
    rows.push({
      ...{ tx_signature: signature, block_time: blockTime, slot, revenue_sol: revenue, net_profit_sol: netProfit },
      ...{ record: bytes, ...place },
    });
  }
  return { rows, letters };
}
