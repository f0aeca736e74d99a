import type { Command } from "commander";
import { scheduleArchive } from "../archive/schedule.ts";
import { VERSION } from "../ops/version.ts";
import { loadConfiguration } from "./configuration.ts";
import { type House, openHouse } from "./house.ts";
import { interrupted } from "./interrupt.ts";

export function apiCommand(command: Command): void {
  command.addHelpText("after", "\nExample:\n  CLICKHOUSE_URL=http://localhost:8123 weir api").action(async () => {
    const { config } = loadConfiguration();
    const signal = interrupted();
    const house = await openHouse(config);
    try {
      const api = await serve(house);
      process.stderr.write(`✓ API  ${api.url}   docs ${api.url}/docs\n`);
      const archiving = scheduleArchive(house);
      await untilAborted(signal);
      await archiving.close();
      await api.close();
    } finally {
      await house.close();
    }
  });
}

/** Loaded here, not above: the engine runs without the API, and nothing else in engine/ knows it. */
export async function serve({
  config,
  store,
  catalogue,
  labels,
  coverage,
  access,
  health,
  metrics,
  log,
}: House): Promise<{
  url: string;
  close(): Promise<void>;
}> {
  const { createApi } = await import("../../api/app.ts");
  return createApi({
    store,
    rules: catalogue,
    labels,
    coverage,
    access,
    health,
    metrics,
    log,
    config,
    version: VERSION,
  }).listen(config.api);
}

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
