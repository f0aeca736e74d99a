import { temporaryStore } from "../test/support/embeddedStore.ts";
const home = await temporaryStore();
for (let reader = 0; reader < 3; reader++) {
  const t = performance.now();
  const stream = await home.store.stream("SELECT number FROM system.numbers", {}, "CSVWithNames", { max_execution_time: 15 });
  const t1 = performance.now();
  for await (const _ of stream) break;
  console.log(reader, (t1 - t) | 0, (performance.now() - t1) | 0);
  console.log(await home.store.rows("SELECT elapsed, query FROM system.processes"));
}
await new Promise(r => setTimeout(r, 2000));
  console.log(await home.store.rows("SELECT elapsed, query FROM system.processes"));
console.log((await import("node:fs")).readFileSync(home.folder+"/store.log","utf8")); await home.remove();
