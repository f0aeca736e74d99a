/**
 * What pools say of themselves, which never changes. Who follows the chain reads it once (source/rpc/poolIdentities.ts) and says it in the record of a
 * block's last transaction, of all pools that traded in the block: so a batch that runs again finds the same.
 *
 *     "pools":[{"address":"0x…","token0":"0x…","token1":"0x…","factory":"0x…","fee":3000}]
 */
import { extraMember } from "../frame/extra.ts";
import { extraText, u32At } from "../frame/readFrame.ts";
import { OFFSET } from "../frame/schema.ts";
import type { BlockView } from "./blockView.ts";
import type { PoolTokens } from "./resolve.ts";
import type { Address } from "./swap.ts";

export interface PoolIdentity extends PoolTokens {
  readonly address: Address;
  /** null: it does not say. */
  readonly factory: Address | null;
  /** Hundredths of a bip, as pools of Uniswap V3's kind say; null: it does not say. */
  readonly fee: number | null;
}

/** Of a block; the busiest have some 300. */
export const MAX_IDENTITIES = 1_000;

/** Tokens of the pools that a block's last record tells; undefined: it tells of none, or is not of this shape. */
export function readPoolTokens(view: BlockView): ReadonlyMap<Address, PoolTokens> | undefined {
  const last = view.frames.at(-1);
  if (last === undefined || u32At(view, last + OFFSET.extraLength) === 0) return undefined;
  const told = extraMember(extraText(view, last), "pools");
  if (!Array.isArray(told) || told.length > MAX_IDENTITIES) return undefined;
  const pools = new Map<Address, PoolTokens>();
  for (const pool of told as unknown[]) {
    const { address, token0, token1 } = (pool ?? {}) as Record<string, unknown>;
    if (!isAddress(address) || !isAddress(token0) || !isAddress(token1) || token0 === token1) return undefined;
    pools.set(address, { token0, token1 });
  }
  return pools;
}

const isAddress = (value: unknown): value is Address => typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value);
