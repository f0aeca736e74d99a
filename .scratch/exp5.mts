import { openEngine } from "../clickhouse/embedded/engine.ts";
import { throughFifo } from "../clickhouse/embedded/fifo.ts";
import { mkdtempSync } from "node:fs";
const dir = mkdtempSync("/tmp/h8/exp-");
const e = await openEngine({ folder: dir + "/data", memory: 2 ** 31 });
for (let i = 0; i < 8; i++) {
  const t = performance.now();
  let n = 0;
  const g = throughFifo({ folder: dir, write: (path) => e.run({ sql: `SELECT number FROM system.numbers INTO OUTFILE '${path}' TRUNCATE FORMAT CSVWithNames`, settings: { max_execution_time: "8", readonly: "1" } }).catch((er) => { console.log("failed", er.message.slice(0, 100)); throw er; }), stop: async (p) => { const t= performance.now(); await e.kill(p); console.log("killed", performance.now()-t | 0); setTimeout(async () => console.log("after 1s", Buffer.from((await e.run({ sql: "SELECT is_cancelled, elapsed, query FROM system.processes", format: "TSV" })).bytes).toString()), 1000).unref() } });
  for await (const c of g) { n += c.length; if (n > 1e5) break; }
  console.log(n, (performance.now() - t) | 0);
}
e.close(); process.exit(0);
