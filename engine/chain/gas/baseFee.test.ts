import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readLines } from "../../source/recording.ts";
import { type FeeHeader, highestBaseFee, nextBaseFee } from "./baseFee.ts";
import { FEE_RULES } from "./feeRules.ts";

const MAINNET = fileURLToPath(new URL("../../../../shared/data/mainnet.ndjson.gz", import.meta.url));
const there = existsSync(MAINNET);
if (!there) console.warn(`Base fees of mainnet headers are not tested: "${MAINNET}" is not there`);

const GWEI = 1_000_000_000n;
const header = (number: number, gasLimit: bigint, gasUsed: bigint, more: Partial<FeeHeader> = {}): FeeHeader => ({
  ...{ number, gasLimit, gasUsed, baseFee: GWEI },
  ...more,
});

describe("nextBaseFee()", () => {
  test("the worked examples of go-ethereum and op-geth", () => {
    const ethereum = (used: bigint) => nextBaseFee(header(20_000_000, 20_000_000n, used), FEE_RULES[1]);
    expect([10_000_000n, 9_000_000n, 11_000_000n].map(ethereum)).toEqual([GWEI, 987_500_000n, 1_012_500_000n]);
    const optimism = (number: number) => (used: bigint) =>
      nextBaseFee(header(number, 30_000_000n, used), FEE_RULES[10]);
    const used = [5_000_000n, 4_000_000n, 10_000_000n];
    expect(used.map(optimism(114_696_810))).toEqual([GWEI, 996_000_000n, 1_020_000_000n]);
    expect(used.map(optimism(114_696_811))).toEqual([GWEI, 999_200_000n, 1_004_000_000n]); // Canyon's first
  });

  test("it moves by one wei at least upwards, and not at all downwards where an eighth is less than one", () => {
    const of = (baseFee: bigint, gasUsed: bigint) =>
      nextBaseFee(header(20_000_000, 30_000_000n, gasUsed, { baseFee }), FEE_RULES[1]);
    expect([of(7n, 15_000_001n), of(7n, 0n), of(8n, 0n), of(0n, 30_000_000n)]).toEqual([8n, 7n, 7n, 1n]);
  });

  test("the first block with a base fee has the fork's, and a block before it none", () => {
    const before = (number: number) =>
      nextBaseFee(header(number, 15_000_000n, 15_000_000n, { baseFee: undefined }), FEE_RULES[1]);
    expect([before(12_964_998), before(12_964_999), before(12_965_000)]).toEqual([undefined, GWEI, undefined]);
  });

  test("Polygon's and BSC's forks; none where no header says", () => {
    const polygon = (number: number) =>
      nextBaseFee(header(number, 20_000_000n, 20_000_000n, { baseFee: 64_000n }), FEE_RULES[137]);
    expect([38_189_054, 38_189_055, 73_440_255, 81_423_999, 83_756_499].map(polygon)).toEqual([
      72_000n, // 1/8
      68_000n, // 1/16
      65_000n, // 1/64
      64_538n, // of 65 %: 64,000 × 7/13 / 64
      undefined,
    ]);
    expect(nextBaseFee(header(40_000_000, 140_000_000n, 140_000_000n, { baseFee: 0n }), FEE_RULES[56])).toBe(0n);
    expect(nextBaseFee(header(200_000_000, 2n ** 50n, 1_000_000n), FEE_RULES[42161])).toBeUndefined();
    expect(nextBaseFee(header(1, 30_000_000n, 1n), undefined)).toBeUndefined();
  });

  test("Holocene's and Jovian's headers say how the next one moves", () => {
    const base = (extraData?: string, blobGasUsed?: bigint, baseFee = GWEI) =>
      nextBaseFee(header(24_828_126, 60_000_000n, 10_000_000n, { extraData, blobGasUsed, baseFee }), FEE_RULES[8453]);
    const [of250by6, of50by2] = ["000000fa00000006", "0000003200000002"];
    expect(base(`0x00${of250by6}`)).toBe(GWEI); // its target
    expect(base(`0x00${of50by2}`)).toBe(GWEI - (GWEI * 2n) / 3n / 50n);
    const lowest = (GWEI + 5n).toString(16).padStart(16, "0");
    expect(base(`0x01${of250by6}${lowest}`, 0n)).toBe(GWEI + 5n);
    expect(base(`0x01${of250by6}${"0".repeat(16)}`, 20_000_000n)).toBe(GWEI + GWEI / 250n); // data count, not gas
    const refused = [
      undefined,
      "0x",
      `0x00${of250by6}00`,
      `0x02${of250by6}`,
      `0x00zz${of250by6.slice(2)}`,
      "0x00000000fa00000000",
      "0x000000000000000006",
    ];
    expect([...refused.map((extraData) => base(extraData)), base(`0x01${of250by6}${lowest}`)]).toEqual(
      Array(refused.length + 1).fill(undefined),
    );
  });

  test.runIf(there)("mainnet: every header that follows the one before it", async () => {
    const headers = new Map<number, FeeHeader>();
    for await (const line of readLines(MAINNET)) {
      const { block } = JSON.parse(Buffer.from(line).toString());
      headers.set(Number(block.number), {
        number: Number(block.number),
        gasUsed: BigInt(block.gasUsed),
        gasLimit: BigInt(block.gasLimit),
        baseFee: block.baseFeePerGas == null ? undefined : BigInt(block.baseFeePerGas),
      });
    }
    const pairs = [...headers.values()].flatMap((parent) => {
      const child = headers.get(parent.number + 1);
      return child ? [[parent, child] as const] : [];
    });
    expect(pairs.map(([, { number }]) => number)).toEqual([12_244_000, 15_537_394]); // before London, and the Merge
    for (const [parent, child] of pairs) expect(nextBaseFee(parent, FEE_RULES[1])).toBe(child.baseFee);
  });
});

describe("highestBaseFee()", () => {
  test("no blocks of any use lead higher, and the bound is reached", () => {
    const used = fc.array(fc.bigInt(0n, 30_000_000n), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 70n), used, (baseFee, blocks) => {
        const walk = (all: readonly bigint[]) =>
          all.reduce(
            (fee, gasUsed) => nextBaseFee(header(20_000_000, 30_000_000n, gasUsed, { baseFee: fee }), FEE_RULES[1])!,
            baseFee,
          );
        const parent = header(20_000_000, 30_000_000n, blocks[0]!, { baseFee });
        const highest = highestBaseFee(parent, blocks.length, FEE_RULES[1])!;
        expect(walk(blocks) <= highest).toBe(true);
        expect(walk(blocks.map((gas, i) => (i === 0 ? gas : 30_000_000n)))).toBe(highest);
      }),
    );
  });
});
