/**
 * A replay in a process of its own that tells what went to the topics: `tracedReplay.ts FILE [stop|kill-worker]`. A recording
 * has no topics, so its ledger drops the records; here they are noted when the ledger has committed them. Last line of stdout:
 * `{"records":[sha256 of each],"complete","killed"}`.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { loadConfiguration, openHouse } from "../../engine/cli/house.ts";
import { createFileLedger } from "../../engine/sink/fileLedger.ts";
import type { Ledger } from "../../engine/sink/ledger.ts";
import { createRecordingSource, inspectRecording } from "../../engine/source/recording.ts";
import { unpackRecords } from "../../engine/worker/topicRecords.ts";

const [path, disturbance] = process.argv.slice(2);
const workers: Worker[] = [];
process.on("worker", (worker) => {
  workers.push(worker);
});

const recording = await inspectRecording(path!);
const source = `recording:${recording.sha256}`;
const house = await openHouse(loadConfiguration().config);
const stop = new AbortController();
const records: string[] = [];
let published = 0;
let killed = 0;

const inner = createFileLedger(join(house.config.data, "ledger", "traced.json"), source);
const ledger: Ledger = {
  read: inner.read,
  async commit(entries, batches) {
    await inner.commit(entries, batches);
    for (const batch of batches)
      for (const { topic, key, headers, value } of unpackRecords(batch))
        records.push(
          createHash("sha256")
            .update(JSON.stringify([topic, key, headers]))
            .update(value)
            .digest("hex"),
        );
    published = entries[0]!.state.published;
    if (published < recording.lines / 3) return;
    if (disturbance === "stop") stop.abort();
    if (disturbance === "kill-worker" && killed < 3) {
      killed++;
      // Whichever is there: a batch is under way in it or about to be.
      void workers.filter((worker) => worker.threadId > 0)[killed % 2]?.terminate();
    }
  },
};
await house.engine.run(
  async () => ({ source: createRecordingSource(recording, source), ledger, close: async () => {} }),
  stop.signal,
);
await house.close();
const answer = `${JSON.stringify({ records, complete: published >= recording.lines, killed })}\n`;
process.stdout.write(answer, () => process.exit());
