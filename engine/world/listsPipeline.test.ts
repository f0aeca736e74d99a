/** A list is edited while batches run: each batch runs in one world, the one that the ledger names, and a recovery runs in it again. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { migrateControl } from "../control/migrate.ts";
import { type Control, openControl } from "../control/open.ts";
import { runPipeline } from "../dispatch/pipeline.ts";
import { OFFSET } from "../frame/schema.ts";
import { type Catalogue, openCatalogue } from "../rules/catalogue.ts";
import { has, listModule } from "../sandbox/testListModule.ts";
import { appendRecord, op } from "../sandbox/testModule.ts";
import { createFileLedger } from "../sink/fileLedger.ts";
import type { LedgerEntry } from "../sink/ledger.ts";
import { createRecordingSource, inspectRecording } from "../source/recording.ts";
import type { Outcome } from "../worker/outcome.ts";
import { createProcessor } from "../worker/process.ts";

const LINES = 3_000;
const SOURCE = "recording:lists";
const CHAINS = [1];
const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
const transaction = (n: number): string =>
  JSON.stringify({
    ...{ chainId: 1, hash: `0x${n.toString(16).padStart(64, "0")}`, from: address(9), to: address(n % 3) },
    ...{ nonce: "0x0", value: "0x1", gas: "0x5208", input: "0x" },
  });

let folder: string;
let control: Control;
let catalogue: Catalogue;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-lists-pipeline-"));
  control = openControl({ folder: join(folder, "store") });
  await migrateControl(control);
  catalogue = await openCatalogue({ control, chains: CHAINS });
  await writeFile(join(folder, "r.ndjson"), Array.from({ length: LINES }, (_, n) => transaction(n)).join("\n"));
});
afterAll(async () => {
  await control.close();
  await stopEmbedded(join(folder, "store"));
  await rm(folder, { recursive: true, force: true });
});

const pack = (addresses: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(addresses.map((each) => each.slice(2)).join(""), "hex"));

interface Ran {
  readonly from: number;
  readonly to: number;
  readonly world: string;
  readonly rules: Outcome["rules"];
  /** The records for the topics, as text. */
  readonly records: string;
}

/** What the batches of the recording came to, in order, and what the ledger was told. */
async function run(name: string, engine: Catalogue, onBatch: (to: number) => Promise<void>) {
  const ran: Ran[] = [];
  const entries: LedgerEntry[] = [];
  const ledger = createFileLedger(join(folder, name), SOURCE);
  await runPipeline(
    {
      source: createRecordingSource(await inspectRecording(join(folder, "r.ndjson")), SOURCE),
      ledger: {
        ...ledger,
        commit(states, records) {
          entries.push(...states);
          return ledger.commit(states, records);
        },
      },
      limits: {
        batch: { records: 250, bytes: 1 << 20, blockWait: 1_000 },
        ...{ tasks: 1, rangeAge: 50, rangeRows: 1_000, rangeBytes: 1 << 20, bytesInFlight: 1 << 20, drain: 1_000 },
      },
      current: () => ({ catalogue: engine.current(), world: engine.world() }),
      work: async ({ batch, catalogue: rules, world }) => {
        const processor = createProcessor(await engine.snapshot(rules), await engine.worldOf(world));
        const outcome = processor(batch);
        const records = Buffer.from(outcome.records.bytes).toString("latin1");
        ran.push({ from: batch.from, to: batch.to, world, rules: outcome.rules, records });
        await onBatch(batch.to);
        return outcome;
      },
      store: async () => {},
    },
    new AbortController().signal,
  );
  return { ran, entries };
}

const matchesOf = ({ rules }: Ran): Record<string, number> =>
  Object.fromEntries(rules.map(({ rule, matches }) => [rule, matches]));
const expected = ({ from, to }: Ran, listed: readonly number[]): number =>
  Array.from({ length: to - from }, (_, i) => from + i).filter((n) => listed.includes(n % 3)).length;

test("an edit changes what rules fire on from one batch to the next, and the old world is there for a recovery", async () => {
  await catalogue.lists.put("bad", "address", pack([address(0)]), "me");
  const json = Buffer.from(JSON.stringify({ name: "json", conditions: { to_in_list: "bad" } }));
  expect(await catalogue.upload("json", json, { by: "me", kind: "json" })).toMatchObject({ ok: true });
  const asks = [...has(0, [...op.local(0), ...op.i32(OFFSET.to), ...op.add]), ...op.when(appendRecord(1, 8, 0x64636261, 0x68676665))]; // biome-ignore format: one sequence
  const module = listModule({ manifest: '{"name":"module","lists":[{"name":"bad","bytes":20}]}', onTx: asks });
  expect(await catalogue.upload("module", module, { by: "me" })).toMatchObject({ ok: true });

  const engine = await openCatalogue({ control, chains: CHAINS });
  const { ran, entries } = await run("first", engine, async (to) => {
    if (to !== 1_000) return;
    await catalogue.lists.edit("bad", { added: pack([address(1), address(2)]), removed: pack([address(0)]) }, "me");
    await engine.refresh();
  });
  const [before, after] = [ran[0]!.world, ran.at(-1)!.world];
  expect(new Set(ran.map(({ world }) => world))).toEqual(new Set([before, after]));
  expect(before).not.toBe(after);
  for (const batch of ran) {
    const listed = batch.world === before ? [0] : [1, 2];
    const matches = expected(batch, listed);
    expect(matchesOf(batch)).toEqual({ json: matches, module: matches });
  }
  // every batch ends where a range of its world has a cut
  const cuts = new Map(
    entries.flatMap(({ state }) => state.ranges.flatMap(({ cuts, world }) => cuts.map((cut) => [cut, world] as const))),
  );
  for (const { to, world } of ran) expect([to, cuts.get(to)]).toEqual([to, world]);

  // an engine that begins later finishes in the old world what was begun in it
  const old = ran.filter(({ world }) => world === before);
  const published = old.at(-1)!.to;
  const later = await openCatalogue({ control, chains: CHAINS });
  const ranges = [{ cuts: old.map(({ to }) => to), round: undefined, catalogue: later.current(), world: before }];
  await createFileLedger(join(folder, "second"), SOURCE).commit(
    [{ partition: 0, state: { stored: 0, published, ranges } }],
    [],
  );
  const again = (await run("second", later, async () => {})).ran;
  expect(again.slice(0, old.length)).toEqual(old);
  for (const batch of again.slice(old.length)) {
    expect(batch.world).toBe(after);
    const matches = expected(batch, [1, 2]);
    expect(matchesOf(batch)).toEqual({ json: matches, module: matches });
  }
});
