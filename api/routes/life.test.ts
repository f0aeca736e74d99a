/** Every life of a made stream against plain loops over its records. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinRows } from "../../clickhouse/tables/framedRows.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { CONTENT } from "../../engine/frame/content.ts";
import { createCoverageMirror } from "../../engine/lookout/mirror.ts";
import { packBatch } from "../../engine/source/batch.ts";
import { createCoverage } from "../../engine/source/rpc/coverage.ts";
import { createProcessor } from "../../engine/worker/process.ts";
import { createWorld } from "../../engine/world/world.ts";
import { type Life, lifeSchema } from "../life.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { transactionDetailSchema } from "./transactions.ts";

const CHAIN = 31_337;
const START = Date.UTC(2024, 5, 1);
const DROP_MS = 10_800_000;
const CONFIRMED = 1_030;

interface Sent {
  readonly hash: string;
  readonly from: string;
  readonly nonce: number;
  readonly fee: number;
}
interface Block {
  readonly number: number;
  readonly hash: string;
  readonly time: number;
  readonly replaced: boolean;
  readonly transactions: Sent[];
}
const word = (value: number, bytes = 32): string => `0x${value.toString(16).padStart(2 * bytes, "0")}`;

/** 41 heights, 12 s each: of every tenth no block is stored, every seventh was replaced by another. */
const blocks: Block[] = [];
const sent: Sent[] = [];
const pending: { readonly of: Sent; readonly at: number }[] = [];

/** Park and Miller's: the same stream on every run. */
let seed = 71;
const random = (below: number): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
};

function make(): void {
  const block = (number: number, twin: boolean): void => {
    const filler = {
      hash: word(5_000_000 + 2 * number + Number(twin)),
      from: word(number, 20),
      nonce: Number(twin),
      fee: 1,
    };
    const time = START + 12_000 * (number - 1_000);
    sent.push(filler);
    blocks.push({ number, hash: word(2 * number + Number(twin)), time, replaced: twin, transactions: [filler] });
  };
  for (let number = 1_000; number <= 1_040; number++) {
    if (number % 10 === 5) continue;
    if (number % 7 === 0) block(number, true);
    block(number, false);
  }
  const chain = blocks.filter(({ replaced }) => !replaced);
  const lost = blocks.filter(({ replaced }) => replaced);
  for (let sender = 0; sender < 5; sender++) {
    const top = random(6);
    for (let nonce = 0; nonce < 5; nonce++) {
      const rivals = Array.from(
        { length: 1 + random(3) },
        (_, i): Sent => ({
          hash: word(9_000_000 + 100 * sender + 10 * nonce + i),
          ...{ from: word(77_000 + sender, 20), nonce, fee: 1 + random(4) },
        }),
      );
      sent.push(...rivals);
      const isStuck = sender === 4;
      if (!isStuck && nonce < top && random(5) > 0)
        chain[random(chain.length)]!.transactions.push(rivals[random(rivals.length)]!);
      for (const of of rivals) {
        if (!isStuck && random(4) === 0) lost[random(lost.length)]!.transactions.push(of);
        for (let times = random(3); times > 0; times--)
          pending.push({ of, at: START - 60_000 + random(600_000) - (isStuck ? DROP_MS : 0) });
      }
    }
  }
  // a second attempt after hours: the first one was dropped before it
  for (const hours of [7, 1]) {
    const of = { hash: word(8_000_000 + hours), from: word(66_000, 20), nonce: 0, fee: 9 - hours };
    sent.push(of);
    pending.push({ of, at: START - hours * 3_600_000 });
  }
}

const firstSeenOf = (of: Sent): number | undefined =>
  pending.filter((each) => each.of === of).map(({ at }) => at).sort((a, b) => a - b)[0]; // biome-ignore format: one chain
const isStored = (of: Sent): boolean =>
  pending.some((each) => each.of === of) || blocks.some(({ transactions }) => transactions.includes(of));
const inChain = (of: Sent): Block | undefined =>
  blocks.find(({ transactions, replaced }) => !replaced && transactions.includes(of));

/** Healthy from before the first block to the 20th, and from the 24th on: what lies within a minute of either beginning is not known. */
const WATCHED = [
  [START - 90_000, START + 240_000],
  [START + 288_000, START + 700_000],
] as const;

const timesOf = (of: Sent): number[] => [
  ...pending.filter((each) => each.of === of).map(({ at }) => at),
  ...blocks.filter(({ transactions }) => transactions.includes(of)).map(({ time }) => time),
];
/** Within the time after which a pending transaction counts as dropped. */
const isNear = (one: Sent, other: Sent): boolean =>
  timesOf(one).some((time) => timesOf(other).some((at) => Math.abs(at - time) <= DROP_MS));

const iso = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");

function bruteForce(of: Sent): Life {
  const own = inChain(of);
  const seen = firstSeenOf(of);
  const rivals = sent.filter(
    (other) =>
      other !== of && other.from === of.from && other.nonce === of.nonce && isStored(other) && isNear(other, of),
  );
  const mined = rivals.find(inChain);
  const dearer = rivals
    .filter(({ fee }) => fee > of.fee)
    .sort((a, b) => b.fee - a.fee || (a.hash < b.hash ? -1 : 1))[0];
  const rival = own ? undefined : (mined ?? dearer);
  const newest = START + 12_000 * 40;
  const lastSeen = Math.max(...timesOf(of));
  const passed = sent.some((other) => other.from === of.from && other.nonce >= of.nonce && inChain(other));
  const dropped = own || rival ? null : passed ? "nonce_passed" : newest - lastSeen > DROP_MS ? "too_old" : null;
  let waited: number | null = null;
  if (own && seen !== undefined) {
    const heights = blocks.filter(({ replaced }) => !replaced);
    const before = heights.filter(({ time }) => time <= seen).at(-1)?.number;
    const after = heights.find(({ time }) => time > seen)?.number;
    if (before !== undefined && (own.number <= before || after === before + 1))
      waited = Math.max(0, own.number - before);
  }
  const isWatched = own && WATCHED.some(([since, until]) => since <= own.time - 60_000 && own.time <= until);
  return {
    ...{ chain_id: CHAIN, tx_hash: of.hash, from_address: of.from, nonce_raw: String(of.nonce) },
    status: own ? "included" : rival ? "replaced" : dropped ? "dropped" : "pending",
    first_seen: seen === undefined ? null : iso(seen),
    included: own
      ? {
          ...{ block_number: own.number, block_hash: own.hash, block_time: iso(own.time) },
          transaction_index: own.transactions.indexOf(of),
          status: own.number <= CONFIRMED ? "confirmed" : "provisional",
        }
      : null,
    blocks_waited: waited,
    never_seen_pending: !own ? null : seen !== undefined ? false : isWatched ? true : null,
    replaced_by: rival
      ? { tx_hash: rival.hash, pending: rival !== mined, block_number: mined ? inChain(mined)!.number : null }
      : null,
    dropped_because: dropped,
    left_blocks: blocks
      .filter(({ replaced, transactions }) => replaced && transactions.includes(of))
      .map(({ number, hash }) => ({ block_number: number, block_hash: hash })),
    as_of: iso(newest),
  };
}

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  make();
  const plain = ({ hash, from, nonce, fee }: Sent) => ({
    ...{ chainId: CHAIN, hash, from, to: null, nonce: word(nonce, 1), value: "0x0", gas: "0x5208", input: "0x" },
    maxFeePerGas: word(fee, 1),
  });
  const lines = [
    ...pending.map(({ of, at }) => ({ ...plain(of), seenAt: at })),
    ...blocks.flatMap(({ number, hash, time, transactions }) =>
      transactions.map((of, index) => ({
        ...plain(of),
        ...{ blockNumber: word(number, 4), blockHash: hash, transactionIndex: word(index, 1) },
        // as a watcher does it, where it has seen the transaction in time
        ...(index % 2 === 0 && firstSeenOf(of) !== undefined && { seenAt: firstSeenOf(of) }),
        block: { timestamp: word(time / 1_000, 8), transactionCount: transactions.length },
      })),
    ),
  ];
  const process = createProcessor([], createWorld({ chains: [CHAIN] }));
  for (const partition of [0, 1]) {
    const records = lines
      .filter((_, i) => i % 2 === partition)
      .map((line, offset) => ({ offset, time: 0, content: CONTENT.json, value: Buffer.from(JSON.stringify(line)) }));
    const outcome = process(packBatch("s", partition, 0, records.length, records));
    expect(outcome).toMatchObject({ deadLetters: 0, transactions: records.length });
    const stored = outcome.tables.transactions!;
    const columns = COLUMNS.transactions.map(([name]) => name);
    await server.store.insertBlock({ table: "transactions", columns, format: "Native", bodies: (await joinRows(stored)).bodies, rows: records.length }); // biome-ignore format: one call
  }
  for (const { number, hash } of blocks.filter(({ replaced }) => replaced))
    await server.store.command(
      "INSERT INTO replaced_blocks (chain_id, block_number, block_hash, replaced, offset) SELECT {chain:UInt64}, {number:UInt64}, unhex({hash:String}), 1, 1",
      { chain: CHAIN, number, hash: hash.slice(2) },
    );
  await server.store.command(
    `INSERT INTO chain_heads (chain_id, block_number, block_hash, confirmed, offset) SELECT ${CHAIN}, 1040, '', ${CONFIRMED}, 1`,
  );
  const mirror = createCoverageMirror(server.control, server.store);
  for (const [since, until] of WATCHED) {
    const coverage = createCoverage(server.control, CHAIN, "watch tx_raw");
    await coverage.pending({ healthy: true, node: "n", via: "filter", since });
    expect(await mirror()).toBe(1);
    await coverage.stillPending(until);
  }
  expect(await createCoverageMirror(server.control, server.store)()).toBe(2);
});
afterAll(() => server?.close());

describe("GET /api/v1/transactions/{hash}/life", () => {
  test("says of each transaction what loops over the records say", async () => {
    const fillers = sent.slice(0, blocks.length).filter((_, i) => i % 6 === 0); // they are all alike
    const all = [...fillers, ...sent.slice(blocks.length)].filter(isStored);
    const outcomes: Record<string, number> = {};
    const count = (key: string): void => void (outcomes[key] = (outcomes[key] ?? 0) + 1);
    for (const of of all) {
      const life = await server.read(`/api/v1/transactions/${of.hash}/life`, lifeSchema);
      expect(life).toEqual(bruteForce(of));
      count(life.dropped_because ?? (life.replaced_by ? `replaced, pending ${life.replaced_by.pending}` : life.status));
      if (life.included) count(`never seen ${life.never_seen_pending}`);
      if (life.first_seen && life.included) count(`waited ${Math.sign(life.blocks_waited ?? -1)}`);
    }
    // each kind of life is among them
    expect(Object.keys(outcomes).sort()).toEqual(
      [
        ...["included", "pending", "replaced, pending false", "replaced, pending true", "nonce_passed", "too_old"],
        ...["never seen true", "never seen false", "never seen null", "waited -1", "waited 0", "waited 1"],
      ].sort(),
    );
  });

  test("is part of the transaction; an unknown one has none", async () => {
    const of = blocks[0]!.transactions[0]!;
    const { life } = await server.read(`/api/v1/transactions/${of.hash}`, transactionDetailSchema);
    expect(life).toEqual(bruteForce(of));
    await server.problem(`/api/v1/transactions/${word(1)}/life`, 404);
    await server.problem("/api/v1/transactions/0x12/life", 400);
  });
});

test("private flow by block is what was never seen pending, and unknown while nobody looked", async () => {
  const span = "since = '2024-06-01 00:00:00', until = '2024-06-01 00:07:00'";
  const rows = await server.store.rows<{ number: string; transactions: string; private: string | null }>(
    `SELECT block_number AS number, transactions, never_seen AS private
     FROM private_flow(chain_id = ${CHAIN}, ${span}) ORDER BY block_number`,
  );
  const expected = blocks
    .filter(({ replaced, time }) => !replaced && time < START + 420_000)
    .map(({ number, time, transactions }) => {
      const isWatched = WATCHED.some(([since, until]) => since <= time - 60_000 && time <= until);
      const unseen = transactions.filter((of) => firstSeenOf(of) === undefined).length;
      return {
        number: String(number),
        transactions: String(transactions.length),
        private: isWatched ? String(unseen) : null,
      };
    });
  expect(rows).toEqual(expected);
  expect(rows.some((row) => row.private === null)).toBe(true);
  expect(rows.some((row) => row.private !== null && row.private !== row.transactions)).toBe(true);
});
