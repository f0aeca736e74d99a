/** Lists over HTTP at a fixed rate, beside a Hono route that answers a constant. */
import { figure, type Goal } from "../../figure.ts";
import { type HttpLoadProcess, openHttpLoad } from "../../load/httpLoad.ts";
import { percentile } from "../../load/openLoop.ts";
import { FIRST_SEEN_MS } from "../../load/synthetic.ts";
import { forkServer } from "../../measure/forked.ts";
import { processCpu } from "../../measure/processCpu.ts";
import type { Check, Context, Figure, Measured } from "../../scenario.ts";
import type { ApiScene } from "./scene.ts";

interface Case {
  readonly name: string;
  readonly perSecond: number;
  /** Of the i-th request. */
  readonly url: (i: number) => string;
  /** CPU seconds so far, by who used them. */
  readonly cpu: () => Readonly<Record<string, number>>;
  readonly goal?: Goal;
  /** Nearly all answers are to come out of the cache. */
  readonly isCached?: true;
  /** What is done each second meanwhile. */
  readonly write?: () => Promise<void>;
}

const UNCACHED: Goal = { below: 50 };
const CACHED: Goal = { below: 10 };
/** Of the load's transactions, each of a page of its own: what a list costs that nobody has asked for before. */
const anyTime = (i: number): number => FIRST_SEEN_MS + 1_000 + ((i * 7_919) % 40_000);
/** Lists that are asked for again and again: more than one, so that they are looked up. */
const KEPT_LISTS = 10;

export async function lists(scene: ApiScene, context: Context): Promise<Measured> {
  const bare = await forkServer("bench/peers/bareHono");
  const load = await openHttpLoad();
  try {
    const { url } = scene;
    const cpu = (): Record<string, number> => ({ ...scene.cpu(), load: processCpu(load.pid) });
    // no two alike: what was answered before does not help
    let asked = 0;
    const newest = (path: string) => () => `${url}${path}&until=${new Date(Date.UTC(2100, 0) + asked++).toISOString()}`;
    const write = newestRows(scene);
    const cases: readonly Case[] = [
      { name: "bare Hono route", perSecond: 1_000, url: () => `http://127.0.0.1:${bare.port}/list`, cpu: () => ({ Hono: processCpu(bare.child.pid!) }) }, // biome-ignore format: a row
      { name: "alerts?limit=100, uncached", perSecond: 100, url: newest("/api/v1/alerts?limit=100"), cpu, goal: UNCACHED, write }, // biome-ignore format: a row
      { name: "transactions?limit=100, uncached", perSecond: 100, url: newest("/api/v1/transactions?limit=100"), cpu, goal: UNCACHED, write }, // biome-ignore format: a row
      { name: "transactions?limit=100 up to any time", perSecond: 20, url: (i) => `${url}/api/v1/transactions?limit=100&until=${new Date(anyTime(i)).toISOString()}`, cpu }, // biome-ignore format: a row
      { name: "opportunities?limit=100, cached", perSecond: 1_000, url: (i) => `${url}/api/v1/opportunities?limit=100&min_profit=${i % KEPT_LISTS}`, cpu, goal: CACHED, isCached: true }, // biome-ignore format: a row
    ];
    await fillOpportunities(scene);
    const measured: Measured[] = [];
    for (const each of cases) measured.push(await measureCase(each, load, context));
    return { checks: measured.flatMap(({ checks }) => checks), figures: measured.flatMap(({ figures }) => figures) };
  } finally {
    await load.close();
    await bare.close();
  }
}

async function measureCase(
  { name, perSecond, url, cpu, goal, isCached, write }: Case,
  load: HttpLoadProcess,
  { runs, quick, say }: Context,
): Promise<Measured> {
  const p50: number[] = [];
  const p99: number[] = [];
  const used: Record<string, number[]> = {};
  const checks: Check[] = [];
  const seconds = quick ? 3 : 8;
  let [wrong, counted, made] = [0, 0, 0];
  const givenUp: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const urls = Array.from({ length: perSecond * seconds }, (_, i) => url(i));
    const before = cpu();
    const writing = write && everySecond(write);
    const answers = await load.run({ perSecond, seconds, urls }).finally(() => writing?.end());
    const after = cpu();
    wrong += answers.wrong;
    counted += answers.latencies.length;
    made += answers.answered - answers.kept;
    const each = Object.entries(after).map(([who, now]) => [who, ((now - before[who]!) * 1e3) / answers.answered] as const); // biome-ignore format: one line
    say(`${name} at ${perSecond}/s: p50 ${percentile(answers.latencies, 0.5).toFixed(1)} ms, p99 ${percentile(answers.latencies, 0.99).toFixed(1)} ms; CPU ${each.map(([who, ms]) => `${who} ${ms.toFixed(2)} ms`).join(", ")}; ${Math.round(answers.bytes)} B; ${answers.givenUp} given up`); // biome-ignore format: one line
    if (run === 0) continue; // warms up
    p50.push(percentile(answers.latencies, 0.5));
    p99.push(percentile(answers.latencies, 0.99));
    givenUp.push(answers.givenUp);
    for (const [who, ms] of each) (used[who] ??= []).push(ms);
  }
  checks.push({ name: `${name}: answers that were not 200`, expected: 0, got: wrong });
  checks.push({
    name: `${name}: answers, and requests given up`,
    expected: Math.round(perSecond * seconds) * (runs + 1),
    got: counted,
  });
  // each list once; nothing is written meanwhile
  if (isCached) checks.push({ name: `${name}: answers that were made`, expected: KEPT_LISTS, got: made });
  const figures: Figure[] = [
    figure(`${name} at ${perSecond}/s, p50`, "ms", p50),
    figure(`${name} at ${perSecond}/s, p99`, "ms", p99, goal),
    figure(`${name} at ${perSecond}/s, given up`, "", givenUp, { below: 1 }),
    ...Object.entries(used)
      .filter(([, ms]) => ms.every(Number.isFinite))
      .map(([who, ms]) => figure(`${name}: CPU of ${who} a request`, "ms", ms)),
  ];
  return { checks, figures };
}

/** Stores a row that is newer than all, of either list: pages are to be as of now, and what was read a second ago is not. */
function newestRows({ store }: ApiScene): () => Promise<void> {
  let n = 0;
  return async () => {
    const columns = "source, offset, event_time, chain_id";
    const row = `'bench', ${n}, toDateTime64('2099-01-01 00:00:00', 6, 'UTC') + ${n}, 1, toString(${n++})`;
    await store.command(`INSERT INTO transactions (${columns}, hash) SELECT ${row}`);
    await store.command(`INSERT INTO alerts (${columns}, alert_id) SELECT ${row}`);
  };
}

/** @returns what ends it, once what is under way is done; rejects with what failed */
function everySecond(act: () => Promise<void>): { end(): Promise<void> } {
  let acting = Promise.resolve();
  const timer = setInterval(() => {
    acting = acting.then(act);
    acting.catch(() => {}); // told by end()
  }, 1_000);
  return {
    end() {
      clearInterval(timer);
      return acting;
    },
  };
}

/** The load has none: 1,000, of which each list has 100. */
const fillOpportunities = ({ store }: ApiScene): Promise<void> =>
  store.command(`
    INSERT INTO opportunities (source, partition, offset, n, event_time, chain_id, opportunity_id, kind, pool, block_number, profit_usd)
    SELECT 'bench', 0, number, 0, toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + number, 1, reinterpretAsFixedString(toUInt128(number)), 'pool_imbalance',
      unhex(leftPad(hex(number), 40, '0')), number, 100 + number
    FROM numbers(1000)`);
