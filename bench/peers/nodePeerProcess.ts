/** Run by nodePeers.ts with fork(): reads its share of the topic for as long as the harness is there. */
import { createConsumer } from "../../engine/kafka/consumer.ts";
import { recordsByPartition } from "../../engine/source/kafka.ts";
import { letGo, offsetAt, type Records, sizeAt, startAt } from "../../engine/source/records.ts";
import { mixRules } from "../load/ruleMix.ts";
import { parseTransaction } from "../load/ruleTruth.ts";
import { createHashIndex, type ParsedTransaction } from "./hashIndex.ts";
import { createJsonRulesEngine } from "./jsonRulesEngine.ts";
import type { NodePeerJob, PeerMessage } from "./nodePeers.ts";

interface Matcher {
  /** @returns matches of all of them */
  match(read: readonly Records[]): number | Promise<number>;
  counts(): readonly number[];
}

const { brokers, topic, group, kind, rules } = JSON.parse(process.argv[2]!) as NodePeerJob;
const matcher = { "hash index": hashIndex, "json-rules-engine": jsonRules, "client alone": nothing }[kind]();
const say = (message: PeerMessage): void => void process.send!(message);
const done = { transactions: 0, matches: 0 };
process.on("message", () => say({ counts: matcher.counts() }));
process.on("disconnect", () => process.exit());

/** By partition: where whoever gets it next is to go on. */
const next = new Map<number, number>();
let working = Promise.resolve();

const consumer = await createConsumer({
  ...{ brokers, groupId: group, topics: [topic], bulk: true },
  onAssign: () => [],
  async onRevoke(partitions) {
    await working;
    const read = partitions.filter(({ partition }) => next.has(partition));
    await consumer.commit(read.map((each) => ({ ...each, offset: next.get(each.partition)!, metadata: "" })));
    for (const { partition } of partitions) next.delete(partition);
  },
  onLost(partitions) {
    throw new Error(`Cannot count: ${partitions.length} partitions were lost, what was read of them is counted again`);
  },
  onError({ message }) {
    process.stderr.write(`${kind}  ${message}\n`);
  },
});
for (;;) {
  working = take(recordsByPartition(await consumer.pollTable(4_096)));
  await working;
}

/** As the engine gets them: values are where they were read to. */
async function take(read: ReadonlyMap<number, Records>): Promise<void> {
  if (read.size === 0) return;
  done.matches += await matcher.match([...read.values()]);
  for (const [partition, records] of read) {
    done.transactions += records.count;
    next.set(partition, offsetAt(records, records.count - 1) + 1);
    letGo(records);
  }
  say(done);
}

/** @param bytes of their buffer */
function textAt(records: Records, i: number, bytes: Buffer): string {
  const start = startAt(records, i);
  return bytes.toString("latin1", start, start + sizeAt(records, i));
}

function hashIndex(): Matcher {
  const index = createHashIndex(mixRules("dense", rules));
  return {
    counts: index.counts,
    match(read) {
      let matches = 0;
      for (const records of read) {
        const bytes = Buffer.from(records.bytes);
        for (let i = 0; i < records.count; i++)
          matches += index.match(JSON.parse(textAt(records, i, bytes)) as ParsedTransaction);
      }
      return matches;
    },
  };
}

function jsonRules(): Matcher {
  const counts = new Array<number>(rules).fill(0);
  const run = createJsonRulesEngine(mixRules("dense", rules), (rule) => void counts[rule]!++);
  return {
    counts: () => counts,
    async match(read) {
      const texts = read.flatMap((records) => {
        const bytes = Buffer.from(records.bytes);
        return Array.from({ length: records.count }, (_, i) => textAt(records, i, bytes));
      });
      return (await run(texts.map(parseTransaction))).matches;
    },
  };
}

function nothing(): Matcher {
  return { match: () => 0, counts: () => [] };
}
