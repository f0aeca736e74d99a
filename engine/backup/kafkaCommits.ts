/** Positions of groups in Kafka, put back to where a backup stands. */
import type { Admin } from "../kafka/admin.ts";
import type { Config } from "../ops/config.ts";
import { UserError } from "../ops/errors.ts";
import type { GroupCommit } from "../sink/ledgers.ts";
import type { Manifest } from "./manifest.ts";

type Commits = Pick<Manifest, "commits" | "positions">;

async function withAdmin<T>({ kafka }: Config, work: (admin: Admin) => Promise<T>): Promise<T> {
  const { createAdmin } = await import("../kafka/admin.ts");
  const admin = await createAdmin({ brokers: kafka.brokers!.join(",") });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

const byGroup = (commits: readonly GroupCommit[]): [group: string, of: GroupCommit[]][] =>
  [...new Set(commits.map(({ group }) => group))].map((group) => [
    group,
    commits.filter((each) => each.group === group),
  ]);

/**
 * Positions cannot be put back under a running engine: brokers let nobody commit for a group that has members, also not what it has committed
 * already.
 * @throws UserError while a group has one; KafkaError
 */
export async function checkIdle(config: Config, { commits }: Commits): Promise<void> {
  if (!config.kafka.brokers || commits.length === 0) return;
  await withAdmin(config, async (admin) => {
    for (const [group, of] of byGroup(commits)) {
      const now = await admin.committed(
        group,
        of.map(({ topic, partition }) => ({ topic, partition })),
      );
      const known = now.flatMap(({ offset, ...each }) => (offset === null ? [] : [{ ...each, offset }]));
      if (known.length === 0) continue;
      await admin.resetCommits(group, known).catch((error: Error) => {
        throw new UserError(`Cannot restore: the group "${group}" has members, expected none (${error.message})`, {
          next: "Stop all engines",
        });
      });
    }
  });
}

/** @returns what cannot come again, since brokers do not have it any more, as sentences */
export async function restoreCommits(config: Config, { commits, positions }: Commits): Promise<string[]> {
  if (commits.length === 0) return [];
  if (!config.kafka.brokers)
    return [
      `${commits.length} positions in Kafka were not put back: KAFKA_BROKERS is not set, expected the brokers that the backup is of`,
    ];
  return withAdmin(config, async (admin) => {
    for (const [group, of] of byGroup(commits)) await admin.resetCommits(group, of);
    const lost: string[] = [];
    for (const topic of new Set(commits.map((each) => each.topic)))
      for (const { partition, low } of await admin.watermarks(topic)) {
        const stored = positions.find((each) => each.source === topic && each.partition === partition)?.stored;
        if (stored !== undefined && low > stored)
          lost.push(`Records ${stored} to ${low - 1} of ${topic}/${partition} are not with the brokers any more: they are lost`); // biome-ignore format: one line
      }
    return lost;
  });
}
