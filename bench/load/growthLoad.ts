/** Transactions of any size, and blocks of any number of them, for what grows with that. */

import { blocksLoad } from "./load.ts";
import { createRandom } from "./random.ts";
import { mixTransactions } from "./ruleMix.ts";

export type GrowthLoad =
  | { readonly kind: "mix" }
  | { readonly kind: "sized"; readonly bytes: number }
  | { readonly kind: "blocks"; readonly transactions: number };

/** At least so many transactions, as JSON; whole blocks. */
export async function growthLines(load: GrowthLoad, least: number): Promise<string[]> {
  if (load.kind === "mix") return mixTransactions(least);
  if (load.kind === "sized") return sizedTransactions(load.bytes, least);
  const { lines } = await blocksLoad(1, () => {});
  const mined = lines.map(String).filter((line) => !line.includes('"blockNumber":null'));
  return cutIntoBlocks(mined, load.transactions, least);
}

/** A creation without input has 225 bytes, so that is the least; others are calls with as much input as it takes. */
export function sizedTransactions(bytes: number, count: number): string[] {
  const { hex, u32 } = createRandom(7);
  return Array.from({ length: count }, () => {
    const start = `{"chainId":1,"hash":"0x${hex(32)}","from":"0x${hex(20)}",`;
    const end = `"nonce":"0x1","gas":"0x5208","gasPrice":"0x1","value":"0x${u32().toString(16).padStart(8, "1")}","input":"0x`;
    const to = bytes < start.length + end.length + 54 ? "" : `"to":"0x${hex(20)}",`;
    const digits = Math.max(0, bytes - start.length - to.length - end.length - 2);
    return `${start}${to}${end}${hex(digits >> 1)}"}`;
  });
}

interface Mined extends Record<string, unknown> {
  readonly block: Record<string, unknown>;
  readonly receipt?: { readonly logs?: readonly Record<string, unknown>[] };
}

/** The same transactions in other blocks, again and again until there are enough: places and logs are numbered anew. */
export function cutIntoBlocks(lines: readonly string[], size: number, least: number): string[] {
  const parsed = lines.map((line) => JSON.parse(line) as Mined);
  const out: string[] = [];
  for (let block = 1; out.length < least; block++) {
    const number = `0x${block.toString(16)}`;
    const hash = `0x${block.toString(16).padStart(64, "0")}`;
    let logs = 0;
    for (let i = 0; i < size; i++) {
      const place = out.length;
      const { receipt, ...tx } = parsed[place % parsed.length]!;
      const numbered = receipt && { ...receipt, logs: (receipt.logs ?? []).map((log) => ({ ...log, logIndex: `0x${(logs++).toString(16)}` })) }; // biome-ignore format: one line
      out.push(
        JSON.stringify({
          ...tx,
          hash: `0x${(place + 1).toString(16).padStart(64, "0")}`,
          ...{ blockNumber: number, blockHash: hash, transactionIndex: `0x${i.toString(16)}` },
          block: { ...tx.block, number, hash, transactionCount: size },
          ...(numbered && { receipt: numbered }),
        }),
      );
    }
  }
  return out;
}
