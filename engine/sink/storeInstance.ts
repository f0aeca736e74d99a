import type { Store } from "../../clickhouse/client.ts";

/**
 * Names the store's running process: a row in a table that lives in its memory, so the name is gone when the process is.
 * Works alike for a server and for the embedded store, and every engine that asks gets the same one.
 */
export async function storeInstance(store: Store): Promise<string> {
  known.delete(store);
  const id = await askOrMake(store);
  known.set(store, { id, until: performance.now() + RECENT_MS });
  return id;
}

/**
 * The name as it was known some seconds ago: asking costs the store 4 ms. Good for the first attempt at a range, of which no
 * process of the store has seen anything; whoever tries again must ask for the name of the process as it is now.
 */
export async function recentInstance(store: Store): Promise<string> {
  const recent = known.get(store);
  return recent && performance.now() < recent.until ? recent.id : storeInstance(store);
}

const RECENT_MS = 5_000;
const known = new WeakMap<Store, { id: string; until: number }>();

async function askOrMake(store: Store): Promise<string> {
  const [row] = await ask(store);
  if (row) return row.id;
  await store.command(`INSERT INTO weir_instance SELECT generateUUIDv4()`);
  const [made] = await ask(store);
  return made!.id;
}

/** Two engines may both find it empty and add a name: the smallest is the one. */
const ask = (store: Store): Promise<{ id: string }[]> =>
  store.rows<{ id: string }>("SELECT toString(id) AS id FROM weir_instance ORDER BY id LIMIT 1");
