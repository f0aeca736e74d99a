/** The newest blocks of a chain, as the store has them, ready for engine/chain/gas. */
import { chainsQuery, type GasBlockRow, gasBlocksQuery } from "../clickhouse/queries/gas.ts";
import type { FeeHeader } from "../engine/chain/gas/baseFee.ts";
import type { Tip } from "../engine/chain/gas/priorityFees.ts";
import type { ReadableStore } from "./deps.ts";
import { READ_SETTINGS } from "./list.ts";
import { refuse } from "./problem.ts";

export interface GasBlock {
  readonly number: number;
  readonly hash: string | null;
  readonly timestamp: string | null;
  /** undefined: the records do not say what the block used, or may use. */
  readonly header: FeeHeader | undefined;
  readonly baseFee: bigint | undefined;
  readonly seen: number;
  readonly transactions: number | null;
  /** undefined: not all transactions are stored, or a receipt does not say what was paid or used. */
  readonly tips: readonly Tip[] | undefined;
}

/** @returns at least one, highest first @throws 404 if none of the chain is stored */
export async function readGasBlocks(store: ReadableStore, chainId: number, blocks: number): Promise<GasBlock[]> {
  const { sql, params } = gasBlocksQuery(chainId, blocks);
  const rows = await store.rows<GasBlockRow>(sql, params, READ_SETTINGS);
  if (rows.length > 0) return rows.map(toBlock);
  const chains = await store.rows<{ chain_id: string }>(chainsQuery().sql, {}, READ_SETTINGS);
  const known = chains.map(({ chain_id }) => chain_id).join(", ") || "none";
  throw refuse(404, `No block of chain ${chainId} is stored: expected a chain_id of those that are: ${known}`);
}

function toBlock(row: GasBlockRow): GasBlock {
  const number = Number(row.number);
  const baseFee = row.base_fee === null ? undefined : BigInt(row.base_fee);
  return {
    ...{ number, hash: row.hash, timestamp: row.timestamp, baseFee },
    ...{ seen: row.paid.length, transactions: row.transactions },
    header:
      row.gas_used === null || row.gas_limit === null
        ? undefined
        : {
            ...{ number, baseFee, gasUsed: BigInt(row.gas_used), gasLimit: BigInt(row.gas_limit) },
            extraData: row.extra_data || undefined,
            blobGasUsed: row.blob_gas_used === "" ? undefined : BigInt(row.blob_gas_used),
          },
    tips: row.transactions === row.paid.length ? tipsOf(row.paid, baseFee ?? 0n) : undefined,
  };
}

function tipsOf(paid: GasBlockRow["paid"], baseFee: bigint): Tip[] | undefined {
  const tips: Tip[] = [];
  for (const [price, gas] of paid) {
    if (price === null || gas === null) return undefined;
    const fee = BigInt(price) - baseFee;
    tips.push({ fee: fee < 0n ? 0n : fee, gasUsed: BigInt(gas) }); // Optimism's deposits pay nothing
  }
  return tips;
}
