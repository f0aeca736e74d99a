import { openEngine } from "../clickhouse/embedded/engine.ts";
import { mkdtempSync, openSync, constants, readSync, closeSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
const dir = mkdtempSync("/tmp/h8/exp-");
const e = await openEngine({ folder: dir + "/data", memory: 2 ** 31 });
let i = 0;
for (const close of [false, true]) {
  const path = `${dir}/fifo-${i++}`;
  execFileSync("mkfifo", [path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const t = performance.now();
  const q = e.run({ sql: `SELECT number FROM system.numbers INTO OUTFILE '${path}' TRUNCATE FORMAT CSVWithNames`, settings: { max_execution_time: "20", readonly: "1" } }).then(() => "ok", (er) => er.message.slice(0, 150));
  await sleep(500);
  if (close) closeSync(fd);
  console.log(Buffer.from((await e.run({ sql: "SELECT query_id, elapsed, query FROM system.processes", format: "TSV" })).bytes).toString());
  const k = await e.run({ sql: `KILL QUERY WHERE positionCaseInsensitive(query, '${path}') > 0 AND positionCaseInsensitive(query, 'KILL') = 0 ASYNC`, format: "TSV" }).then((r) => Buffer.from(r.bytes).toString(), (er) => er.message);
  console.log("kill:", k);
  await Promise.race([q, sleep(1500)]);
  if (!close) { console.log("draining"); const b = Buffer.alloc(65536); for (let n = 0; n < 50; n++) try { if (readSync(fd, b) === 0) break; } catch {} closeSync(fd); }
  console.log(await q, (performance.now() - t) | 0);
}
e.close(); process.exit(0);
