/** Newest pages that are kept, against what the store says: whatever was added, merged, taken away or replaced meanwhile, and how often it was asked. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Stillness } from "../../clickhouse/embedded/stillness.ts";
import { ALERTS, type AlertRow, alertConditions } from "../../clickhouse/queries/alerts.ts";
import { ARBITRAGE_TRANSACTIONS } from "../../clickhouse/queries/arbitrageTransactions.ts";
import { DEAD_LETTERS } from "../../clickhouse/queries/deadLetters.ts";
import { ARBITRAGES, LIQUIDATIONS, SANDWICHES, SWAPS } from "../../clickhouse/queries/findingLists.ts";
import { listQuery } from "../../clickhouse/queries/list.ts";
import { createPageReader } from "../../clickhouse/queries/newestPages.ts";
import { OPPORTUNITIES, opportunityList } from "../../clickhouse/queries/opportunities.ts";
import { tablesOf } from "../../clickhouse/queries/parts.ts";
import { SOLANA_TRANSACTIONS } from "../../clickhouse/queries/solanaTransactions.ts";
import { TRANSACTIONS } from "../../clickhouse/queries/transactions.ts";
import { TRANSFERS } from "../../clickhouse/queries/transfers.ts";
import type { ReadableStore } from "../deps.ts";
import { READ_SETTINGS } from "../list.ts";
import { startTestServer, type TestServer } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.close());

describe("a newest page that is asked for often", () => {
  /** Alerts of chain 779: of block 5 the odd ones. */
  const insert = (first: number, rows: number) =>
    server.store.command(`
      INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal, block_number, block_hash)
      SELECT 'often', number, toDateTime64('2023-06-01', 6, 'UTC') + number, unhex(leftPad(hex(number), 32, '0')), 'low', 779, number,
        if(number % 2 = 0, NULL, 5), if(number % 2 = 0, NULL, unhex(repeat('0E', 32))) FROM numbers(${first}, ${rows})`);
  const conditions = (until?: Date) => alertConditions({ chainId: 779, until });
  /** How often what was asked is counted, and what is done before it is next asked; a clock that stands still makes everything often. */
  function scene({ isServer = false } = {}) {
    const asked = { parts: 0, pages: 0, added: 0 };
    const meanwhile: { [What in keyof typeof asked]?: () => Promise<unknown> } = {};
    /** Set: it goes on to say what it said last. A merge by a statement then passes for one that came by itself. */
    const said: { again?: true; last?: Stillness | undefined } = {};
    const store: ReadableStore = {
      stillness(tables) {
        if (!said.again) said.last = isServer ? undefined : server.store.stillness(tables);
        return said.last;
      },
      async rows(sql, params, settings) {
        const what = sql.includes("system.parts") ? "parts" : sql.includes("_part IN") ? "added" : "pages";
        asked[what]++;
        const first = meanwhile[what];
        delete meanwhile[what];
        await first?.();
        return server.store.rows(sql, params, settings);
      },
    };
    const read = createPageReader(store, READ_SETTINGS, () => 0);
    const ask = async (limit: number, { offset = 0, until }: { offset?: number; until?: string } = {}) => {
      const page = { limit, offset, counted: true };
      const conditions_ = conditions(until === undefined ? until : new Date(until));
      const { rows, total } = await read<AlertRow>(ALERTS, conditions_, page);
      return `${rows.map(({ ordinal, status }) => `${ordinal}${status[0]}`).join(" ")} of ${total}`;
    };
    return { asked, ask, meanwhile, said, source: store };
  }
  /** A merge of what was added with what was there makes that a page is read anew, and could not be counted. */
  async function withoutMerges(work: () => Promise<void>): Promise<void> {
    await server.store.command("SYSTEM STOP MERGES");
    try {
      await work();
    } finally {
      await server.store.command("SYSTEM START MERGES");
    }
  }

  test("comes from memory, and is what the store would say at once after anything is written", async () => {
    await insert(0, 8);
    const { asked, ask } = scene();
    const first = "7c 6p 5c of 8";
    await withoutMerges(async () => {
      expect([await ask(3), await ask(3), await ask(3), await ask(3)]).toEqual([first, first, first, first]);
      expect(asked).toMatchObject({ pages: 2, added: 0 }); // the first is not known to be asked for often
      await insert(8, 1);
      expect([await ask(3), await ask(3)]).toEqual(["8p 7c 6p of 9", "8p 7c 6p of 9"]);
      expect(asked).toMatchObject({ pages: 2, added: 1 });
    });
    await server.store.command("INSERT INTO replaced_blocks SELECT 779, 5, unhex(repeat('0E', 32)), 1, 0");
    expect(await ask(3)).toBe("8p 7r 6p of 9");
    await server.store.command("INSERT INTO replaced_blocks SELECT 779, 5, unhex(repeat('0E', 32)), 0, 1");
    expect(await ask(3)).toBe("8p 7c 6p of 9");
    await server.store.command("DELETE FROM alerts WHERE source = 'often' AND ordinal = 8");
    expect([await ask(3), await ask(3)]).toEqual([first, first]);
  });

  const add = (ordinals: readonly number[], { seconds = 0, source = "often", rule = "", block = 5 } = {}) =>
    server.store.command(
      `INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal, rule, block_number, block_hash)
       SELECT {source:String}, n, toDateTime64('2023-06-01', 6, 'UTC') + {seconds:UInt32}, '', 'low', 779, n, {rule:String}, {block:UInt64}, unhex(repeat('0E', 32)) FROM (SELECT arrayJoin({ordinals:Array(UInt32)}) AS n)`,
      { ordinals, seconds, source, rule, block },
    );
  const removeAdded = () => server.store.command("DELETE FROM alerts WHERE chain_id = 779 AND ordinal >= 8");

  test("rows that were added go where they belong, and the rest is not read again", async () => {
    const { asked, ask } = scene();
    await server.store.command("OPTIMIZE TABLE alerts FINAL"); // a merge leaves out what was deleted: then all is read
    await ask(4);
    await ask(4);
    expect(await ask(4)).toBe("7c 6p 5c 4p of 8"); // and by now it is known that nothing came while they were read
    await withoutMerges(async () => {
      await add([10], { seconds: 6, source: "oftem" });
      await add([11], { seconds: 6, source: "often\u{10000}" });
      expect(await ask(4)).toBe("7c 11c 6p 10c of 10");
      await add([12, 13], { seconds: 6, source: "often", rule: "a" });
      expect(await ask(4)).toBe("7c 11c 13c 12c of 12");
      await add([9], { seconds: 7 });
      expect(await ask(4)).toBe("9c 7c 11c 13c of 13");
      await add([14], { seconds: 6, source: "often\uffff" });
      expect(await ask(4)).toBe("9c 7c 11c 14c of 14");
      expect(asked).toMatchObject({ pages: 2, added: 4 });
      await add([20, 21], { seconds: 1 }); // not new enough: counted by a question of their own
      expect(await ask(4)).toBe("9c 7c 11c 14c of 16");
      expect(asked).toMatchObject({ pages: 2, added: 6 });
      await server.store.command("INSERT INTO alerts (source, chain_id) SELECT 'often', 780");
      expect(await ask(4)).toBe("9c 7c 11c 14c of 16");
      expect(asked).toMatchObject({ pages: 2, added: 8 });
      await insert(22, 4); // as many as the page has: all of it may be in them
      expect(await ask(4)).toBe("25c 24p 23c 22p of 20");
      expect(asked).toMatchObject({ pages: 3, added: 8 });
    });
    await ask(4);
    const { pages, added } = asked;
    await server.store.command("OPTIMIZE TABLE alerts FINAL");
    expect(await ask(4)).toBe("25c 24p 23c 22p of 20");
    expect(asked).toMatchObject({ pages, added });
    await server.store.command("DELETE FROM alerts WHERE chain_id = 780");
    await removeAdded();
  });

  test.each([false, true])("is right whatever happens beside what is added, of a server: %s", async (isServer) => {
    const { ask, meanwhile } = scene({ isServer });
    const optimize = () => server.store.command("OPTIMIZE TABLE alerts FINAL");
    const replace = (replaced: 0 | 1, version: number) =>
      server.store.command(
        `INSERT INTO replaced_blocks SELECT 779, 5, unhex(repeat('0E', 32)), ${replaced}, ${version + (isServer ? 10 : 0)}`,
      );
    await ask(2);
    expect(await ask(2)).toBe("7c 6p of 8");
    // merged with what was there
    await add([30], { seconds: 30 });
    await optimize();
    expect([await ask(2), await ask(2)]).toEqual(["30c 7c of 9", "30c 7c of 9"]);
    // and deleted, or changed
    await add([31], { seconds: 31 });
    await server.store.command("DELETE FROM alerts WHERE chain_id = 779 AND ordinal = 30");
    expect([await ask(2), await ask(2)]).toEqual(["31c 7c of 9", "31c 7c of 9"]);
    await add([32], { seconds: 32 });
    await server.store.command(
      "ALTER TABLE alerts UPDATE block_hash = NULL WHERE chain_id = 779 AND ordinal = 31 SETTINGS mutations_sync = 1",
    );
    expect([await ask(2), await ask(2)]).toEqual(["32c 31p of 10", "32c 31p of 10"]);
    // one row less, and one more
    await add([33], { seconds: 33 });
    expect([await ask(2), await ask(2)]).toEqual(["33c 32c of 11", "33c 32c of 11"]);
    await server.store.command("DELETE FROM alerts WHERE chain_id = 779 AND ordinal = 33");
    await add([34], { seconds: 30 });
    expect([await ask(2), await ask(2)]).toEqual(["32c 31p of 11", "32c 31p of 11"]);
    // a block is replaced
    await add([35], { seconds: 35 });
    await replace(1, 2);
    expect([await ask(2), await ask(2)]).toEqual(["35r 32r of 12", "35r 32r of 12"]);
    // merged while they are read: nothing is left by the name that was asked for
    await ask(2);
    await add([36], { seconds: 36 });
    meanwhile.added = optimize;
    expect([await ask(2), await ask(2)]).toEqual(["36r 35r of 13", "36r 35r of 13"]);
    // a block that was replaced comes back while they are read: all rows say so, or none
    await withoutMerges(async () => {
      await ask(2);
      await add([37], { seconds: 37 });
      meanwhile.added = () => replace(0, 3);
      expect([await ask(2), await ask(2)]).toEqual(["37c 36c of 14", "37c 36c of 14"]);
      expect(meanwhile).toEqual({});
    });
    // added while all are read: they must not count twice
    await server.store.command("DELETE FROM alerts WHERE chain_id = 779 AND ordinal = 37");
    meanwhile.pages = () => add([38], { seconds: 38 });
    expect([await ask(2), await ask(2)]).toEqual(["38c 36c of 14", "38c 36c of 14"]);
    await add([39], { seconds: 39 });
    expect([await ask(2), await ask(2)]).toEqual(["39c 38c of 15", "39c 38c of 15"]);
    await removeAdded();
  });

  test("answers what lies in it, the store what goes on below", () =>
    withoutMerges(async () => {
      const { asked, ask } = scene();
      await ask(5);
      expect(await ask(5)).toBe("7c 6p 5c 4p 3c of 8");
      expect(asked.pages).toBe(2);
      expect(await ask(2, { offset: 1 })).toBe("6p 5c of 8");
      expect(await ask(3, { until: "2100-01-01" })).toBe("7c 6p 5c of 8");
      expect(asked.pages).toBe(2);
      expect(await ask(3, { offset: 4 })).toBe("3c 2p 1c of 8"); // to the seventh row: longer from now on
      expect(await ask(7)).toBe("7c 6p 5c 4p 3c 2p 1c of 8");
      expect(asked.pages).toBe(3);
      expect(await ask(100)).toBe("7c 6p 5c 4p 3c 2p 1c 0p of 8");
      const all = asked.pages;
      expect(await ask(100, { offset: 50 })).toBe(" of 8");
      expect(await ask(9)).toBe("7c 6p 5c 4p 3c 2p 1c 0p of 8");
      expect(asked.pages).toBe(all + 1);
    }));

  test("is as of its time limit: rows that are newer are left out, and not counted", async () => {
    const now = Date.now();
    const second = (n: number): string => new Date(now + n * 1_000).toISOString();
    const add = (n: number) =>
      server.store.command(
        `INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal) SELECT 'often', {n:UInt32}, fromUnixTimestamp64Milli({ms:Int64}, 'UTC'), '', 'low', 779, {n:UInt32}`,
        { n, ms: now + n * 1_000 },
      );
    for (const n of [20, 21, 22]) await add(n);
    const { asked, ask } = scene();
    await withoutMerges(async () => {
      await ask(2);
      await ask(4);
      const before = asked.pages;
      expect(await ask(2, { until: second(22) })).toBe("21p 20p of 10");
      expect(await ask(1, { until: second(20) })).toBe("7c of 8");
      expect(asked.pages).toBe(before);
      expect(await ask(4, { until: second(22) })).toBe("21p 20p 7c 6p of 10"); // more than is kept
      expect(await ask(2, { until: second(10) })).toBe("7c 6p of 8");
    });
    await server.store.command("DELETE FROM alerts WHERE source = 'often' AND ordinal >= 20");
  });

  test("of all there are, what was added is counted by its parts", async () => {
    const { asked, meanwhile, said, source } = scene();
    const read = createPageReader(source, READ_SETTINGS, () => 0);
    const page = () => read<AlertRow>(ALERTS, [], { limit: 4, offset: 0, counted: true });
    const total = async () => Number((await page()).total);
    await total();
    await total();
    const before = await total();
    await withoutMerges(async () => {
      await add([40, 41], { seconds: 3_000_000_000 }); // newer than all that other tests have
      expect(await total()).toBe(before + 2);
      const questions = asked.parts;
      await add([42], { seconds: 3_000_000_001 });
      expect(await total()).toBe(before + 3);
      expect(asked.parts).toBe(questions + 1); // all that was added was read, and nobody has written since
      await add([43], { seconds: 1 }); // not new enough for the page
      expect(await total()).toBe(before + 4);
      expect(asked).toMatchObject({ pages: 2, added: 3 });
      await add([44], { seconds: 3_000_000_002 });
      meanwhile.added = async () => {
        said.again = true;
        await server.store.command("SYSTEM START MERGES");
        await server.store.command("OPTIMIZE TABLE alerts FINAL");
      };
      const { rows } = await page();
      expect([rows[0]!.ordinal, await total(), meanwhile]).toEqual([44, before + 5, {}]);
      delete said.again;
    });
    await removeAdded();
    expect(await total()).toBe(before);
  });

  test("nobody is asked what parts there are as long as nobody writes", async () => {
    const { asked, ask } = scene();
    await ask(2);
    await ask(2);
    const before = asked.parts;
    await server.store.rows("SELECT 1");
    expect(await ask(2)).toBe(await ask(2));
    expect(asked.parts).toBe(before);
    await server.store.command("INSERT INTO dead_letters (source) SELECT 'often'");
    await ask(2);
    expect(asked.parts).toBe(before);
    await server.store.command("DELETE FROM dead_letters WHERE source = 'often'"); // of whatever table
    await ask(2);
    expect(asked.parts).toBe(before + 1);
  });

  test("of a table without rows is kept, until there is one", async () => {
    const { asked, source } = scene();
    const read = createPageReader(source, READ_SETTINGS, () => 0);
    const total = async () => Number((await read(SOLANA_TRANSACTIONS, [], { limit: 2, offset: 0, counted: true })).total ?? 0); // biome-ignore format: one line
    expect([await total(), await total()]).toEqual([0, 0]);
    const before = { ...asked };
    expect([await total(), await total(), asked]).toEqual([0, 0, before]);
    await server.store.command("INSERT INTO solana_transactions (source) SELECT 'often'");
    expect(await total()).toBe(1);
  });

  test("is answered while others write, and has what they wrote once they are told that it is stored", async () => {
    const { asked, ask, source } = scene();
    await withoutMerges(async () => {
      await ask(2);
      await ask(2);
      expect(await ask(2)).toBe("7c 6p of 8");
      const before = { ...asked };
      // a row a statement's block, seen at once, and nobody is told
      const endless = server.store.command(`
        INSERT INTO alerts (source, offset, event_time, alert_id, severity, chain_id, ordinal)
        SELECT 'often', number, toDateTime64('2023-07-01', 6, 'UTC') + number, '', 'low', 779, 50 + number + sleepEachRow(0.01) FROM numbers(1000000)
        SETTINGS max_block_size = 1, min_insert_block_size_rows = 1`);
      const failing = expect(endless).rejects.toThrow(/cancelled/i);
      const stored = async () =>
        Number((await server.store.rows<{ n: string }>("SELECT count() AS n FROM alerts WHERE chain_id = 779"))[0]!.n);
      try {
        while ((await stored()) < 12); // more than the eight that were there, and than is asked for below
        expect(source.stillness!(["alerts"])?.isStill).toBe(false);
        expect(await ask(2)).toBe("7c 6p of 8");
        expect(asked).toEqual(before);
        await ask(5); // read now, and what came meanwhile is not counted once more
        await ask(5);
      } finally {
        await server.store.command("KILL QUERY WHERE query LIKE '%50 + number%' AND query NOT LIKE 'KILL%' SYNC");
        await failing;
      }
      const rows = await stored();
      expect(await ask(2)).toBe(`${rows + 41}p ${rows + 40}p of ${rows}`);
      expect(await ask(5)).toMatch(`${rows + 41}p ${rows + 40}p ${rows + 39}p`);
    });
    await removeAdded();
  });

  test("has a row for everybody who asks after it was stored, however many ask meanwhile", async () => {
    const { asked, ask } = scene({ isServer: true });
    await ask(1);
    await ask(1);
    await ask(1);
    const before = asked.parts;
    await Promise.all(Array.from({ length: 10 }, () => ask(1)));
    expect(asked.parts - before).toBe(1); // for all who wait
    let isDone = false;
    const others = Array.from({ length: 8 }, async () => {
      while (!isDone) await ask(1);
    });
    try {
      for (let n = 30; n < 36; n++) {
        await insert(n, 1);
        expect(await ask(1)).toBe(`${n}${n % 2 === 0 ? "p" : "c"} of ${n - 21}`);
      }
    } finally {
      isDone = true;
      await Promise.all(others);
    }
  });

  test("is read again after it could not be", async () => {
    let isAway = false;
    const store: ReadableStore = {
      rows: (sql, ...rest) =>
        isAway && !sql.includes("system.parts") ? Promise.reject(new Error("away")) : server.store.rows(sql, ...rest),
    };
    const read = createPageReader(store, READ_SETTINGS, () => 0);
    const ask = () => read<AlertRow>(ALERTS, conditions(), { limit: 1, offset: 0 });
    await ask();
    isAway = true;
    await expect(ask()).rejects.toThrow("away");
    isAway = false;
    expect((await ask()).rows).toHaveLength(1);
  });

  test("is made of the tables that its statement names", async () => {
    const lists = { ALERTS, TRANSACTIONS, SWAPS, ARBITRAGES, SANDWICHES, LIQUIDATIONS, OPPORTUNITIES, captured: opportunityList({ captured: true }), ARBITRAGE_TRANSACTIONS, DEAD_LETTERS, SOLANA_TRANSACTIONS, TRANSFERS }; // biome-ignore format: one line
    for (const [name, list] of Object.entries(lists)) {
      const { sql, params } = listQuery(list, [], { limit: 1, offset: 0, counted: true });
      const tree = await server.store.rows<{ explain: string }>(`EXPLAIN QUERY TREE ${sql}`, params);
      const read = tree.flatMap(({ explain }) => /table_name: \w+\.(\w+)/.exec(explain)?.[1] ?? []);
      expect(tablesOf(sql).sort(), name).toEqual([...new Set(read)].sort());
      const tables = await server.store.rows<{ name: string; engine: string; isViewed: number }>(
        `SELECT name AS name, engine, name IN (
           SELECT extract(create_table_query, ' TO \\w+\\.(\\w+)') FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'
         ) AS isViewed
         FROM system.tables WHERE database = currentDatabase() AND name IN {read:Array(String)}`,
        { read },
      );
      for (const { name: table, engine, isViewed } of tables) {
        expect(engine, name).toMatch(/MergeTree$/);
        expect(isViewed, `${name}: a view inserts into ${table}`).toBe(0);
        // or merges would change what it says
        if (engine !== "MergeTree") expect(sql, name).toMatch(new RegExp(`${table}( AS t)? FINAL`));
      }
    }
  });
});
