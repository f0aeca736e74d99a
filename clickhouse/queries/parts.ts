/** Which parts tables have: what there is to read. */
import type { ListSource } from "./readList.ts";

/** A part's name is of the blocks in it, and of the last mutation; after a crash another may get the same. */
const PARTS = `SELECT table, toString(sum(cityHash64(name, rows, modification_time))) AS parts
FROM system.parts WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)} GROUP BY table ORDER BY table`;

/**
 * @returns asks what the parts of these tables come to: another text once any of them has changed. It is asked after the call, once for all who came
 * before that. undefined: none of them has any
 */
export function createPartsReader(store: ListSource, settings: Readonly<Record<string, string | number>>) {
  const next = new Map<string, Promise<string | undefined>>();
  const running = new Map<string, Promise<unknown>>();

  async function read(tables: readonly string[]): Promise<string | undefined> {
    const rows = await store.rows<{ table: string; parts: string }>(PARTS, { tables }, { ...settings });
    return rows.length === 0 ? undefined : rows.map(({ table, parts }) => `${table} ${parts}`).join(" ");
  }

  return (tables: readonly string[]): Promise<string | undefined> => {
    const name = tables.join();
    const waiting = next.get(name);
    if (waiting) return waiting;
    const asked = (running.get(name) ?? Promise.resolve()).then(() => {
      next.delete(name);
      const reading = read(tables);
      running.set(
        name,
        reading.catch(() => {}),
      ); // its callers are told
      return reading;
    });
    next.set(name, asked);
    return asked;
  };
}
