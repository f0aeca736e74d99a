/** A Weir as `weir start` has it, in this process: embedded stores in a folder of their own, the API on a free port, and part of the bundled recording. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { serve } from "../../engine/cli/api.ts";
import { BUNDLED_RECORDING } from "../../engine/cli/bundled.ts";
import { openHouse } from "../../engine/cli/house.ts";
import { replayRecording } from "../../engine/cli/replayRecording.ts";
import { loadConfig } from "../../engine/ops/config.ts";
import { readLines } from "../../engine/source/recording.ts";
import { closeHours } from "../../engine/statistics/closeHours.ts";

export type ServedRecording = Awaited<ReturnType<typeof serveRecording>>;

/**
 * @param from first line of the bundled recording that is taken @param lines how many @param env further variables
 * @returns `replay` puts the lines through the engine, behind one that is no transaction
 */
export async function serveRecording({
  from,
  lines,
  env = {},
}: {
  from: number;
  lines: number;
  env?: Record<string, string>;
}) {
  const folder = await mkdtemp(join(tmpdir(), "weir-served-"));
  const variables = {
    WEIR_DATA: folder,
    API_PORT: "0",
    WEIR_TOKEN: "a-token-of-this-test-only",
    LOG_LEVEL: "error",
    ...env,
  };
  const { config } = loadConfig({ env: variables });
  const house = await openHouse(config);
  const api = await serve(house);
  const recording = join(folder, "part.ndjson");

  return {
    ...{ house, recording, url: api.url, token: variables.WEIR_TOKEN },
    async replay(): Promise<void> {
      const taken = [Buffer.from("this is no transaction")];
      let number = 0;
      for await (const line of readLines(BUNDLED_RECORDING)) {
        if (number++ < from) continue;
        if (number > from + lines) break;
        taken.push(Buffer.from(line));
      }
      await writeFile(recording, `${taken.join("\n")}\n`);
      await replayRecording({ house, path: recording, again: false, signal: new AbortController().signal });
      await closeHours(house.store);
    },
    async close(): Promise<void> {
      await api.close();
      await house.close();
      await stopEmbedded(join(folder, "clickhouse"));
      await rm(folder, { recursive: true, force: true });
    },
  }; // biome-ignore format: short
}
