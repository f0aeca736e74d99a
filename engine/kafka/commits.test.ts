import { expect, test } from "vitest";
import { createCommits } from "./commits.ts";
import { KafkaError } from "./errors.ts";

const at = (partition: number, offset: number) => ({ topic: "tx_raw", partition, offset });

test("an acknowledgement settles the commit with the same list in any order, equal ones first come first served", async () => {
  const commits = createCommits(1_000);
  const settled: string[] = [];
  const pair = commits.expect([at(0, 5), at(1, 6)]).then(() => settled.push("pair"));
  const first = commits.expect([at(0, 5)]).then(() => settled.push("first"));
  const second = commits.expect([at(0, 5)]).catch((error: KafkaError) => settled.push(`second ${error.kind}`));
  commits.acknowledge(undefined, [at(0, 5)]);
  await first;
  commits.acknowledge({ message: "Broker: Unknown member", code: 25 }, [at(0, 5)]);
  await second;
  commits.acknowledge(undefined, [at(1, 6), at(0, 5)]);
  await pair;
  commits.acknowledge(undefined, [at(9, 9)]); // nobody waits for it
  expect(settled).toEqual(["first", "second rebalance", "pair"]);
});

test("a commit without an answer rejects with kind retry, and rejectAll() settles the rest", async () => {
  await expect(createCommits(1).expect([at(0, 1)])).rejects.toMatchObject({ kind: "retry" });
  const commits = createCommits(60_000);
  const waiting = Promise.allSettled([commits.expect([at(0, 1)]), commits.expect([at(0, 1)])]);
  commits.rejectAll(new KafkaError("gone", "fenced", 82));
  expect((await waiting).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
