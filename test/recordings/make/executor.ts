import { concatHex, type Hex, numberToHex, size } from "viem";

/**
 * A searcher's contract, by hand: makes the calls that its input lists, in order, and reverts whole if one of them does.
 * No owner check: it is made for a chain that lasts a minute.
 *
 *     input = call*      call = to (20 bytes) · length (2 bytes, big-endian) · data (length bytes)
 */
const EXECUTOR_RUNTIME = concatHex([
  "0x5f", //               00 push0                                   p = 0
  "0x5b", //               01 jumpdest (loop)                         p
  "0x36811060095700", //   02 calldatasize dup2 lt, to 09 if p < size, else stop
  "0x5b", //               09 jumpdest (call)                         p
  "0x8060140135", //       0a dup1, +20, calldataload                 p word
  "0x60f01c", //           0f >> 240                                  p length
  "0x80826016015f37", //   12 calldatacopy(0, p + 22, length)         p length
  "0x5f5f825f5f8635", //   19 call's arguments: 0 0 length 0 0, calldataload(p)
  "0x60601c5af1", //       20 >> 96 is the target; call with all gas  p length ok
  "0x602f573d5f5f3e3d5ffd", // 25 to 2f if ok, else revert with what came back
  "0x5b", //               2f jumpdest                                p length
  "0x01601601600156", //   30 p += length + 22, to loop
]);

// Copies the code behind itself to memory and returns it: push1 size, dup1, push1 9, push0, codecopy, push0, return.
export const EXECUTOR_CREATION: Hex = concatHex([
  "0x60",
  numberToHex(size(EXECUTOR_RUNTIME), { size: 1 }),
  "0x8060095f395ff3",
  EXECUTOR_RUNTIME,
]);

export function executorInput(calls: { to: Hex; data: Hex }[]): Hex {
  return concatHex(calls.map(({ to, data }) => concatHex([to, numberToHex(size(data), { size: 2 }), data])));
}
