import fc from "fast-check";
import { expect, test } from "vitest";
import { createFrameWriter } from "../../frame/frameWriter.ts";
import { frameBytes } from "../../frame/readFrame.ts";
import { writeFrame } from "../../frame/writeFrame.ts";
import { blockTips } from "./blockTips.ts";
import { priorityFees } from "./priorityFees.ts";

const PERCENTILES = [0, 10, 50, 90, 100];
const hex = (number: bigint): string => `0x${number.toString(16)}`;

/** A block of transactions that paid so much per gas for so much gas; undefined: the receipt does not say. */
function blockOf(paid: readonly (readonly [price: bigint, gas: bigint | undefined])[]) {
  const writer = createFrameWriter();
  const frames = paid.map(([price, gas], i) => {
    const at = writer.end;
    writeFrame(writer, {
      ...{ chainId: 1, hash: hex(BigInt(i) + 2n ** 255n), from: `0x${"02".repeat(20)}`, to: null, nonce: "0x0" },
      ...{ value: "0x0", gas: "0x1", input: "0x", blockNumber: "0x1", transactionIndex: hex(BigInt(i)) },
      receipt: { ...(gas !== undefined && { gasUsed: hex(gas) }), effectiveGasPrice: hex(price), logs: [] },
    } as never);
    return at;
  });
  return { ...frameBytes(writer.bytes.slice(0, writer.end)), chainId: 1, blockNumber: 1, frames, complete: true };
}

test("sums and percentiles are those of whole numbers, of real amounts and of any", () => {
  const real = fc.tuple(fc.bigInt(0n, 10n ** 12n), fc.bigInt(21_000n, 3_000_000n));
  const any = fc.tuple(fc.bigInt(0n, 2n ** 128n - 1n), fc.bigInt(0n, 2n ** 53n));
  const blocks = fc.oneof(fc.array(real, { minLength: 1 }), fc.array(fc.oneof(real, any), { minLength: 1 }));
  fc.assert(
    fc.property(blocks, fc.bigInt(0n, 10n ** 11n), (paid, base) => {
      const tips = paid.map(([price, gasUsed]) => ({ fee: price > base ? price - base : 0n, gasUsed }));
      expect(blockTips(blockOf(paid), base, PERCENTILES)).toEqual({
        total: tips.reduce((sum, { fee, gasUsed }) => sum + fee * gasUsed, 0n),
        fees: priorityFees(tips, PERCENTILES),
      });
    }),
    { numRuns: 100 },
  );
});

test("where a receipt does not say what was used, nothing is said", () => {
  expect(blockTips(blockOf([[5n, 21_000n], [6n, undefined]]), 1n, PERCENTILES)).toBeUndefined(); // biome-ignore format: one line
});
