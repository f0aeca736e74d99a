import type { Store } from "../../client.ts";

/** Rows of `swaps` made of their number, in SQL; `swapOf` is the same in TypeScript. */
export interface SwapRows {
  readonly partition: number;
  /** First offset; row i has offset + i. */
  readonly offset: number;
  readonly count: number;
  /** Block of the first row; ten rows a block. */
  readonly block: number;
  readonly chain?: number;
  /** Default: tx_raw. */
  readonly source?: string;
}

const hex = (width: number, text: string): string => `unhex(leftPad(lower(hex(${text})), ${2 * width}, '0'))`;

/** The seed of a row's values: no two rows of a test have the same. */
const id = (rows: SwapRows): string => `toUInt64(number + ${rows.offset} + 10000000 * ${rows.partition})`;

export async function addSwaps(store: Store, rows: SwapRows): Promise<void> {
  const { partition, offset, count, block, chain = 1, source = "tx_raw" } = rows;
  const height = `${block} + intDiv(number, 10)`;
  const time = `toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + toIntervalSecond(12 * (${height}))`;
  await store.command(`INSERT INTO swaps (source, partition, offset, n, event_time, chain_id, block_number, block_hash, block_timestamp,
    transaction_index, tx_hash, tx_from, tx_to, log_index, protocol, pool, sender, recipient, token_in, amount_in, token_out, amount_out,
    provenance, reserve0, liquidity, tick, status, confidence, reason, evidence)
  SELECT '${source}', ${partition}, number + ${offset}, 0, ${time}, ${chain}, ${height}, ${hex(32, `toUInt64(${height})`)}, ${time},
    number % 10, ${hex(32, id(rows))}, ${hex(20, "toUInt64(number % 7)")}, if(number % 3 = 0, NULL, ${hex(20, "toUInt64(number % 5)")}),
    number % 10, if(number % 2 = 0, 'uniswap_v2', 'curve'), ${hex(20, "toUInt64(number % 11)")}, ${hex(20, "toUInt64(1)")},
    ${hex(20, "toUInt64(2)")}, ${hex(20, "toUInt64(3)")}, bitShiftLeft(toUInt256(1), 250) + ${id(rows)}, ${hex(20, "toUInt64(4)")}, ${id(rows)},
    'log', if(number % 4 = 0, NULL, toUInt256(number)), toUInt128(number), if(number % 2 = 0, -1 - toInt32(number % 1000), NULL),
    'confirmed', 'high', 'it''s "so",\\n\\\\ äö', range(toUInt32(number % 3))
  FROM numbers(${count})`);
}

/** What every format must give of a row, as JSON would have it; times in ms. */
export interface SwapValues {
  readonly offset: number;
  readonly event_time: number;
  readonly block_number: number;
  readonly tx_hash: string;
  readonly tx_to: string | null;
  readonly protocol: string;
  readonly pool: string;
  readonly amount_in: string;
  readonly tick: number | null;
  readonly reason: string;
  readonly evidence: readonly number[];
  readonly block_status: string;
}

export const SWAP_VALUES = [
  ...["offset", "event_time", "block_number", "tx_hash", "tx_to", "protocol", "pool"],
  ...["amount_in", "tick", "reason", "evidence", "block_status"],
] as const;

const bytes = (width: number, number: number): string => `0x${number.toString(16).padStart(2 * width, "0")}`;

export function swapsOf({ partition, offset, count, block }: SwapRows): SwapValues[] {
  return Array.from({ length: count }, (_, i) => {
    const seed = i + offset + 10_000_000 * partition;
    const height = block + Math.floor(i / 10);
    return {
      offset: offset + i,
      event_time: Date.UTC(2024, 0, 1) + 12_000 * height,
      block_number: height,
      tx_hash: bytes(32, seed),
      tx_to: i % 3 === 0 ? null : bytes(20, i % 5),
      protocol: i % 2 === 0 ? "uniswap_v2" : "curve",
      pool: bytes(20, i % 11),
      amount_in: String((1n << 250n) + BigInt(seed)),
      tick: i % 2 === 0 ? -1 - (i % 1000) : null,
      reason: 'it\'s "so",\n\\ äö',
      evidence: Array.from({ length: i % 3 }, (_, n) => n),
      block_status: "confirmed",
    };
  });
}
