import { expect, test } from "vitest";
import { NATIVE } from "./swap.ts";
import { blockOf, deposit, log, named, transfer, WETH, withdrawal } from "./testing/logs.ts";
import { findTransfers } from "./transfers.ts";

const [TOKEN, ALICE, BOB] = [named("token"), named("alice"), named("bob")];
const ZERO = `0x${"0".repeat(40)}`;
const TRANSFER = transfer(TOKEN, ALICE, BOB, 1).topics[0]!;

test("the transaction's value comes first, then tokens, and what was wrapped and unwrapped, in order", () => {
  const logs = [deposit(WETH, ALICE, 5), transfer(TOKEN, ALICE, BOB, 7), withdrawal(WETH, BOB, 5)];
  expect(findTransfers(blockOf(logs, { value: "0x9", from: ALICE, to: BOB }), 0, WETH)).toEqual([
    { position: -1, logIndex: -1, token: NATIVE, from: ALICE, to: BOB, amount: 9n, kind: "native" },
    { position: 0, logIndex: 0, token: WETH, from: ZERO, to: ALICE, amount: 5n, kind: "deposit" },
    { position: 1, logIndex: 1, token: TOKEN, from: ALICE, to: BOB, amount: 7n, kind: "erc20" },
    { position: 2, logIndex: 2, token: WETH, from: BOB, to: ZERO, amount: 5n, kind: "withdrawal" },
  ]);
});

test("what is no transfer of a token counts as none", () => {
  const logs = [
    log(TOKEN, [TRANSFER, ALICE, BOB, 7], []), // ERC-721: the fourth topic is an id
    log(TOKEN, [TRANSFER], [ALICE, BOB, 7]), // CryptoKitties: an id, too
    log(TOKEN, [TRANSFER, ALICE, BOB], []),
    log(TOKEN, [TRANSFER, ALICE, BOB], [7, 8]),
    log(TOKEN, [TRANSFER, `0x${"ff".repeat(32)}`, BOB], [7]), // no address
    deposit(TOKEN, ALICE, 5), // anybody's vault
    log(WETH, [deposit(WETH, ALICE, 5).topics[0]!, ALICE, BOB], [5]),
    { address: TOKEN, topics: [], data: `0x${TRANSFER.slice(2).repeat(3)}` },
  ];
  expect(findTransfers(blockOf(logs), 0, WETH)).toEqual([]);
  expect(findTransfers(blockOf([deposit(WETH, ALICE, 5)]), 0, undefined)).toEqual([]);
});

test("nothing moved in a transaction that reverted or is pending; an old receipt without a status is believed", () => {
  const { topics, data } = transfer(TOKEN, ALICE, BOB, 7);
  const logs = [{ address: TOKEN, topics, data, logIndex: "0x0" }];
  const count = (given: Parameters<typeof blockOf>[1]) =>
    findTransfers(blockOf([], { value: "0x9", ...given }), 0, WETH).length;
  expect(count({ receipt: { status: "0x1", logs } })).toBe(2);
  expect(count({ receipt: { status: null, logs } })).toBe(2);
  expect(count({ receipt: { status: "0x0", logs } })).toBe(0);
  expect(count({ receipt: null })).toBe(0);
});

test("the value of a creation goes to the contract that was made", () => {
  const receipt = { status: "0x1", contractAddress: BOB, logs: [] };
  expect(findTransfers(blockOf([], { value: "0x9", to: null, receipt }), 0, WETH)).toMatchObject([
    { to: BOB, amount: 9n },
  ]);
});
