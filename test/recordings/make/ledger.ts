import { type Hex, toEventSelector } from "viem";
import type { Mined } from "./chain.ts";
import type { Pair } from "./market.ts";
import { word } from "./scene.ts";

const TRANSFER = toEventSelector("Transfer(address,address,uint256)");
const SYNC = toEventSelector("Sync(uint112,uint112)");

/** Who holds which tokens and what the pairs hold, kept by the logs of each mined block. */
export function createLedger(pairs: Pair[]) {
  const held = new Map<string, bigint>();
  const key = (token: Hex, owner: string) => `${token} ${owner.toLowerCase()}`;
  const add = (token: Hex, owner: string, amount: bigint) =>
    held.set(key(token, owner), (held.get(key(token, owner)) ?? 0n) + amount);
  const byAddress = new Map(pairs.map((pair) => [pair.address, pair]));

  return {
    held: (token: Hex, owner: Hex): bigint => held.get(key(token, owner)) ?? 0n,
    /** The pairs' reserves come from the chain again, which also corrects the model for what it does not follow. */
    follow(mined: Mined[]): void {
      for (const { address, topics, data } of mined.flatMap(({ receipt }) => receipt.logs)) {
        const [topic, from, to] = topics;
        if (topic === TRANSFER && topics.length === 3) {
          add(address, `0x${from!.slice(26)}`, -BigInt(data));
          add(address, `0x${to!.slice(26)}`, BigInt(data));
        }
        const pair = topic === SYNC && byAddress.get(address);
        if (pair) Object.assign(pair, { reserve0: word(data, 0), reserve1: word(data, 1) });
      }
    },
  };
}
