/** What pools say of themselves, in the control store: whoever has asked one has asked it for all. Everything throws ControlUnavailable. */
import type { PoolIdentity } from "../../chain/poolIdentity.ts";
import { and, eq, inArray, or } from "../../control/drizzle.ts";
import type { Control } from "../../control/open.ts";
import { pools } from "../../control/schema.ts";

export interface PoolStore {
  find(addresses: readonly string[]): Promise<PoolIdentity[]>;
  /** What is there stays. */
  add(found: readonly PoolIdentity[]): Promise<void>;
}

/** Rows of one statement. */
const CHUNK = 1_000;

export const createPoolStore = (control: Control, chainId: number): PoolStore => ({
  find: (addresses) => findPools(control, addresses.map((address) => ({ chainId, address }))), // biome-ignore format: one call
  async add(found) {
    for (let i = 0; i < found.length; i += CHUNK) {
      const rows = found.slice(i, i + CHUNK).map((pool) => ({ chainId, ...pool }));
      await control.change((tx) => tx.insert(pools).values(rows).onConflictDoNothing());
    }
  },
});

/** Those that are known, of any chains. */
export async function findPools(
  control: Control,
  wanted: readonly { readonly chainId: number; readonly address: string }[],
): Promise<(PoolIdentity & { readonly chainId: number })[]> {
  if (wanted.length === 0) return [];
  const conditions = [...new Set(wanted.map(({ chainId }) => chainId))].map((chainId) => {
    const addresses = wanted.flatMap((each) => (each.chainId === chainId ? [each.address] : []));
    return and(eq(pools.chainId, chainId), inArray(pools.address, addresses));
  });
  const rows = await control.read((db) =>
    db
      .select()
      .from(pools)
      .where(or(...conditions)),
  );
  return rows.map(({ readAt: _readAt, ...row }) => row);
}
