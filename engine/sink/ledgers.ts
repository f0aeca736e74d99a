/** All ledgers that this installation keeps: of recordings in files below WEIR_DATA, of the topic with its brokers. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { followers } from "../kafka/followers.ts";
import type { Config } from "../ops/config.ts";
import { decodeLedger } from "./ledger.ts";

/** What a group has committed at one partition. */
export interface GroupCommit {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

export interface Ledgers {
  /** Of recordings: file name in `ledgerFolder`, and its text. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Of the engine's group on the source topic, and of those that follow others (../kafka/followers.ts). */
  readonly commits: readonly GroupCommit[];
}

/** How far a partition is stored: nothing below ever changes. */
export interface StoredTo {
  readonly source: string;
  readonly partition: number;
  /** Offset. */
  readonly stored: number;
}

export const ledgerFolder = (config: Pick<Config, "data">): string => join(config.data, "ledger");

/** @throws KafkaError while the brokers are away */
export async function readLedgers(config: Config): Promise<Ledgers> {
  return { files: await readFiles(ledgerFolder(config)), commits: await readCommits(config) };
}

/** What the ledgers say of each partition. @throws Error for one that cannot be read */
export function storedTo({ files, commits }: Ledgers, { kafka }: Pick<Config, "kafka">): StoredTo[] {
  const ofFiles = files.flatMap(({ text }) => {
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
  const stores = new Set([kafka.groupId, ...followers(kafka).flatMap(({ group, source }) => (source ? [group] : []))]);
  const ofTopic = commits
    .filter(({ group }) => stores.has(group))
    .map(({ group, topic, partition, offset, metadata }) => ({
      source: topic,
      partition,
      stored: group === kafka.groupId && metadata !== "" ? decodeLedger(metadata, offset).stored : offset,
    }));
  return [...ofFiles, ...ofTopic];
}

async function readFiles(folder: string): Promise<Ledgers["files"]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return Promise.all(
    names
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map(async (name) => ({ name, text: await readFile(join(folder, name), "utf8") })),
  );
}

async function readCommits({ kafka }: Config): Promise<GroupCommit[]> {
  if (!kafka.brokers) return [];
  const { createAdmin } = await import("../kafka/admin.ts");
  const admin = await createAdmin({ brokers: kafka.brokers.join(",") });
  const read = async (group: string, topic: string): Promise<GroupCommit[]> => {
    const count = (await admin.partitionCount(topic)) ?? 0;
    if (count === 0) return [];
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    const committed = await admin.committed(group, partitions);
    return committed.flatMap(({ offset, ...rest }) => (offset === null ? [] : [{ group, ...rest, offset }]));
  };
  try {
    return [
      ...(await read(kafka.groupId, kafka.topics.txRaw)),
      ...(await Promise.all(followers(kafka).map(({ group, topic }) => read(group, topic)))).flat(),
    ];
  } finally {
    await admin.close();
  }
}
