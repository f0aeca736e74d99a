import { openEngine } from "../clickhouse/embedded/engine.ts";
import { throughFifo } from "../clickhouse/embedded/fifo.ts";
import { mkdtempSync, readdirSync, readlinkSync } from "node:fs";
const dir = mkdtempSync("/tmp/h8/exp-");
const e = await openEngine({ folder: dir + "/data", memory: 2 ** 31 });
const fds = () => readdirSync("/proc/self/fd").map((f) => { try { return readlinkSync("/proc/self/fd/" + f); } catch { return ""; } }).filter((f) => f.includes("fifo")).join(" ");
for (const [format, extra] of [["CSVWithNames", {}], ["CSVWithNames", { output_format_parallel_formatting: "0" }], ["Parquet", {}], ["Arrow", {}]] as const) {
  const t = performance.now();
  let n = 0;
  const g = throughFifo(dir, (path) => e.run({ sql: `SELECT number FROM system.numbers INTO OUTFILE '${path}' TRUNCATE FORMAT ${format}`, settings: { max_execution_time: "8", ...extra, readonly: "1" } }).then((x) => { console.log("written ok", fds()); }, (er) => { console.log("failed", er.message.slice(0, 150), fds()); throw er; }));
  setTimeout(() => console.log("  at 2s", fds()), 2000).unref();
  try { for await (const c of g) { n += c.length; if (n > 1e5) { console.log("leaving", fds()); break; } } console.log("left"); } catch (er) { console.log("threw", String(er).slice(0, 100)); }
  console.log(format, n, (performance.now() - t) | 0);
}
e.close(); process.exit(0);
