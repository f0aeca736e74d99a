/** How far each partition of each source is stored, as the ledgers say: below that nothing changes any more. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StoredTo } from "../../clickhouse/archive/write.ts";
import type { Store } from "../../clickhouse/client.ts";
import type { Config } from "../ops/config.ts";
import { decodeLedger } from "../sink/ledger.ts";

/**
 * Ledgers of recordings are files in WEIR_DATA, that of the topic is with its brokers. A source whose ledger is neither here nor there is not
 * known to be finished, so nothing of it is archived, or removed.
 * @throws KafkaError while the brokers are away
 */
export async function storedPositions(config: Config): Promise<StoredTo[]> {
  return [...(await ofFiles(join(config.data, "ledger"))), ...(await ofTopic(config))];
}

/** Names in the column `source` that no ledger is known of. */
export async function unknownSources(store: Store, positions: readonly StoredTo[]): Promise<string[]> {
  const rows = await store.rows<{ source: string }>(
    "SELECT DISTINCT source FROM transactions WHERE source NOT IN {known:Array(String)} ORDER BY source LIMIT 100",
    { known: [...new Set(positions.map(({ source }) => source))] },
  );
  return rows.map(({ source }) => source);
}

async function ofFiles(folder: string): Promise<StoredTo[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const ledgers = await Promise.all(
    files.filter((file) => file.endsWith(".json")).map((file) => readFile(join(folder, file), "utf8")),
  );
  return ledgers.flatMap((text) => {
    const { source, partitions } = JSON.parse(text) as {
      source: string;
      partitions: Record<string, { published: number; ledger: string }>;
    };
    return Object.entries(partitions).map(([partition, { published, ledger }]) => ({
      source,
      partition: Number(partition),
      stored: decodeLedger(ledger, published).stored,
    }));
  });
}

async function ofTopic({ kafka }: Config): Promise<StoredTo[]> {
  if (!kafka.brokers) return [];
  const { createAdmin } = await import("../kafka/admin.ts");
  const admin = await createAdmin({ brokers: kafka.brokers.join(",") });
  try {
    const topic = kafka.topics.txRaw;
    const count = (await admin.partitionCount(topic)) ?? 0;
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    const committed = count === 0 ? [] : await admin.committed(kafka.groupId, partitions);
    return committed.flatMap(({ partition, offset, metadata }) =>
      offset === null
        ? []
        : [{ source: topic, partition, stored: metadata === "" ? offset : decodeLedger(metadata, offset).stored }],
    );
  } finally {
    await admin.close();
  }
}
