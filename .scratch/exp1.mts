import { openEngine } from "/work/wt-EXPORT/clickhouse/embedded/engine.ts";
import { execFileSync } from "node:child_process";
import { mkdtempSync, openSync, constants, writeFileSync } from "node:fs";
import { Socket } from "node:net";
const dir = mkdtempSync("/tmp/h8/exp-");
const e = await openEngine({ folder: dir + "/data", memory: 2 ** 31 });
async function pipe(sql: (p: string) => string, settings: Record<string,string> = {}) {
  const p = dir + "/f" + Math.random();
  execFileSync("mkfifo", ["-m", "600", p]);
  const fd = openSync(p, constants.O_RDONLY | constants.O_NONBLOCK);
  const s = new Socket({ fd, readable: true, writable: false } as any);
  const t = performance.now(); const c = process.cpuUsage();
  let n = 0, first: Buffer | undefined, last: Buffer | undefined, max=0; const all: Buffer[] = [];
  const q = e.run({ sql: sql(p), settings }).then(() => "ok", (x) => x.message.slice(0, 200));
  q.then((r) => { if (r !== "ok") s.destroy(); });
  s.on("data", (b: Buffer) => { n += b.length; first ??= b; last = b; if (n < 1e6) all.push(b); max=Math.max(max,b.length) });
  await new Promise<void>((r) => s.on("close", () => r()));
  const cu = process.cpuUsage(c);
  console.log(await q, n, (performance.now() - t) | 0, "ms", ((cu.user + cu.system) / 1000) | 0, "cpu", max, first?.subarray(0, 4).toString(), last?.subarray(-6).toString("latin1"), (process.memoryUsage().rss / 1e6) | 0);
  return Buffer.concat(all);
}
for (const f of ["Parquet", "Arrow", "ArrowStream", "CSVWithNames", "JSON", "JSONEachRow", "Native"])
  await pipe((p) => `SELECT number, toString(number) AS s, number % 7 AS m FROM numbers(3000000) INTO OUTFILE '${p}' TRUNCATE FORMAT ${f}`, { readonly: "1" });
await pipe((p) => `SELECT nope INTO OUTFILE '${p}' TRUNCATE FORMAT Parquet`, { readonly: "1" });
await pipe((p) => `SELECT throwIf(number = 2500000) AS nope FROM numbers(3000000) INTO OUTFILE '${p}' TRUNCATE FORMAT Parquet`, { readonly: "1" });
await pipe((p) => `SELECT * FROM generateRandom('a FixedString(32), b FixedString(32), c FixedString(20), d FixedString(20), v UInt256', 1) LIMIT 1000000 INTO OUTFILE '${p}' TRUNCATE FORMAT Parquet`, { readonly: "1" });
await pipe((p) => `SELECT concat('0x', lower(hex(a))) a, concat('0x', lower(hex(b))) b, concat('0x', lower(hex(c))) c,concat('0x', lower(hex(d))) d, toString(v) v FROM generateRandom('a FixedString(32), b FixedString(32), c FixedString(20), d FixedString(20), v UInt256', 1) LIMIT 1000000 INTO OUTFILE '${p}' TRUNCATE FORMAT Parquet`, { readonly: "1" });
await pipe((p) => `SELECT concat('0x', lower(hex(a))) a, concat('0x', lower(hex(b))) b, concat('0x', lower(hex(c))) c,concat('0x', lower(hex(d))) d, toString(v) v FROM generateRandom('a FixedString(32), b FixedString(32), c FixedString(20), d FixedString(20), v UInt256', 1) LIMIT 1000000 INTO OUTFILE '${p}' TRUNCATE FORMAT CSVWithNames`, { readonly: "1" });
// params
await pipe((p) => `SELECT toString({x:UInt8}) a INTO OUTFILE '${p}' TRUNCATE FORMAT CSVWithNames`, { readonly: "1", param_x: "3" } as any);
e.close();
process.exit(0);
