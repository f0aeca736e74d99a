/** Run by nodePeers.ts with fork(): reads its share of the topic for as long as the harness is there. */
import { createConsumer } from "../../engine/kafka/consumer.ts";
import type { Message } from "../../engine/kafka/message.ts";
import { recordsByPartition } from "../../engine/source/kafka.ts";
import { letGo, offsetAt, type Records } from "../../engine/source/records.ts";
import { mixRules } from "../load/ruleMix.ts";
import { parseTransaction } from "../load/ruleTruth.ts";
import { createHashIndex, type ParsedTransaction } from "./hashIndex.ts";
import { createJsonRulesEngine } from "./jsonRulesEngine.ts";
import type { NodePeerJob, PeerMessage } from "./nodePeers.ts";

interface Matcher {
  /** @returns matches of all of them */
  match(records: readonly { value: Buffer | null }[]): number | Promise<number>;
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
  if (kind === "client alone") throwAway(recordsByPartition(await consumer.pollTable(4_096)));
  else {
    working = take(await consumer.poll(4_096));
    await working;
  }
}

/** As the engine gets them. */
function throwAway(read: ReadonlyMap<number, Records>): void {
  for (const [partition, records] of read) {
    done.transactions += records.count;
    next.set(partition, offsetAt(records, records.count - 1) + 1);
    letGo(records);
  }
  if (read.size > 0) say(done);
}

async function take(records: readonly Message[]): Promise<void> {
  if (records.length === 0) return;
  done.matches += await matcher.match(records);
  done.transactions += records.length;
  for (const { partition, offset } of records) next.set(partition, offset + 1);
  say(done);
}

function hashIndex(): Matcher {
  const index = createHashIndex(mixRules("dense", rules));
  return {
    counts: index.counts,
    match(records) {
      let matches = 0;
      for (const { value } of records)
        matches += index.match(JSON.parse(value!.toString("latin1")) as ParsedTransaction);
      return matches;
    },
  };
}

function jsonRules(): Matcher {
  const counts = new Array<number>(rules).fill(0);
  const run = createJsonRulesEngine(mixRules("dense", rules), (rule) => void counts[rule]!++);
  return {
    counts: () => counts,
    match: async (records) =>
      (await run(records.map(({ value }) => parseTransaction(value!.toString("latin1"))))).matches,
  };
}

function nothing(): Matcher {
  return { match: () => 0, counts: () => [] };
}
