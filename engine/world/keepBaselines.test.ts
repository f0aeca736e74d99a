/** From stored blocks to the factors of a transaction: what is usual is measured, kept, taken over as a world, and compared with. */
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { joinRows } from "../../clickhouse/tables/framedRows.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { type TemporaryStore, temporaryStore } from "../../test/support/embeddedStore.ts";
import { sql } from "../control/drizzle.ts";
import { migrateControl } from "../control/migrate.ts";
import { type Control, openControl } from "../control/open.ts";
import { CONTENT } from "../frame/content.ts";
import { type Catalogue, openCatalogue } from "../rules/catalogue.ts";
import { packBatch } from "../source/batch.ts";
import { createProcessor } from "../worker/process.ts";
import { packBaselines, unpackBaselines } from "./baselineBytes.ts";
import type { BaselineRow } from "./baselines.ts";
import { newestBaselines } from "./baselineTables.ts";
import { makeBaselines } from "./keepBaselines.ts";
import { createWorld, type World } from "./world.ts";

const CHAINS = [1, 56];
const START = Date.UTC(2024, 5, 1) / 1000;
/** Above this a block may still be replaced. */
const CONFIRMED = 40;
const REPLACED = 7;
const word = (value: number | bigint, bytes = 32): string => `0x${value.toString(16).padStart(2 * bytes, "0")}`;
const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

interface Sent {
  readonly chainId: number;
  readonly sender: number;
  readonly block: number;
  readonly value: bigint;
  readonly gas: number;
  readonly selector: string;
}
/** Three senders and two functions on a chain, one transaction each a block: the third sender is seldom there. */
const sent: Sent[] = CHAINS.flatMap((chainId) =>
  Array.from({ length: 150 }, (_, i): Sent => {
    const [block, sender] = [Math.floor(i / 3), i % 3];
    const value = (10n ** 16n + BigInt((i * 7919) % 1000)) * BigInt(block >= CONFIRMED || block === REPLACED ? 10n ** 6n : 1n + BigInt(i % 5)) * BigInt(chainId); // biome-ignore format: one expression
    const selector = sender === 1 ? "0xaabbccdd" : "0x11223344";
    const isThere = sender !== 2 || block < 10;
    return {
      chainId,
      sender,
      block,
      value: isThere ? value : 0n,
      gas: 50_000 + ((i * 31) % 700) + 1_000 * chainId,
      selector,
    };
  }),
);

let seen = 0;
/** @param block undefined: pending */
const record = ({ chainId, sender, block, value, gas, selector }: Omit<Sent, "block"> & { block?: number }) => ({
  ...{
    chainId,
    hash: word(++seen),
    from: word(1_000 + sender, 20),
    to: word(9, 20),
    nonce: hex(seen),
    value: hex(value),
  },
  ...{ gas: hex(gas), input: `${selector}00` },
  ...(block === undefined
    ? { seenAt: 1000 * START }
    : {
        ...{ blockNumber: hex(block), blockHash: word(chainId * 1_000 + block), transactionIndex: hex(sender) },
        block: { timestamp: hex(START + 12 * block), transactionCount: 3 },
      }),
});

let place: TemporaryStore;
let control: Control;
let catalogue: Catalogue;

async function put(source: string, records: readonly object[], world: World): Promise<void> {
  const batch = records.map((each, offset) => ({ offset, time: 0, content: CONTENT.json, value: Buffer.from(JSON.stringify(each)) })); // biome-ignore format: one call
  const { tables, deadLetters } = createProcessor([], world)(packBatch(source, 0, 0, batch.length, batch));
  expect(deadLetters).toBe(0);
  const columns = COLUMNS.transactions.map(([name]) => name);
  await place.store.insertBlock({ table: "transactions", columns, format: "Native", bodies: (await joinRows(tables.transactions!)).bodies, rows: records.length }); // biome-ignore format: one call
}

beforeAll(async () => {
  place = await temporaryStore();
  control = openControl({ folder: place.folder });
  await migrateControl(control);
  catalogue = await openCatalogue({ control, chains: CHAINS });
});
afterAll(async () => {
  await control?.close();
  await place?.remove();
});

/** As ClickHouse's medianExact: of an even number the upper one. */
const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

function bruteForce(): BaselineRow[] {
  const amounts = new Map<string, { row: Pick<BaselineRow, "chainId" | "kind" | "key">; logs: number[] }>();
  const add = (chainId: number, kind: BaselineRow["kind"], key: string, amount: number): void => {
    const name = `${chainId} ${kind} ${key}`;
    if (!amounts.has(name))
      amounts.set(name, { row: { chainId, kind, key: Buffer.from(key.slice(2), "hex") }, logs: [] });
    amounts.get(name)!.logs.push(Math.log2(1 + amount));
  };
  for (const { chainId, sender, block, value, gas, selector } of sent) {
    if (chainId === 1 && (block > CONFIRMED || block === REPLACED)) continue;
    if (value > 0n) add(chainId, "sender_value", word(1_000 + sender, 20), Number(value));
    add(chainId, "selector_gas", selector, gas);
  }
  return [...amounts.values()]
    .filter(({ logs }) => logs.length >= 20)
    .map(({ row, logs }) => {
      const median = medianOf(logs);
      return { ...row, samples: logs.length, median, mad: medianOf(logs.map((log) => Math.abs(log - median))) };
    });
}

const nameOf = ({ chainId, kind, key }: BaselineRow): string =>
  `${chainId} ${kind} ${Buffer.from(key).toString("hex")}`;
const inOrder = (rows: readonly BaselineRow[]): BaselineRow[] =>
  [...rows].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).map((row) => ({ ...row, key: Buffer.from(row.key) }));

test("what is usual comes from final blocks, is a part of the world, and makes outliers", async () => {
  expect(await makeBaselines({ store: place.store, catalogue })).toBe(0); // nothing is stored
  const before = catalogue.world();
  await put("s", sent.map(record), createWorld({ chains: CHAINS }));
  const status = "INSERT INTO replaced_blocks (chain_id, block_number, block_hash, replaced, offset) SELECT 1, {number:UInt64}, unhex({hash:String}), 1, 1"; // biome-ignore format: one text
  await place.store.command(status, { number: REPLACED, hash: word(1_000 + REPLACED).slice(2) });
  await place.store.command(`INSERT INTO chain_heads (chain_id, block_number, block_hash, confirmed, offset) SELECT 1, 49, '', ${CONFIRMED}, 1`); // biome-ignore format: one call

  const rows = await makeBaselines({ store: place.store, catalogue });
  const kept = await control.read((db) => db.execute(sql`SELECT entries FROM baselines`));
  const made = unpackBaselines((kept.rows[0] as { entries: Uint8Array }).entries);
  const expected = bruteForce();
  expect(rows).toBe(expected.length);
  expect(expected.map(({ chainId }) => chainId)).toContain(56);
  expect(inOrder(made)).toEqual(inOrder(unpackBaselines(packBaselines(expected))));

  // a world of its own, the same for all engines, and the same when it is measured again
  const world = catalogue.world();
  expect(world).not.toBe(before);
  const other = await openCatalogue({ control, chains: CHAINS });
  expect(other.world()).toBe(world);
  await makeBaselines({ store: place.store, catalogue: other });
  await catalogue.refresh();
  expect([catalogue.world(), other.world()]).toEqual([world, world]);

  // and its transactions are compared with it: 10^18 is a hundred times what sender 0 sends on chain 1, and common on neither by sender 2
  const usual = { chainId: 1, sender: 0, value: 2n * 10n ** 16n, gas: 51_300, selector: "0x11223344" };
  const asked = [
    usual,
    { ...usual, value: 10n ** 18n * 10n },
    { ...usual, gas: 900_000 },
    { ...usual, sender: 2, value: 10n ** 19n },
    { ...usual, chainId: 56, value: 10n ** 18n },
    { ...usual, selector: "0x99999999" },
  ];
  await put("then", asked.map(record), await catalogue.worldOf(before));
  await put("now", asked.map(record), await catalogue.worldOf(world));
  const factors = async (source: string): Promise<number[]> =>
    (await place.store.rows<{ f: number }>("SELECT risk_factors AS f FROM transactions WHERE source = {source:String} ORDER BY offset", { source })).map(({ f }) => f); // biome-ignore format: one expression
  const [VALUE, GAS, UNVERIFIED] = [128, 256, 512];
  expect(await factors("then")).toEqual(asked.map(() => UNVERIFIED));
  expect(await factors("now")).toEqual([0, VALUE, GAS, 0, 0, UNVERIFIED]);
});

test("a version goes a day after no world has it any more; the newest stays", async () => {
  const age = (days: number) => control.change((tx) => tx.execute(sql`UPDATE baselines SET made_at = made_at - make_interval(days => ${days})`)); // biome-ignore format: one call
  const count = async (): Promise<number> =>
    (await control.read((db) => db.execute(sql`SELECT 1 FROM baselines`))).rows.length;
  const others = (n: number) => packBaselines(bruteForce().slice(0, n));
  // the catalogue clears up once an hour
  const now = vi.spyOn(Date, "now");
  onTestFinished(() => now.mockRestore());
  const put = (n: number) => {
    now.mockReturnValue(Date.now() + 3_600_000);
    return catalogue.putBaselines(others(n), n);
  };
  await age(2);
  await put(1);
  expect(await count()).toBe(2); // a world has the first
  await control.change((tx) => tx.execute(sql`DELETE FROM worlds`));
  await put(2);
  expect(await count()).toBe(2); // the first is gone, the second is of today
  await age(2);
  await control.change((tx) => tx.execute(sql`DELETE FROM worlds`));
  await put(3);
  expect(await count()).toBe(1);
  expect((await control.read(newestBaselines))!.id).toMatch(/^[0-9a-f]{16}$/);
});
