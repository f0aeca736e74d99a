import { logTopicAt, nextEntry } from "../../frame/readFrame.ts";
import { LOG } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import { addressAt, createEvent } from "../event.ts";
import { byBalance, type Layout } from "./exchange.ts";

/** Liquidity Book. token0 is X and token1 is Y, whatever their addresses. */
const swapV20 = createEvent("Swap", ["indexed address", "indexed address", "indexed uint256", "bool", "uint256", "uint256", "uint256", "uint256"]); // biome-ignore format: a line each
const swapV21 = createEvent("Swap", ["indexed address", "indexed address", "uint24", "bytes32", "bytes32", "uint24", "bytes32", "bytes32"]); // biome-ignore format: a line each

/** What the pool received of X and of Y; negative is what it paid. */
type Bin = readonly [x: bigint, y: bigint];

/** 2.0 logs what came into the bin, and what was kept as the fee, apart. */
export const liquidityBookV20 = layout(swapV20.signature, (view, log) => {
  const values = swapV20.read(view, log);
  if (values === undefined) return undefined;
  const [, , , swapForY, toBin, paid, , fees] = values;
  return swapForY ? [toBin + fees, -paid] : [-paid, toBin + fees];
});

/** 2.1 and 2.2: two amounts in one word, X in its lower half; fees are in what came in. */
export const liquidityBookV21 = layout(swapV21.signature, (view, log) => {
  const values = swapV21.read(view, log);
  if (values === undefined) return undefined;
  const [received, paid] = [BigInt(values[3]), BigInt(values[4])];
  return [BigInt.asUintN(128, received) - BigInt.asUintN(128, paid), (received >> 128n) - (paid >> 128n)];
});

/** A swap logs each bin that it went through, one right behind the other: the first is read with all that follow it. */
function layout(signature: string, read: (view: BlockView, log: number) => Bin | undefined): Layout {
  return {
    signature,
    settles: "anywhere",
    read(view, log, previous, end) {
      if (previous !== 0 && isSame(view, previous, log)) return undefined;
      let x = 0n;
      let y = 0n;
      for (let at = log; at === log || (at < end && isSame(view, log, at)); at = nextEntry(view, at)) {
        const bin = read(view, at);
        if (bin === undefined) return undefined;
        x += bin[0];
        y += bin[1];
      }
      const amounts = byBalance(x, y, false);
      return (
        amounts && {
          ...amounts,
          payer: addressAt(view, logTopicAt(log, 1)),
          recipient: addressAt(view, logTopicAt(log, 2)),
        }
      );
    },
  };
}

/** Contract, event, sender and recipient are the same. */
function isSame({ u32 }: BlockView, a: number, b: number): boolean {
  for (let at = LOG.address; at < LOG.topics + 3 * 32; at += 4)
    if (u32[(a + at) >> 2] !== u32[(b + at) >> 2]) return false;
  return true;
}
