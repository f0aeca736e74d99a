import { describe, expect, it } from "vitest";
import { blockLines, pendingLine, type RpcObject } from "./recordingLine.ts";

const transaction = (fields: RpcObject = {}): RpcObject => ({
  hash: "0x01",
  from: "0xAb",
  to: null,
  nonce: "0x0",
  value: "0x0",
  gas: "0x5208",
  gasPrice: "0x1",
  type: "0x0",
  input: "0xDEAD",
  chainId: "0x1",
  blockNumber: "0x5",
  blockHash: "0x0b",
  transactionIndex: "0x0",
  ...fields,
});
const receipt = (fields: RpcObject = {}): RpcObject => ({
  transactionHash: "0x01",
  status: "0x1",
  gasUsed: "0x5208",
  cumulativeGasUsed: "0x5208",
  effectiveGasPrice: "0x1",
  contractAddress: "0xAA",
  logs: [{ address: "0xCc", topics: ["0xDd"], data: "0xEE", logIndex: "0x0", blockHash: "0x0b", removed: false }],
  logsBloom: "0x00",
  ...fields,
});
const block: RpcObject = {
  number: "0x5",
  hash: "0x0b",
  parentHash: "0x0a",
  timestamp: "0x1",
  miner: "0xFF",
  gasUsed: "0x5208",
  gasLimit: "0x1",
  logsBloom: "0x00",
};

describe("blockLines()", () => {
  it("keeps the format's fields and the extra ones, in lower case, and drops blooms and what repeats", () => {
    const blob = {
      maxFeePerBlobGas: "0x1",
      blobVersionedHashes: ["0x01AB"],
      authorizationList: [{ chainId: "0x1", address: "0xAB" }],
      accessList: [{ address: "0xAC", storageKeys: [] }],
    };
    const given = {
      block,
      transactions: [transaction({ ...blob, v: "0x1", yParity: "0x1", blockTimestamp: "0x9" })],
      receipts: [receipt({ blobGasUsed: "0x20000" })],
    };
    expect(blockLines(1, given, () => 42)).toEqual([
      {
        chainId: 1,
        hash: "0x01",
        from: "0xab",
        to: null,
        nonce: "0x0",
        value: "0x0",
        gas: "0x5208",
        gasPrice: "0x1",
        type: "0x0",
        input: "0xdead",
        blockNumber: "0x5",
        blockHash: "0x0b",
        transactionIndex: "0x0",
        v: "0x1",
        yParity: "0x1",
        maxFeePerBlobGas: "0x1",
        blobVersionedHashes: ["0x01ab"],
        authorizationList: [{ chainId: "0x1", address: "0xab" }],
        accessList: [{ address: "0xac", storageKeys: [] }],
        seenAt: 42,
        block: {
          number: "0x5",
          hash: "0x0b",
          parentHash: "0x0a",
          timestamp: "0x1",
          miner: "0xff",
          gasUsed: "0x5208",
          gasLimit: "0x1",
          transactionCount: 1,
        },
        receipt: {
          status: "0x1",
          gasUsed: "0x5208",
          cumulativeGasUsed: "0x5208",
          effectiveGasPrice: "0x1",
          contractAddress: "0xaa",
          blobGasUsed: "0x20000",
          logs: [{ address: "0xcc", topics: ["0xdd"], data: "0xee", logIndex: "0x0" }],
        },
      },
    ]);
  });

  it("writes null for what an old archive does not have, and no seenAt for what nobody saw", () => {
    const { type: _, ...old } = transaction();
    const [line] = blockLines(
      1,
      { block, transactions: [old], receipts: [receipt({ gasUsed: undefined })] },
      () => undefined,
    );
    expect(line).toMatchObject({ type: null, receipt: { gasUsed: null } });
    expect(line).not.toHaveProperty("seenAt");
  });
});

describe("pendingLine()", () => {
  it("has no place in a chain, even where the node had mined the transaction by the time it was asked", () => {
    const line = pendingLine(1, transaction(), 42);
    expect(line).toMatchObject({ blockNumber: null, blockHash: null, transactionIndex: null, seenAt: 42 });
    expect(line).not.toHaveProperty("block");
    expect(line).not.toHaveProperty("receipt");
  });
});
