/**
 * One life per transaction: first seen by whichever source, then included, replaced or dropped, or pending still. Of blocks that were replaced
 * nothing counts but that the transaction was in them.
 */
import { z } from "@hono/zod-openapi";
import { type AroundRow, aroundQuery, type SenderScope, type SlotRow, slotQuery } from "../clickhouse/queries/life.ts";
import type { TransactionRow } from "../clickhouse/queries/transactions.ts";
import type { ApiDeps, ReadableStore } from "./deps.ts";
import { READ_SETTINGS } from "./list.ts";

const describe = <T extends z.ZodType>(schema: T, description: string) => schema.openapi({ description });
const block = { block_number: z.int(), block_hash: z.string().nullable() };

export const lifeSchema = z
  .object({
    chain_id: z.int(),
    tx_hash: z.string(),
    from_address: z.string(),
    nonce_raw: describe(z.string(), "decimal text"),
    status: describe(
      z.enum(["pending", "included", "replaced", "dropped"]),
      "replaced: another transaction of the same sender and nonce is in a block, or is pending and offers more; dropped: in no block, and will be in none as far as we can tell. What its sender did longer than WEIR_PENDING_DROP_SECONDS before it was first seen, or after it was last seen, does not count",
    ),
    first_seen: describe(z.string().nullable(), "first seen pending, by any source; null: never"),
    included: z
      .object({
        ...block,
        transaction_index: z.int().nullable(),
        block_time: z.string(),
        status: describe(z.enum(["provisional", "confirmed"]), "provisional: the chain may still replace the block"),
      })
      .nullable(),
    blocks_waited: describe(
      z.int().nullable(),
      "blocks from when it was first seen, its own included: 1 is the next block, 0 that it was first seen after its block's time; null where it is in no block, was never seen pending, or the blocks around that time are not stored",
    ),
    never_seen_pending: describe(
      z.boolean().nullable(),
      "true: private order flow; said of an included transaction only while a source of its chain's pending transactions was connected and healthy in the minute before its block, else null",
    ),
    replaced_by: z.object({ tx_hash: z.string(), pending: z.boolean(), block_number: z.int().nullable() }).nullable(),
    dropped_because: describe(
      z.enum(["nonce_passed", "too_old"]).nullable(),
      "nonce_passed: a later nonce of its sender is mined; too_old: last seen longer than WEIR_PENDING_DROP_SECONDS before the newest block",
    ),
    left_blocks: describe(z.array(z.object(block)), "blocks it was in that the chain has replaced since"),
    as_of: describe(z.string().nullable(), "time of the chain's newest block that is stored"),
  })
  .openapi("TransactionLife");

export type Life = z.infer<typeof lifeSchema>;
type Transaction = Pick<TransactionRow, "chain_id" | "tx_hash" | "from_address" | "nonce">;
type Sighting = Transaction & Pick<TransactionRow, "detected_at">;
type LifeConfig = Pick<ApiDeps["config"]["api"], "pendingDropSeconds">;

/** @param sightings of one transaction, all that are stored */
export async function readLife(
  store: ReadableStore,
  sightings: readonly Sighting[],
  config: LifeConfig,
): Promise<Life> {
  const transaction = sightings[0]!;
  const { tx_hash, nonce } = transaction;
  const scope = scopeOf(sightings, config);
  const slot = slotQuery(scope, nonce, tx_hash);
  const rows = await store.rows<SlotRow>(slot.sql, slot.params, READ_SETTINGS);
  const own = rows.find((row) => row.tx_hash === tx_hash)!;
  const around = aroundQuery(scope, own.first_seen, inclusionOf(own)?.[2] ?? null);
  const [found] = await store.rows<AroundRow>(around.sql, around.params, READ_SETTINGS);
  return lifeOf(transaction, rows, found!, config);
}

/** What its sender does later than that does not matter: it is dropped by then. */
function scopeOf(sightings: readonly Sighting[], { pendingDropSeconds }: LifeConfig): SenderScope {
  const times = sightings.map(({ detected_at }) => Date.parse(detected_at));
  const { chain_id, from_address } = sightings[0]!;
  return {
    ...{ chainId: Number(chain_id), from: from_address },
    since: new Date(Math.min(...times) - pendingDropSeconds * 1_000),
    until: new Date(Math.max(...times) + pendingDropSeconds * 1_000),
  };
}

/** @param slot the transactions of its sender with its nonce, itself among them */
export function lifeOf(
  { chain_id, tx_hash, from_address, nonce }: Transaction,
  slot: readonly SlotRow[],
  around: AroundRow,
  { pendingDropSeconds }: LifeConfig,
): Life {
  const own = slot.find((row) => row.tx_hash === tx_hash)!;
  const inclusion = inclusionOf(own);
  const rival = inclusion ? undefined : rivalOf(own, slot);
  const dropped = inclusion || rival ? null : dropReason(own, nonce, around, pendingDropSeconds);
  return {
    ...{ chain_id: Number(chain_id), tx_hash, from_address, nonce_raw: nonce },
    status: inclusion ? "included" : rival ? "replaced" : dropped ? "dropped" : "pending",
    first_seen: own.first_seen,
    included: inclusion ? describeInclusion(inclusion) : null,
    blocks_waited: inclusion && own.first_seen !== null ? blocksWaited(Number(inclusion[0]), around) : null,
    never_seen_pending: !inclusion ? null : own.first_seen !== null ? false : around.watched === 1 ? true : null,
    replaced_by: rival ?? null,
    dropped_because: dropped,
    left_blocks: own.blocks
      .filter(([, , , , status]) => status === "retracted")
      .map(([number, hash]) => ({ block_number: Number(number), block_hash: hash })),
    as_of: around.as_of,
  };
}

type Inclusion = SlotRow["blocks"][number];

const inclusionOf = ({ blocks }: SlotRow): Inclusion | undefined =>
  blocks.find(([, , , , status]) => status !== "retracted");

const describeInclusion = ([number, hash, time, index, status]: Inclusion): NonNullable<Life["included"]> => ({
  ...{ block_number: Number(number), block_hash: hash, transaction_index: index, block_time: time },
  status: status as "provisional" | "confirmed",
});

/** What took its place: the one that is mined, else the pending one that offers most, if that is more. */
function rivalOf(own: SlotRow, slot: readonly SlotRow[]): Life["replaced_by"] | undefined {
  const others = slot.filter((row) => row !== own);
  for (const other of others) {
    const inclusion = inclusionOf(other);
    if (inclusion) return { tx_hash: other.tx_hash, pending: false, block_number: Number(inclusion[0]) };
  }
  const fee = (row: SlotRow): bigint => BigInt(row.fee ?? 0);
  const best = others.reduce((most, row) => (fee(row) > fee(most) ? row : most), own);
  return best === own ? undefined : { tx_hash: best.tx_hash, pending: true, block_number: null };
}

function dropReason(own: SlotRow, nonce: string, around: AroundRow, dropSeconds: number): Life["dropped_because"] {
  if (around.mined_nonce !== null && BigInt(around.mined_nonce) >= BigInt(nonce)) return "nonce_passed";
  if (around.as_of === null) return null;
  return Date.parse(around.as_of) - Date.parse(own.last_seen) > dropSeconds * 1_000 ? "too_old" : null;
}

/** Known where the block before and the one after follow each other: of a gap between them any could have been there at the time. */
function blocksWaited(included: number, { head_at_first_seen, next_after_first_seen }: AroundRow): number | null {
  if (head_at_first_seen === null) return null;
  const head = Number(head_at_first_seen);
  if (included <= head) return 0;
  return Number(next_after_first_seen) === head + 1 ? included - head : null;
}
