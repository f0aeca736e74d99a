import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RpcBlock, RpcObject } from "../recordingLine.ts";
import { LyingNode, verifyBlock } from "./verifyBlock.ts";

const hash = (digit: string): string => `0x${digit.repeat(64)}`;
const ADDRESS = `0x${"5".repeat(40)}`;
const log = (index: number): RpcObject => ({
  address: ADDRESS,
  topics: [hash("7")],
  data: "0x01",
  logIndex: `0x${index}`,
});
/** Whole and consistent, but for roots and hashes, which only provable chains have checked. */
const good = (): RpcBlock => ({
  block: {
    number: "0x10",
    hash: hash("a"),
    parentHash: hash("b"),
    transactionsRoot: hash("1"),
    receiptsRoot: hash("2"),
  },
  transactions: [0, 1].map((index) => ({
    ...{ hash: hash(String(index)), blockHash: hash("a"), transactionIndex: `0x${index}`, from: ADDRESS, to: ADDRESS },
    ...{ type: "0x0", nonce: "0x1", gasPrice: "0x1", gas: "0x5208", value: "0x0", input: "0x" },
    ...{ v: "0x1b", r: "0x1", s: "0x1" },
  })),
  receipts: [0, 1].map((index) => ({
    ...{ transactionHash: hash(String(index)), blockHash: hash("a"), status: "0x1", cumulativeGasUsed: "0x1" },
    ...{ type: "0x0", logsBloom: `0x${"0".repeat(512)}`, logs: [log(index)] },
  })),
});
const UNPROVABLE = 137;

describe("verifyBlock()", () => {
  it("takes a block whose parts agree; where it can prove more, that too", () => {
    expect(verifyBlock("node", UNPROVABLE, 16, good())).toBe("linked");
    expect(() => verifyBlock("node", 1, 16, good())).toThrow(
      "block 16 has transactions that do not make its transactionsRoot",
    );
  });

  it("proves nothing where a node leaves out what it takes, as old archives do", () => {
    const { block, transactions, receipts } = good();
    const without = { ...block, transactionsRoot: null };
    const bare = receipts.map((receipt) => ({ ...receipt, logsBloom: undefined }));
    expect(verifyBlock("node", 1, 16, { block: without, transactions, receipts: bare })).toBe("linked");
  });

  it("of anything else says that the node lies, whatever it is", () => {
    const paths = pathsOf(good());
    const change = fc.record({
      path: fc.constantFrom(...paths),
      value: fc.oneof(fc.jsonValue(), fc.constant(undefined)),
    });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(1, UNPROVABLE),
        (changes, chain) => {
          const read = good();
          for (const { path, value } of changes) put(read, path, value);
          try {
            verifyBlock("node", chain, 16, read);
          } catch (error) {
            expect(error).toBeInstanceOf(LyingNode);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

type Path = readonly (string | number)[];

/** Of all values below, but for the three lists, which readBlock makes. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  const below =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, each]) => pathsOf(each, [...path, key]))
      : [];
  return path.length < 2 ? below : [path, ...below];
}

function put(target: unknown, path: Path, value: unknown): void {
  const [key, ...rest] = path;
  if (typeof target !== "object" || target === null) return; // an earlier change has replaced it
  if (rest.length === 0) (target as Record<string, unknown>)[key!] = value;
  else put((target as Record<string, unknown>)[key!], rest, value);
}
