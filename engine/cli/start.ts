import { join } from "node:path";
import type { Command } from "commander";
import { scheduleArchive } from "../archive/schedule.ts";
import { followCoverage } from "../lookout/follow.ts";
import { keepClosingHours } from "../statistics/closeHours.ts";
import { keepBaselines } from "../world/keepBaselines.ts";
import { serve, servingText, untilAborted } from "./api.ts";
import { BUNDLED_RECORDING } from "./bundled.ts";
import { loadConfiguration } from "./configuration.ts";
import { type House, openHouse } from "./house.ts";
import { interrupted } from "./interrupt.ts";
import { replayWithProgress, summaryLine, summaryTable, throwUnlessComplete } from "./replay.ts";

interface StartFlags {
  readonly exit?: boolean;
  readonly api?: boolean;
}

export function startCommand(command: Command): void {
  command
    .option("--exit", "stop at the end of the recording, with its summary as the last line")
    .option("--no-api", "the engine alone")
    .addHelpText(
      "after",
      "\nExamples:\n  weir start\n  weir start --exit | tail -1 | jq .alerts\n  KAFKA_BROKERS=localhost:9092 weir start",
    )
    .action(async (flags: StartFlags) => {
      const { config } = loadConfiguration();
      const signal = interrupted();
      const tick = (text: string): boolean => process.stderr.write(`✓ ${text}\n`);
      const house = await openHouse(config);
      const ended = new AbortController();
      let beside: Promise<unknown> | undefined;
      try {
        const where =
          house.store.kind === "embedded"
            ? `embedded ClickHouse in ${join(config.data, "clickhouse")}`
            : "ClickHouse server";
        tick(`store: ${where} (${await house.store.version()})`);
        const rules = house.catalogue.list();
        tick(`rules: ${rules.filter(({ state }) => state === "live").length} live of ${rules.length}`);
        const { brokers } = config.kafka;
        const api = flags.exit || flags.api === false ? undefined : await serve(house);
        if (!flags.exit) beside = besideTheStream(house, AbortSignal.any([signal, ended.signal]));
        if (api) process.stderr.write(servingText(api));
        if (flags.exit || !brokers) await replayBundled(house, signal, flags.exit === true);
        if (!flags.exit) {
          const archiving = await scheduleArchive(house);
          try {
            if (brokers) tick(`reading ${config.kafka.topics.txRaw} at ${brokers.join(",")}`);
            process.stderr.write("Ctrl-C stops; nothing is lost\n");
            if (brokers) await runFromKafka(house, signal);
            else await untilAborted(signal);
          } finally {
            await archiving.close();
          }
        }
        await api?.close();
      } finally {
        ended.abort();
        await beside;
        await house.close();
      }
    });
}

/** What an engine keeps up to date while it runs, by the clock. */
const besideTheStream = (house: House, signal: AbortSignal): Promise<unknown> =>
  Promise.all([
    followCoverage({ ...house, signal }),
    keepBaselines({ ...house, everyMs: house.config.engine.baselineMs, signal }),
    keepClosingHours(house.store, house.log, signal),
  ]);

/** The stream, and beside it what blocks that were replaced take back, and what comes of Solana. Each ends the others. */
async function runFromKafka(house: House, signal: AbortSignal): Promise<void> {
  const { engine } = house;
  const [{ kafkaStream }, { followBlockStatus }, { followSolana }] = await Promise.all([
    import("../kafkaStream.ts"),
    import("../retract/follow.ts"),
    import("../solana/follow.ts"),
  ]);
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const end = (): void => ended.abort();
  await Promise.all([
    engine.run(() => kafkaStream(house), stop).finally(end),
    followBlockStatus({ ...house, signal: stop }).finally(end),
    followSolana({ ...house, signal: stop }).finally(end),
  ]);
}

async function replayBundled(house: House, signal: AbortSignal, exit: boolean): Promise<void> {
  const replayed = await replayWithProgress(house, BUNDLED_RECORDING, { again: false, signal });
  if (process.stdout.isTTY) process.stdout.write(summaryTable(replayed));
  if (exit) {
    process.stdout.write(`${summaryLine(replayed)}\n`);
    throwUnlessComplete(replayed);
  } else process.stderr.write(`SQL  npx weir sql "select rule, count() from alerts group by rule"\n`);
}
