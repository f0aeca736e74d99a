/**
 * Keeps what is usual up to date: from the newest mined transactions of each chain, blocks that will not be replaced alone, medians by sender and
 * selector. A version is part of the world, so a batch that runs again finds what it found. Of several engines whichever comes first makes it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../clickhouse/client.ts";
import { type BaselineQueryRow, baselinesQuery, storedChainsQuery } from "../../clickhouse/queries/baselines.ts";
import type { Control } from "../control/open.ts";
import { messageOf } from "../ops/errors.ts";
import type { Log } from "../ops/log.ts";
import { logSeldom } from "../ops/logSeldom.ts";
import type { Catalogue } from "../rules/catalogue.ts";
import { packBaselines } from "./baselineBytes.ts";
import { BASELINE_KINDS, type BaselineRow, MIN_SAMPLES } from "./baselines.ts";
import { newestBaselines } from "./baselineTables.ts";

export interface BaselineOptions {
  readonly control: Control;
  readonly store: Store;
  readonly catalogue: Pick<Catalogue, "putBaselines">;
  readonly log: Log;
  /** A version is made when the last one is so old, in ms; 0: none is. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Of each chain and kind, and in all: 1.3 MB a version, and of worlds some 120 are kept. */
const MAX_KEYS = 20_000;
const MAX_ROWS = 30_000;
const LOOK_MS = 60_000;

/** Runs until the signal aborts; whatever is away is waited for. */
export async function keepBaselines(options: BaselineOptions): Promise<void> {
  const { control, log, everyMs, signal } = options;
  while (everyMs > 0 && !signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {}); // aborted: what follows sees it
    if (signal.aborted) return;
    try {
      const last = await control.read(newestBaselines);
      if (last && Date.now() - last.madeAt.getTime() < everyMs) continue;
      const rows = await makeBaselines(options);
      log.info({ event: "baselines_made", rows }, "What is usual was measured anew");
    } catch (error) {
      const reason = messageOf(error);
      logSeldom(log, "warn", { event: "baselines_kept", reason }, "Cannot measure what is usual; going on as it was");
    }
  }
}

/** @returns how many keys have a baseline now; where nothing is usual yet, all stays as it was */
export async function makeBaselines({
  store,
  catalogue,
}: Pick<BaselineOptions, "store" | "catalogue">): Promise<number> {
  const rows: BaselineRow[] = [];
  for (const { chain } of await store.rows<{ chain: string }>(storedChainsQuery.sql))
    for (const kind of BASELINE_KINDS) {
      const { sql, params } = baselinesQuery(Number(chain), kind, MIN_SAMPLES, MAX_KEYS);
      const found = await store.rows<BaselineQueryRow>(sql, params);
      for (const { key, samples, median, mad } of found)
        rows.push({
          ...{ chainId: Number(chain), kind, key: Buffer.from(key, "hex") },
          ...{ samples: Number(samples), median, mad },
        });
    }
  const most = rows.sort((a, b) => b.samples - a.samples).slice(0, MAX_ROWS);
  if (most.length > 0) await catalogue.putBaselines(packBaselines(most), most.length);
  return most.length;
}
