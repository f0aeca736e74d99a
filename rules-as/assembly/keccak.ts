/** Keccak-256 as Ethereum uses it (padding 0x01, not SHA-3's 0x06). Meant for top-level constants. */
import { Bytes, Bytes32 } from "./bytes";

const ROUND = memory.data<u64>([
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
  0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
  0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
]);
/** Lanes in the order in which ρ and π walk them, and the rotation of each step. */
const LANE = memory.data<u8>([10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1]);
const TURN = memory.data<u8>([1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44]);
/** Bytes absorbed at a time: 1600 bits of state less twice the 256 of the result. */
const RATE: usize = 136;

function permute(state: usize): void {
  for (let round: usize = 0; round < 24; ++round) {
    // θ: each column's parity into its neighbours
    const c0 = column(state), c1 = column(state + 8), c2 = column(state + 16), c3 = column(state + 24), c4 = column(state + 32);
    mix(state, c4 ^ rotl<u64>(c1, 1));
    mix(state + 8, c0 ^ rotl<u64>(c2, 1));
    mix(state + 16, c1 ^ rotl<u64>(c3, 1));
    mix(state + 24, c2 ^ rotl<u64>(c4, 1));
    mix(state + 32, c3 ^ rotl<u64>(c0, 1));
    // ρ and π: rotate each lane and move it
    let lane = load<u64>(state, 8);
    for (let i: usize = 0; i < 24; ++i) {
      const to = state + (<usize>load<u8>(LANE + i) << 3);
      const next = load<u64>(to);
      store<u64>(to, rotl<u64>(lane, load<u8>(TURN + i)));
      lane = next;
    }
    // χ: the one step that is not linear, row by row
    for (let row = state; row < state + 200; row += 40) {
      const a = load<u64>(row), b = load<u64>(row, 8), c = load<u64>(row, 16), d = load<u64>(row, 24), e = load<u64>(row, 32);
      store<u64>(row, a ^ (~b & c), 0);
      store<u64>(row, b ^ (~c & d), 8);
      store<u64>(row, c ^ (~d & e), 16);
      store<u64>(row, d ^ (~e & a), 24);
      store<u64>(row, e ^ (~a & b), 32);
    }
    // ι: the rounds differ
    store<u64>(state, load<u64>(state) ^ load<u64>(ROUND + (round << 3)));
  }
}

// @ts-ignore: decorator
@inline function column(at: usize): u64 {
  return load<u64>(at) ^ load<u64>(at, 40) ^ load<u64>(at, 80) ^ load<u64>(at, 120) ^ load<u64>(at, 160);
}

function mix(at: usize, parity: u64): void {
  for (const end = at + 200; at < end; at += 40) store<u64>(at, load<u64>(at) ^ parity);
}

function absorb(state: usize, block: usize): void {
  for (let i: usize = 0; i < RATE; i += 8) store<u64>(state + i, load<u64>(state + i) ^ load<u64>(block + i));
  permute(state);
}

export function keccakOf(pointer: usize, length: usize): Bytes32 {
  const state = __alloc(200 + RATE);
  memory.fill(state, 0, 200 + RATE);
  for (; length >= RATE; length -= RATE, pointer += RATE) absorb(state, pointer);
  const last = state + 200;
  memory.copy(last, pointer, length);
  store<u8>(last + length, 1);
  store<u8>(last + RATE - 1, load<u8>(last + RATE - 1) | 0x80);
  absorb(state, last);
  return changetype<Bytes32>(state); // the result is its first 32 bytes
}

/** Hash of bytes. About 4 µs for each 136 bytes: fine at the top level, costly for every transaction. */
export function keccak256(data: Bytes): Bytes32 {
  return keccakOf(data.pointer, data.length);
}
