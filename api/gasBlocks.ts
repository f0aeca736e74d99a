/** The newest blocks of a chain, as the store has them, ready for engine/chain/gas. */
import { chainsQuery, type GasBlockRow, gasBlocksQuery } from "../clickhouse/queries/gas.ts";
import type { FeeHeader } from "../engine/chain/gas/baseFee.ts";
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
  /** Priority fees at FEE_PERCENTILES; undefined: not all transactions came in together, or a receipt does not say what was paid or used. */
  readonly fees: readonly bigint[] | undefined;
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
  const { hash, timestamp, transactions, transactions_seen: seen, gas_used, gas_limit } = row;
  const number = Number(row.number);
  const baseFee = row.base_fee_per_gas === null ? undefined : BigInt(row.base_fee_per_gas);
  const fees = row.fees.flatMap((fee) => (fee === null ? [] : [BigInt(fee)]));
  return {
    ...{ number, hash, timestamp, baseFee, seen, transactions },
    header:
      gas_used === null || gas_limit === null
        ? undefined
        : {
            ...{ number, baseFee, gasUsed: BigInt(gas_used), gasLimit: BigInt(gas_limit) },
            extraData: row.extra_data || undefined,
            blobGasUsed: row.blob_gas_used === null ? undefined : BigInt(row.blob_gas_used),
          },
    fees: fees.length === row.fees.length ? fees : undefined,
  };
}
