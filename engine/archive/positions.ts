/** How far each partition of each source is stored, as the ledgers say: below that nothing changes any more. */
import type { Store } from "../../clickhouse/client.ts";
import type { Config } from "../ops/config.ts";
import { readLedgers, type StoredTo, storedTo } from "../sink/ledgers.ts";

/**
 * A source whose ledger is neither here nor with the brokers is not known to be finished, so nothing of it is archived, or removed.
 * @throws KafkaError while the brokers are away
 */
export const storedPositions = async (config: Config): Promise<StoredTo[]> =>
  storedTo(await readLedgers(config), config);

/** Names in the column `source` that no ledger is known of. */
export async function unknownSources(store: Store, positions: readonly StoredTo[]): Promise<string[]> {
  const rows = await store.rows<{ source: string }>(
    "SELECT DISTINCT source FROM transactions WHERE source NOT IN {known:Array(String)} ORDER BY source LIMIT 100",
    { known: [...new Set(positions.map(({ source }) => source))] },
  );
  return rows.map(({ source }) => source);
}
