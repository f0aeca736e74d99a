import fc from "fast-check";
import { fromRlp, keccak256, serializeTransaction, type TransactionSerializable, toHex, toRlp } from "viem";
import { describe, expect, it } from "vitest";
import type { RpcObject } from "../recordingLine.ts";
import { encodeHeader, encodeReceipt, encodeTransaction } from "./consensusEncoding.ts";
import { number, type Rlp, rlp } from "./rlp.ts";
import { trieRoot } from "./trieRoot.ts";

const ADDRESS = "0x05a56e2d52c817161883f50c441c3228cfe54d9f";
const WORD = `0x${"1f".repeat(32)}` as const;
const R = `0x${"00".repeat(2)}${"3c".repeat(30)}` as const;
const hex = (value: bigint | number) => `0x${value.toString(16)}`;

/** As JSON-RPC gives what viem's serializer is given. */
const asked = {
  ...{ chainId: "0x1", nonce: "0x80", gas: "0x5208", to: ADDRESS, value: "0x0", input: "0xabcdef" },
  ...{ gasPrice: hex(10n ** 10n), maxFeePerGas: hex(3n * 10n ** 10n), maxPriorityFeePerGas: "0x1" },
  accessList: [{ address: ADDRESS, storageKeys: [WORD, WORD] }],
  ...{ maxFeePerBlobGas: "0x7", blobVersionedHashes: [`0x01${"22".repeat(31)}`] },
  authorizationList: [{ chainId: "0x0", address: ADDRESS, nonce: "0x0", yParity: "0x1", r: R, s: "0x1" }],
  ...{ r: R, s: "0x1", yParity: "0x1", v: "0x1" },
};
const given = {
  ...{ chainId: 1, nonce: 128, gas: 21_000n, to: ADDRESS, value: 0n, data: "0xabcdef" },
  accessList: asked.accessList,
} as const;
const fees = { maxFeePerGas: 3n * 10n ** 10n, maxPriorityFeePerGas: 1n };
const signature = { r: R, s: `0x${"0".repeat(63)}1`, yParity: 1 } as const;

describe("encodeTransaction()", () => {
  it.each<[string, RpcObject, object]>([
    ["0x1", asked, { ...given, type: "eip2930", gasPrice: 10n ** 10n }],
    ["0x2", asked, { ...given, ...fees, type: "eip1559" }],
    [
      "0x3",
      asked,
      {
        ...given,
        ...fees,
        ...{ type: "eip4844", maxFeePerBlobGas: 7n, blobVersionedHashes: asked.blobVersionedHashes },
      },
    ],
    [
      "0x4",
      asked,
      {
        ...given,
        ...fees,
        ...{ type: "eip7702", authorizationList: [{ chainId: 0, address: ADDRESS, nonce: 0, ...signature }] },
      },
    ],
    ["0x2", { ...asked, to: null, accessList: [] }, { ...given, ...fees, type: "eip1559", to: null, accessList: [] }],
  ])("type %s is what viem serializes", (type, transaction, wanted) => {
    expect(toHex(encodeTransaction({ ...transaction, type })!)).toBe(
      serializeTransaction(wanted as TransactionSerializable, signature),
    );
  });

  it("a legacy one hashes to the first transaction of mainnet, of before EIP-155", () => {
    const first = {
      ...{ type: "0x0", nonce: "0x0", gasPrice: "0x2d79883d2000", gas: "0x5208", value: "0x7a69", input: "0x" },
      ...{ to: "0x5df9b87991262f6ba471f09758cde1c0fc1de734", v: "0x1c" },
      r: "0x88ff6cf0fefd94db46111149ae4bfc179e9b94721fffd821d38d16464b3f71d0",
      s: "0x45e0aff800961cfce805daef7016b9b675c137a6a41a548f7b60a3484c06a33a",
    };
    const encoded = encodeTransaction(first)!;
    expect(keccak256(encoded)).toBe("0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060");
    // The only transaction of block 46147, whose header has this root.
    expect(trieRoot([encoded])).toBe("0x4513310fcb9f6f616972a3b948dc5d547f280849a87ebb5af0191f98b87be598");
  });

  it("gives nothing for a type that it does not know", () => {
    expect(encodeTransaction({ ...asked, type: "0x7e" })).toBeNull();
  });
});

describe("encodeReceipt()", () => {
  it("makes the receipts root of block 46147, of before Byzantium", () => {
    const receipt = {
      ...{ type: "0x0", cumulativeGasUsed: "0x5208", logs: [], logsBloom: `0x${"0".repeat(512)}` },
      root: "0x96a8e009d2b88b1483e6941e6812e32263b05683fac202abc622a3e31aed1957",
    };
    expect(trieRoot([encodeReceipt(receipt)!])).toBe(
      "0xfe2bf2a941abf41d72637e5b91750332a30283efd40c424dc522b77e6f0ed8c4",
    );
  });

  it("gives nothing where the node left the bloom out", () => {
    expect(encodeReceipt({ type: "0x0", status: "0x1", cumulativeGasUsed: "0x1", logs: [] })).toBeNull();
  });
});

describe("encodeHeader()", () => {
  /** Block 1 of mainnet. */
  const one: RpcObject = {
    ...{ number: "0x1", difficulty: "0x3ff800000", gasLimit: "0x1388", gasUsed: "0x0", timestamp: "0x55ba4224" },
    parentHash: "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    sha3Uncles: "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    miner: ADDRESS,
    stateRoot: "0xd67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3",
    transactionsRoot: "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    receiptsRoot: "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    ...{ logsBloom: `0x${"0".repeat(512)}`, extraData: "0x476574682f76312e302e302f6c696e75782f676f312e342e32" },
    mixHash: "0x969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59",
    ...{ nonce: "0x539bd4979fef1ec4", size: "0x219", uncles: [], transactions: [], hash: "" },
  };

  it("hashes to the block's hash", () => {
    expect(keccak256(encodeHeader(one)!)).toBe("0x88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6");
  });

  it("gives nothing where a member is missing, or one is there that it does not know", () => {
    expect(encodeHeader({ ...one, nonce: undefined })).toBeNull();
    expect(encodeHeader({ ...one, blockAccessListHash: WORD })).toBeNull();
  });
});

describe("rlp()", () => {
  it.each([0, 1, 55, 56, 255, 256, 65_535, 65_536])("of %i bytes, alone and in a list, is viem's", (length) => {
    const value = Buffer.alloc(length, 0x7f);
    expect(toHex(rlp(value))).toBe(toRlp(toHex(value)));
    expect(toHex(rlp([value, value]))).toBe(toRlp([toHex(value), toHex(value)]));
  });

  it("of anything is viem's, and is read back", () => {
    const { any } = fc.letrec<{ any: Rlp }>((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.uint8Array({ maxLength: 70 }), fc.array(tie("any"), { maxLength: 5 })),
    }));
    const hexOf = (value: Rlp): never => (value instanceof Uint8Array ? toHex(value) : value.map(hexOf)) as never;
    fc.assert(
      fc.property(any, (value) => {
        expect(toHex(rlp(value))).toBe(toRlp(hexOf(value)));
        expect(fromRlp(toHex(rlp(value)))).toEqual(hexOf(value));
      }),
    );
  });
});

describe("trieRoot()", () => {
  it("of nothing is the hash of the empty trie", () => {
    expect(trieRoot([])).toBe("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
  });

  it("tells any order, lack or change apart, with short values and long", () => {
    const list = Array.from({ length: 300 }, (_, index) => rlp([number(index), Buffer.alloc(index % 3 ? 0 : 40, 7)]));
    const root = trieRoot(list);
    expect(trieRoot([...list])).toBe(root);
    for (const at of [0, 1, 127, 128, 255, 256, 299]) {
      expect(trieRoot(list.with(at, Buffer.of(1)))).not.toBe(root);
      expect(trieRoot(list.toSpliced(at, 1))).not.toBe(root);
    }
    expect(trieRoot([list[1]!, list[0]!, ...list.slice(2)])).not.toBe(root);
  });
});
