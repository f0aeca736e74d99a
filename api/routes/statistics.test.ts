/** Statistics against a computation in plain TypeScript: of a made scene with reorganisations, repeats and unknown prices. */
import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeFindings, type FindingRow, type FindingTable } from "../../clickhouse/tables/findings.ts";
import { COLUMNS } from "../../clickhouse/tables.ts";
import { closeHours, openHours } from "../../engine/statistics/closeHours.ts";
import { startTestServer, type TestServer } from "../testServer.ts";
import { arbitrageurSchema } from "./arbitrageurs.ts";
import { mevSchema, mevSummarySchema } from "./mev.ts";
import { opportunitySchema } from "./opportunities.ts";
import { dailyStatsSchema, statsSchema } from "./stats.ts";
import {
  type Arbitrage,
  expectExact,
  isoOf,
  near,
  type Opportunity,
  type Placed,
  type Scene,
  standing,
  sum,
} from "./testing/statisticsReference.ts";
import { transactionSchema } from "./transactions.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.close());

/** All pages, each from where the one before ended. @param total that each says, if it does */
async function walk(path: string, total?: number): Promise<unknown[]> {
  const walked: unknown[] = [];
  for (let next: string | undefined = path; next; ) {
    const { status, text, headers, body } = await server.get(next);
    expect(status, text).toBe(200);
    if (total !== undefined) expect(headers.get("x-total-count")).toBe(String(total));
    walked.push(...(body() as unknown[]));
    next = /<([^>]+)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
  }
  return walked;
}

describe("a made scene", () => {
  /** The same numbers on every run. */
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const START = Date.UTC(2024, 4, 5, 20) / 1000; // 20:00, so that the ten hours lie in two days
  const digits = (number: number, length: number): string => number.toString(16).padStart(length, "0");
  const hashOf = (chain: number, block: number, fork = 0): string => digits(fork * 1e9 + chain * 1e6 + block, 64);
  const placed = (tx: number, fork = 0): Placed => {
    const chain = [900, 901][random(2)]!;
    const block = 1 + random(300);
    return {
      chain,
      block,
      hash: hashOf(chain, block, fork),
      time: START + block * 120,
      tx: digits(tx, 64),
      from: digits(1 + random(9), 40),
    };
  };
  const arbitrages: Arbitrage[] = Array.from({ length: 400 }, (_, i) => ({
    ...placed(i, random(10) === 0 ? 1 : 0),
    definition: random(4) === 0 ? "router" : "cycle",
    net: random(5) === 0 ? null : (random(2_000_000) - 500_000) * 1000 + random(1000),
    gas: random(6) === 0 ? null : random(90_000_000),
    gwei: random(7) === 0 ? null : random(1000) / 8,
    hops: 2 + random(4),
  }));
  const attempts = Array.from({ length: 60 }, (_, i) => placed(10_000 + i));
  const pool = (): string => digits(77 + random(4), 40);
  const opportunities: Opportunity[] = Array.from({ length: 150 }, () => {
    const { chain, block, hash, time } = placed(0, random(10) === 0 ? 1 : 0);
    const usd = [null, random(200_000) * 1e6, 10_000e6, 100_000e6, 100_000e6 + 1][random(5)]!;
    return { chain, time: time + random(100), ...(random(3) > 0 && { hash }), state: block, pool: pool(), usd };
  });
  const captures = Array.from({ length: 200 }, (_, i) => ({
    ...placed(20_000 + i, random(8) === 0 ? 1 : 0),
    pool: pool(),
  }));
  const scene: Scene = { arbitrages, attempts, opportunities, captures };

  let offset = 0;
  async function insert<T extends FindingTable>(table: T, rows: readonly FindingRow<T>[]): Promise<void> {
    const block = encodeFindings(table, rows);
    const columns = COLUMNS[table].map(([name]) => name);
    await server.store.insertBlock({ table, columns, format: "Native", bodies: [block.bytes], rows: rows.length });
  }
  const place = ({ chain, block, hash, time, tx, from }: Placed) => ({
    ...{
      source: "s",
      partition: 0,
      offset: offset++,
      n: 0,
      event_time: (time - 7) * 1e6,
      chain_id: chain,
      block_number: block,
    },
    ...{
      block_hash: `0x${hash}`,
      block_timestamp: time,
      transaction_index: 1,
      tx_hash: `0x${tx}`,
      tx_from: `0x${from}`,
      tx_to: null,
    },
  });
  const judged = { status: "confirmed", confidence: "high", reason: "because", evidence: [] };
  const micros = (usd: number | null): bigint | null => (usd === null ? null : BigInt(usd));
  const noProfit = {
    gas_cost: null,
    fee_recipient_payment: null,
    payments_complete: null,
    net_profit: null,
    roi_percent: null,
    gross_usd: null,
    net_usd: null,
  };
  const arbitrageRow = (arbitrage: Arbitrage, route: number, at = place(arbitrage)): FindingRow<"arbitrages"> => {
    const { definition, net, gas, gwei, hops } = arbitrage;
    const amounts = {
      account: `0x${"e".repeat(40)}`,
      profit_token: `0x${"a".repeat(40)}`,
      start_amount: 1n,
      end_amount: 1n,
      profit_amount: 0n,
    };
    const path = {
      route_logs: [route],
      route_protocols: ["uniswap_v2"],
      route_pools: [`0x${digits(route, 40)}`],
      route_tokens: [`0x${"a".repeat(40)}`],
    };
    const of = {
      tx_swaps: hops,
      tx_hops: hops,
      tx_gas_used: 1,
      tx_gas_price: gwei === null ? null : BigInt(gwei * 1e9),
      tx_gas_usd: micros(gas),
      tx_gross_usd: micros(net),
      tx_net_usd: micros(net),
    };
    return [at, { log_index: route, definition, route, ...amounts, ...path }, noProfit, of, judged];
  };
  const opportunityRow = (
    { chain, time, hash, state, pool, usd }: Opportunity,
    i: number,
  ): FindingRow<"opportunities"> => {
    const known = place({
      chain,
      block: state,
      hash: hash ?? "",
      time,
      tx: digits(30_000 + i, 64),
      from: digits(1, 40),
    });
    const pending = { block_number: null, block_hash: null, block_timestamp: null, transaction_index: null };
    const isSmall = usd === null ? null : usd >= 10_000e6 && usd <= 100_000e6;
    return [
      { ...known, event_time: time * 1e6, ...(hash === undefined ? pending : { block_timestamp: time }) },
      {
        ...{
          opportunity_id: `0x${digits(i, 8).repeat(4)}`,
          kind: hash === undefined ? "pending_backrun" : "pool_imbalance",
          log_index: null,
          state_block: state,
        },
        ...{
          dex: "SushiSwap",
          pool: `0x${pool}`,
          token0: `0x${"1".repeat(40)}`,
          token1: `0x${"2".repeat(40)}`,
          reserve0: 1,
          reserve1: 1,
          reserve0_raw: 1n,
        },
        ...{
          reserve1_raw: 1n,
          sqrt_price_x96: null,
          liquidity: null,
          imbalance_pct: 9,
          imbalance_pct_raw: 9,
          other_dex: "",
          other_pool: null,
          profit_token: null,
          amount_in_raw: null,
          amount_out_raw: null,
        },
        ...{
          profit_raw: null,
          gas_cost_raw: null,
          profit_native: null,
          profit_native_raw: null,
          profit_usd: micros(usd),
          is_small_opportunity: isSmall,
        },
        ...{ exposure_token: null, exposure_front_raw: null, exposure_loss_raw: null, exposure_profit_raw: null },
      },
      judged,
    ];
  };
  const captureRow = ({ pool, ...at }: Scene["captures"][number]): FindingRow<"opportunity_captures"> => [
    place(at),
    { log_index: 1, pool: `0x${pool}`, account: `0x${"e".repeat(40)}` },
  ];
  const replaced = new Set<string>();
  async function replace(chain: number, block: number, fork: number, is: boolean, at: number): Promise<void> {
    const hash = hashOf(chain, block, fork);
    await server.store.command(
      `INSERT INTO replaced_blocks SELECT ${chain}, ${block}, unhex('${hash}'), ${is ? 1 : 0}, ${at}`,
    );
    if (is) replaced.add(hash);
    else replaced.delete(hash);
  }
  const both = async (): Promise<void> => {
    for (const chain of [900, 901]) await expectExact(server, scene, replaced, chain);
  };
  const closed = async (): Promise<string[]> =>
    (
      await server.store.rows<{ name: string }>(
        "SELECT concat(toString(chain_id), ' ', toString(hour_timestamp)) AS name FROM stats_hours FINAL WHERE definition = 'cycle' AND base_rows > 0 ORDER BY ALL",
      )
    ).map(({ name }) => name);

  beforeAll(async () => {
    // Every third came in twice, every fourth has two routes.
    const twice = arbitrages.flatMap((arbitrage, i) => (i % 3 === 0 ? [arbitrage, arbitrage] : [arbitrage]));
    const routes = twice.flatMap((arbitrage, i) => {
      const at = place(arbitrage);
      return (i % 4 === 0 ? [0, 1] : [0]).map((route) => arbitrageRow(arbitrage, route, at));
    });
    await insert("arbitrages", routes);
    await server.store.command(`INSERT INTO transactions (source, partition, offset, n, event_time, chain_id, hash, from_address, block_number, block_hash, block_timestamp, status, tags)
      SELECT source, partition, offset, n, event_time, chain_id, tx_hash, tx_from, block_number, block_hash, block_timestamp, 1, if(offset < 100, ['early'], []) FROM arbitrages WHERE route = 0`);
    await insert(
      "failed_attempts",
      [...attempts, attempts[0]!].map((at) => [place(at), { searcher: `0x${at.from}` }, judged]),
    );
    await insert("opportunities", opportunities.map(opportunityRow));
    await insert("opportunity_captures", captures.map(captureRow));
    // Chain 900 is followed live and final up to block 200; the forks of it are replaced, but for those of 901.
    await server.store.command("INSERT INTO chain_heads SELECT 900, 264, unhex(repeat('0A', 32)), 200, 1");
    for (let block = 1; block <= 300; block++) replaced.add(hashOf(900, block, 1));
    await server.store.command(
      `INSERT INTO replaced_blocks SELECT 900, number + 1, unhex(leftPad(lower(hex(toUInt64(1000000000 + 900000000 + number + 1))), 64, '0')), 1, 1 FROM numbers(300)`,
    );
  });

  test("is exact while no hour is closed", both);

  test("is exact while more hours are open than are computed at once for all who ask", async () => {
    await server.store.command(`INSERT INTO failed_attempts (source, chain_id, block_number, event_time, block_timestamp)
      SELECT 's', 902, number, toDateTime64(${START}, 6, 'UTC'), toDateTime(${START} + 3600 * number, 'UTC') FROM numbers(120)`);
    await expectExact(server, scene, replaced, 900);
    for (const order of ["sort_by=success_rate", "sort_by=total_profit&sort_order=asc&min_transactions=3"]) {
      const whole = await server.read(`/api/v1/arbitrageurs?${order}`, z.array(arbitrageurSchema));
      expect(whole.length).toBeGreaterThan(10);
      expect(await walk(`/api/v1/arbitrageurs?${order}&limit=4`, whole.length)).toEqual(whole);
    }
    await server.store.command("DELETE FROM failed_attempts WHERE chain_id = 902");
  });

  test("is exact when closing hours ends half-way, and the next time closes the others", async () => {
    const killed = () => {
      throw new Error("killed");
    };
    await expect(closeHours(server.store, killed, 7)).rejects.toThrow("killed");
    expect(await closed()).toHaveLength(7);
    await both();
  });

  test("is exact when those hours are closed that are final, and says which are not", async () => {
    expect(await closeHours(server.store)).toBeGreaterThan(7);
    const hours = await closed();
    // 30 blocks an hour from 20:00: block 200 is at 02:40, so hours before 02:00 are final; captures of 20:02 may be of opportunities of 19:57
    const final = [19, 20, 21, 22, 23, 24, 25].map((hour) => isoOf(START + (hour - 20) * 3600).slice(0, 19));
    expect(hours.filter((name) => name.startsWith("900"))).toEqual(
      final.map((hour) => `900 ${hour.replace("T", " ")}`),
    );
    expect(hours.filter((name) => name.startsWith("901")).length).toBeGreaterThanOrEqual(10);
    const stats = await server.read("/api/v1/stats?since=2000-01-01&chain_id=900", z.array(statsSchema));
    expect(stats.map(({ provisional }) => provisional)).toEqual(
      stats.map(({ hour_timestamp }) => hour_timestamp >= "2024-05-06T02"),
    );
    await both();
    expect(await closeHours(server.store)).toBe(0);
  });

  const transactionList = z.array(transactionSchema);
  const amount = (usd: number | null) => (usd === null ? null : expect.closeTo(usd / 1e6, 6));
  test.each<[string, (arbitrage: Arbitrage) => boolean]>([
    ["strategy=3-hop", ({ hops, definition }) => hops === 3 && definition === "cycle"],
    ["strategy=N-hop&definition=router", ({ hops, definition }) => hops > 4 && definition === "router"],
    ["min_swaps=4", ({ hops, definition }) => hops >= 4 && definition === "cycle"],
    [
      "min_profit=700.5&chain_id=901",
      ({ net, chain, definition }) => net !== null && net >= 700.5e6 && chain === 901 && definition === "cycle",
    ],
    [
      `min_profit=-1000&from_address=0x${"3".padStart(40, "0")}`,
      ({ net, from, definition }) => net !== null && from.endsWith("3") && definition === "cycle",
    ],
    ["definition=cycle&status=0", () => false],
    ["definition=cycle&pending=true", () => false],
  ])("transactions that are arbitrages: %s", async (asked, wanted) => {
    const list = await server.read(`/api/v1/transactions?limit=1000&${asked}`, transactionList);
    const expected = standing(scene, replaced).arbitrages.filter(wanted);
    expect(list.map(({ tx_hash }) => tx_hash.slice(2)).sort()).toEqual(sightings(expected).sort());
    expect((await server.get(`/api/v1/transactions?limit=1&${asked}`)).headers.get("x-total-count")).toBe(
      String(list.length),
    );
    for (const row of list) {
      const { hops, net, gas } = expected.find(({ tx }) => `0x${tx}` === row.tx_hash)!;
      expect(row).toMatchObject({
        swap_count: hops,
        strategy: hops > 4 ? "N-hop" : `${hops}-hop`,
        profit_net_usd: amount(net),
        gas_cost_usd: amount(gas),
        tokens_involved: [`0x${"a".repeat(40)}`],
      });
    }
  });
  /** Every third came in twice. */
  const sightings = (found: readonly Arbitrage[]): string[] =>
    found.flatMap(({ tx }) => (Number.parseInt(tx, 16) % 3 === 0 ? [tx, tx] : [tx]));

  test("their pages, those with a tag, and what an arbitrage says of itself in the list of all", async () => {
    const whole = await server.read("/api/v1/transactions?limit=1000&min_swaps=2", transactionList);
    expect(await walk("/api/v1/transactions?min_swaps=2&limit=90")).toEqual(whole);
    expect(whole.map(({ detected_at }) => detected_at)).toEqual(
      whole
        .map(({ detected_at }) => detected_at)
        .sort()
        .reverse(),
    );
    const early = await server.read("/api/v1/transactions?limit=1000&min_swaps=2&tag=early", transactionList);
    expect(early).toEqual(whole.filter(({ tags }) => tags.includes("early")));
    expect(early.length).toBeGreaterThan(20);
    const all = await server.read("/api/v1/transactions?limit=1000&chain_id=901", transactionList);
    const cycles = all.filter(({ strategy }) => strategy !== undefined);
    expect(cycles).toEqual(whole.filter(({ chain_id }) => chain_id === 901));
    expect(all.length).toBeGreaterThan(cycles.length);
    for (const wrong of ["strategy=5-hop", "min_swaps=0", "min_profit=much", "definition=x"])
      await server.problem(`/api/v1/transactions?${wrong}`, 400);
  });

  test("opportunities: filters, pages, names of pools", async () => {
    const list = z.array(opportunitySchema);
    const kept = standing(scene, replaced).opportunities;
    const whole = await server.read("/api/v1/opportunities?limit=1000&chain_id=900", list);
    expect(whole).toHaveLength(kept.filter(({ chain }) => chain === 900).length);
    for (const [asked, wanted] of [
      ["min_profit=10000&max_profit=100000", ({ usd }) => usd !== null && usd >= 10_000e6 && usd <= 100_000e6],
      [`pool=0x${digits(78, 40)}`, ({ pool }) => pool === digits(78, 40)],
      ["kind=pending_backrun", ({ hash }) => hash === undefined],
    ] as const satisfies [string, (opportunity: Opportunity) => boolean][])
      expect(await server.read(`/api/v1/opportunities?limit=1000&${asked}`, list)).toHaveLength(
        kept.filter(wanted).length,
      );
    const [taken, left] = [await server.read("/api/v1/opportunities?limit=1000&captured=true", list), await server.read("/api/v1/opportunities?limit=1000&captured=false", list)]; // biome-ignore format: a pair
    expect([taken.length + left.length, taken.every(({ captured_by }) => captured_by !== null)]).toEqual([
      kept.length,
      true,
    ]);
    expect(await walk("/api/v1/opportunities?chain_id=900&limit=30")).toEqual(whole);
    expect(new Set(whole.map(({ id }) => id)).size).toBe(whole.length);
    expect(whole[0]!.pool_name).toBe("0x1111…1111-0x2222…2222");
    for (const wrong of ["min_profit=x", "captured=yes", "kind=arbitrage", "pool=0x12", "cursor=bm8"])
      await server.problem(`/api/v1/opportunities?${wrong}`, 400);
  });

  test("answers come out of the cache until what they are made of is written", async () => {
    const paths = ["/api/v1/stats?since=2000-01-01&chain_id=901", "/stats/daily?chain_id=901&since=2000-01-01", "/api/v1/arbitrageurs?limit=3", "/api/v1/opportunities?limit=3"]; // biome-ignore format: a row
    const ask = () =>
      Promise.all(
        paths.map(async (path) => {
          const { status, headers, text } = await server.get(path);
          const told = ["x-total-count", "link", "etag", "content-type"].map((name) => headers.get(name));
          return { from: headers.get("x-cache"), answer: [status, ...told, text] };
        }),
      );
    const from = async () => (await ask()).map((each) => each.from);
    await ask();
    const [kept, again] = [await ask(), await ask()];
    expect(again).toEqual(kept);
    expect(kept.map((each) => each.from)).toEqual(Array(4).fill("memory"));
    expect(kept.map(({ answer }) => answer[0])).toEqual(Array(4).fill(200));
    const [{ answer }] = kept as [(typeof kept)[number]];
    const same = await server.get(paths[0]!, { headers: { "if-none-match": answer[3] as string } });
    expect([same.status, same.text, same.headers.get("x-cache")]).toEqual([304, "", "memory"]);
    expect((await server.get("/api/v1/stats?chain_id=901&since=2000-01-01")).headers.get("x-cache")).toBe("memory");

    await server.store.command("INSERT INTO alerts (rule, event_time, chain_id) SELECT 'x', now(), 902");
    expect(await from()).toEqual(["made", "made", "memory", "memory"]);
    await server.labels.set(
      [{ chainId: 900, address: `0x${"1".repeat(40)}`, name: "One", symbol: "ONE", decimals: 18 }],
      "tester",
    );
    expect(await from()).toEqual(["memory", "memory", "memory", "made"]);
    await server.labels.remove({ chainId: 900, address: `0x${"1".repeat(40)}` }, "tester");
    await server.store.command("INSERT INTO replaced_blocks SELECT 902, 1, unhex(repeat('0C', 32)), 1, 1");
    expect(await from()).toEqual(Array(4).fill("made"));
    const wrong = "/api/v1/stats?period=1y";
    await server.problem(wrong, 400);
    expect((await server.get(wrong)).headers.get("x-cache")).toBe("made"); // what is wrong is not kept
  });

  test("what was extracted in blocks that were replaced is not listed", async () => {
    const shown = await server.read("/api/v1/mev-opportunities?chain_id=900&limit=1000", z.array(mevSchema));
    const kept = standing(scene, replaced).arbitrages.filter((each) => each.chain === 900 && each.definition === "cycle"); // biome-ignore format: one line
    expect(new Set(shown.map(({ tx_hash }) => tx_hash))).toEqual(new Set(kept.map(({ tx }) => `0x${tx}`)));
    expect(new Set(shown.map(({ status }) => status))).toEqual(new Set(["confirmed", "provisional"]));
    const asked = "/api/v1/analytics/mev-summary?since=2000-01-01&chain_id=900";
    const { count, priced, profit_usd } = await server.read(asked, mevSummarySchema);
    const nets = kept.flatMap(({ net }) => (net === null ? [] : [net / 1e6]));
    expect([count, priced, profit_usd]).toEqual([kept.length, nets.length, near(sum(nets))]); // each once, though it came in twice
  });

  test("just-in-time liquidity is listed and counted", async () => {
    const jit = { ...placed(7), chain: 903, time: START };
    const hash = (digit: string): string => `0x${digit.repeat(64)}`;
    const columns = { log_index: 5, protocol: "uniswap_v3", pool: Buffer.from("77".repeat(20), "hex"), provider: `0x${"8".repeat(40)}`, swap_txs: [hash("9"), hash("a")], burn_tx: hash("b"), liquidity: 1n }; // biome-ignore format: a row
    await insert("jit_liquidity", [[place(jit), columns, judged]]);
    const [row] = await server.read("/api/v1/mev-opportunities?chain_id=903&pattern_type=jit", z.array(mevSchema));
    expect(row).toMatchObject({
      ...{ pattern_type: "jit", tx_hash: `0x${jit.tx}`, searcher: columns.provider, victim_txs: columns.swap_txs },
      ...{ pools: [`0x${"7".repeat(40)}`], profit_native: null, block_number: jit.block, status: "confirmed" },
    });
    const sums = await server.read("/api/v1/analytics/mev-summary?since=2000-01-01&chain_id=903", mevSummarySchema);
    expect(sums.patterns).toMatchObject([{ pattern_type: "jit", count: 1, victims: 2, priced: 0, profit_native_raw: "0", max_profit_usd: null }]); // biome-ignore format: a row
  });

  test("an hour to which rows come later is exact at once, and closed anew", async () => {
    const late: Arbitrage = {
      ...arbitrages.find(({ chain, definition }) => chain === 901 && definition === "cycle")!,
      tx: "f".repeat(64),
      net: 12_345_678_900_000,
    };
    arbitrages.push(late);
    await insert("arbitrages", [arbitrageRow(late, 0)]);
    await expectExact(server, scene, replaced, 901);
    expect(await closeHours(server.store)).toBe(1);
    await expectExact(server, scene, replaced, 901);
  });

  test("a block that is replaced after its hour was closed leaves nothing behind, and comes back whole", async () => {
    const { chain, block } = arbitrages.find(
      (arbitrage) =>
        arbitrage.chain === 900 && arbitrage.block < 150 && arbitrage.hash === hashOf(900, arbitrage.block),
    )!;
    for (const [is, at] of [[true, 2], [false, 3]] as const) {
      await replace(chain, block, 0, is, at);
      await openHours(server.store, { chainId: chain, number: block, hash: `0x${hashOf(chain, block)}` });
      if (is) await expectExact(server, scene, replaced, chain); // open again: computed from the rows
      expect(await closeHours(server.store)).toBeGreaterThanOrEqual(1);
      await expectExact(server, scene, replaced, chain);
    } // biome-ignore format: two turns
  });

  // the last hours of chain 900 are open, the others closed
  test.each(["total_profit", "success_rate", "total_transactions", "last_seen", "total_gas_spent_usd"])(
    "the leaderboard by %s: pages and both directions",
    async (order) => {
      for (const direction of ["asc", "desc"]) {
        const path = `/api/v1/arbitrageurs?sort_by=${order}&sort_order=${direction}`;
        const whole = await server.read(path, z.array(arbitrageurSchema));
        expect(whole.length).toBeGreaterThan(10);
        const value = (row: z.infer<typeof arbitrageurSchema>) =>
          row[order === "total_profit" ? "total_profit_usd" : (order as "last_seen")];
        const sorted = whole.map(value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        expect(whole.map(value)).toEqual(direction === "asc" ? sorted : sorted.reverse());
        expect(await walk(`${path}&limit=4`, whole.length)).toEqual(whole);
      }
    },
  );

  test("hours are closed when the chain's blocks become final", async () => {
    await server.store.command("INSERT INTO chain_heads SELECT 900, 400, unhex(repeat('0B', 32)), 336, 2");
    expect(await closeHours(server.store)).toBeGreaterThanOrEqual(4);
    await expectExact(server, scene, replaced, 900);
    expect(await closeHours(server.store)).toBe(0);
  });

  test("rows that were deleted to make room stay counted in the hours that are closed", async () => {
    const before = await server.read("/api/v1/stats/daily?since=2000-01-01&chain_id=901", z.array(dailyStatsSchema));
    await server.store.command("DELETE FROM arbitrages WHERE chain_id = 901");
    expect(await closeHours(server.store)).toBe(0);
    expect(await server.read("/api/v1/stats/daily?since=2000-01-01&chain_id=901", z.array(dailyStatsSchema))).toEqual(
      before,
    );
  });

  test("one arbitrageur, at least so many transactions, and what is wrong", async () => {
    const address = `0x${digits(3, 40)}`;
    const list = z.array(arbitrageurSchema);
    const [first, ...rest] = await server.read(
      `/api/v1/arbitrageurs/${address.toUpperCase().replace("0X", "0x")}`,
      list,
    );
    expect(first!.address).toBe(address);
    expect(
      (await server.read("/api/v1/arbitrageurs?limit=1000", list)).filter((row) => row.address === address),
    ).toEqual([first, ...rest]);
    const busy = await server.read(`/api/v1/arbitrageurs?min_transactions=${first!.total_transactions}`, list);
    expect(busy.map(({ address }) => address)).toContain(address);
    expect(busy.every(({ total_transactions }) => total_transactions >= first!.total_transactions)).toBe(true);
    expect((await server.problem(`/api/v1/arbitrageurs/0x${"9".repeat(40)}`, 404)).detail).toBe(
      "Arbitrageur not found",
    );
    const { headers } = await server.get("/api/v1/arbitrageurs?limit=1");
    const cursor = /cursor=([^>&]+)/.exec(headers.get("link")!)![1]!;
    for (const wrong of [
      `cursor=${cursor}&sort_by=last_seen`,
      "cursor=bm8",
      "sort_by=profit",
      "sort_order=up",
      "definition=loop",
      "min_transactions=-1",
      "limit=1001",
    ])
      await server.problem(`/api/v1/arbitrageurs?${wrong}`, 400);
    for (const wrong of ["days=0", "days=367", "days=3&since=2024-01-01", "period=24h", "definition=x"])
      await server.problem(`/api/v1/stats/daily?${wrong}`, 400);
  });
});
