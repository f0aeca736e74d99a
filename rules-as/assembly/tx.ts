/**
 * One transaction: a view of its frame (layout in engine/frame/schema.ts), no copy, good within `onTx` only. What a
 * record did not have reads as zero; `has…` tells it from a real zero.
 */
import { AccessListEntry } from "./accessList";
import { Address, Bytes, Bytes32, zeroBytes32 } from "./bytes";
import { Entries, entriesOf } from "./entries";
import * as facts from "./facts";
import { Arbitrage, Jit, Liquidation, Sandwich, SandwichRole, Swap } from "./facts";
import * as frame from "./frame";
import { Log } from "./log";
import { U128, U256 } from "./u256";

// Where the last log was found, so that going through them in order takes one step each. Both are reset between transactions.
let lastLog: u32 = 0;
let lastLogPointer: usize = 0;

/** One transaction. */
@unmanaged
export class Tx {
  private has(bit: u32): bool {
    return (load<u32>(changetype<usize>(this), frame.OFFSET_present) & bit) != 0;
  }

  // Who and what

  /** Transaction hash. */
  get hash(): Bytes32 {
    return changetype<Bytes32>(changetype<usize>(this) + frame.OFFSET_hash);
  }

  /** Chain: 1 is Ethereum. */
  get chainId(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_chainId);
  }

  /** Sender. */
  get from(): Address {
    return changetype<Address>(changetype<usize>(this) + frame.OFFSET_from);
  }

  /** Recipient; zero for a contract creation. */
  get to(): Address {
    return changetype<Address>(changetype<usize>(this) + frame.OFFSET_to);
  }

  /** False for a contract creation. */
  get hasTo(): bool {
    return this.has(frame.PRESENT_to);
  }

  /** Does it create a contract? */
  get isCreation(): bool {
    return !this.hasTo;
  }

  /** Wei of the chain's own coin that it carries. */
  get value(): U256 {
    return changetype<U256>(changetype<usize>(this) + frame.OFFSET_value);
  }

  /** The sender's nonce. */
  get nonce(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_nonce);
  }

  /** EIP-2718 type: 0 legacy, 1 access list, 2 EIP-1559, 3 blobs. */
  get type(): u8 {
    return load<u8>(changetype<usize>(this), frame.OFFSET_type);
  }

  // Gas and its price

  /** Gas limit. */
  get gas(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_gas);
  }

  /** Wei per gas offered. */
  get gasPrice(): U128 {
    return changetype<U128>(changetype<usize>(this) + frame.OFFSET_gasPrice);
  }

  /** Did the record have it? */
  get hasGasPrice(): bool {
    return this.has(frame.PRESENT_gasPrice);
  }

  /** Most wei per gas (EIP-1559). */
  get maxFeePerGas(): U128 {
    return changetype<U128>(changetype<usize>(this) + frame.OFFSET_maxFeePerGas);
  }

  /** Did the record have it? */
  get hasMaxFeePerGas(): bool {
    return this.has(frame.PRESENT_maxFeePerGas);
  }

  /** Most wei per gas for the block producer (EIP-1559). */
  get maxPriorityFeePerGas(): U128 {
    return changetype<U128>(changetype<usize>(this) + frame.OFFSET_maxPriorityFeePerGas);
  }

  /** Did the record have it? */
  get hasMaxPriorityFeePerGas(): bool {
    return this.has(frame.PRESENT_maxPriorityFeePerGas);
  }

  /** Wei per gas paid; mined only. */
  get effectiveGasPrice(): U128 {
    return changetype<U128>(changetype<usize>(this) + frame.OFFSET_effectiveGasPrice);
  }

  /** Did the record have it? */
  get hasEffectiveGasPrice(): bool {
    return this.has(frame.PRESENT_effectiveGasPrice);
  }

  /** Gas used; mined only. */
  get gasUsed(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_gasUsed);
  }

  /** Old receipts may lack it. */
  get hasGasUsed(): bool {
    return this.has(frame.PRESENT_gasUsed);
  }

  /** Wei paid for gas: gas used × effective price; zero unless both are known. */
  get fee(): U256 {
    return this.effectiveGasPrice.asU256().mul(this.gasUsed);
  }

  // Where it stands

  /** Not in a block. */
  get isPending(): bool {
    return !this.isMined;
  }

  /** In a block. */
  get isMined(): bool {
    return this.has(frame.PRESENT_blockNumber);
  }

  /** Height; mined only. */
  get blockNumber(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_blockNumber);
  }

  /** Mined only. */
  get blockHash(): Bytes32 {
    return changetype<Bytes32>(changetype<usize>(this) + frame.OFFSET_blockHash);
  }

  /** Place in the block; mined only. */
  get transactionIndex(): u32 {
    return load<u32>(changetype<usize>(this), frame.OFFSET_transactionIndex);
  }

  /** Is the block header known? */
  get hasBlock(): bool {
    return this.has(frame.PRESENT_block);
  }

  /** Seconds since 1970; mined only. */
  get blockTimestamp(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_blockTimestamp);
  }

  /** Wei per gas burned; mined since London only. */
  get baseFeePerGas(): U128 {
    return changetype<U128>(changetype<usize>(this) + frame.OFFSET_baseFeePerGas);
  }

  /** The block's fee recipient; mined only. */
  get miner(): Address {
    return changetype<Address>(changetype<usize>(this) + frame.OFFSET_miner);
  }

  /** Gas used by the block. */
  get blockGasUsed(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_blockGasUsed);
  }

  /** Gas limit of the block. */
  get blockGasLimit(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_blockGasLimit);
  }

  /** Transactions of the block. */
  get blockTransactionCount(): u32 {
    return load<u32>(changetype<usize>(this), frame.OFFSET_blockTransactionCount);
  }

  /** First seen pending, in µs since 1970. */
  get seenAt(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_seenAt);
  }

  /** Was it seen pending? */
  get hasSeenAt(): bool {
    return this.has(frame.PRESENT_seenAt);
  }

  // What became of it

  /** Pending transactions have none. */
  get hasReceipt(): bool {
    return this.has(frame.PRESENT_receipt);
  }

  /** 1 succeeded, 0 reverted or unknown: see failed. */
  get status(): u8 {
    return load<u8>(changetype<usize>(this), frame.OFFSET_status);
  }

  /** Mined and reverted; false while that is not known. */
  get failed(): bool {
    return this.has(frame.PRESENT_status) && this.status == 0;
  }

  /** Mined and not reverted. */
  get succeeded(): bool {
    return this.has(frame.PRESENT_status) && this.status == 1;
  }

  /** Gas used in the block up to and with this one. */
  get cumulativeGasUsed(): u64 {
    return load<u64>(changetype<usize>(this), frame.OFFSET_cumulativeGasUsed);
  }

  /** The contract created. */
  get contractAddress(): Address {
    return changetype<Address>(changetype<usize>(this) + frame.OFFSET_contractAddress);
  }

  /** Did it create a contract? */
  get hasContractAddress(): bool {
    return this.has(frame.PRESENT_contractAddress);
  }

  // Input

  /** Bytes of input. */
  get inputLength(): u32 {
    return load<u32>(changetype<usize>(this), frame.OFFSET_inputLength);
  }

  /** The call: selector and arguments. */
  get input(): Bytes {
    return new Bytes(this.inputPointer(), this.inputLength);
  }

  /** First four bytes of the input as a number, to compare with `selector("…")`; 0 if it is shorter. */
  get selector(): u32 {
    return this.hasSelector ? bswap(load<u32>(this.inputPointer())) : 0;
  }

  /** Is the input at least four bytes long? */
  get hasSelector(): bool {
    return this.inputLength >= 4;
  }

  /** Argument `i`: the 32-byte word after the selector, from 0. Zero unless all of it is there: see hasArg. */
  arg(i: u32): Bytes32 {
    return this.hasArg(i) ? changetype<Bytes32>(this.inputPointer() + 4 + (<usize>i << 5)) : zeroBytes32();
  }

  /** Is argument `i` there? Anybody can send an input that is too short. */
  hasArg(i: u32): bool {
    return this.hasSelector && i < (this.inputLength - 4) >> 5;
  }

  // Logs and access list

  /** Logs of the receipt; 0 if pending. */
  get logCount(): u32 {
    return load<u32>(changetype<usize>(this), frame.OFFSET_logCount);
  }

  /** Log `i` of the receipt, from 0; aborts past the end. In rising order each costs one step. */
  log(i: u32): Log {
    if (i >= this.logCount) throw new Error(`Cannot read log ${i}: the transaction has ${this.logCount}`);
    if (lastLogPointer == 0 || i < lastLog) {
      lastLog = 0;
      lastLogPointer = this.accessListPointer() + load<u32>(changetype<usize>(this), frame.OFFSET_accessListLength);
    }
    for (; lastLog < i; ++lastLog) lastLogPointer += load<u32>(lastLogPointer, frame.LOG_size);
    return changetype<Log>(lastLogPointer);
  }

  /** Entries of the access list (EIP-2930). */
  get accessListCount(): u32 {
    return load<u32>(changetype<usize>(this), frame.OFFSET_accessListCount);
  }

  /** Entry `i` of the access list, from 0; aborts past the end. */
  accessListEntry(i: u32): AccessListEntry {
    if (i >= this.accessListCount) throw new Error(`Cannot read access list entry ${i}: the transaction has ${this.accessListCount}`);
    let pointer = this.accessListPointer();
    for (; i > 0; --i) pointer += load<u32>(pointer, frame.ACCESS_size);
    return changetype<AccessListEntry>(pointer);
  }

  // What was found of it: see "What was found" in the README

  /** Swaps, also beyond those that are listed. */
  get swapCount(): u32 {
    const record = this.factsPointer();
    return record == 0 ? 0 : load<u32>(record, facts.FACTS_swapCount);
  }

  /** Its swaps, in the order of its logs. */
  get swaps(): Entries<Swap> {
    return entriesOf<Swap>(this.factsPointer(), facts.PART_of_swap);
  }

  /** Its arbitrages: closed routes of swaps. */
  get arbitrages(): Entries<Arbitrage> {
    return entriesOf<Arbitrage>(this.factsPointer(), facts.PART_of_arbitrage);
  }

  /** Its first arbitrage; null if it made none. */
  get arbitrage(): Arbitrage | null {
    return this.arbitrages.length > 0 ? this.arbitrages[0] : null;
  }

  /** Its parts in sandwiches. */
  get sandwiches(): Entries<Sandwich> {
    return entriesOf<Sandwich>(this.factsPointer(), facts.PART_of_sandwich);
  }

  /** Its part in the first of these; None if it has none. */
  get sandwichRole(): SandwichRole {
    return this.sandwiches.length > 0 ? this.sandwiches[0].role : SandwichRole.None;
  }

  /** Its liquidations. */
  get liquidations(): Entries<Liquidation> {
    return entriesOf<Liquidation>(this.factsPointer(), facts.PART_of_liquidation);
  }

  /** Its parts in JIT liquidity. */
  get jits(): Entries<Jit> {
    return entriesOf<Jit>(this.factsPointer(), facts.PART_of_jit);
  }

  /** Two swaps or more by a known router's method: an arbitrage or an ordinary trade. */
  get isRouterArbitrage(): bool {
    return this.hasFlag(facts.FLAG_routerArbitrage);
  }

  /** A reverted transaction of somebody who searches. */
  get isFailedAttempt(): bool {
    return this.hasFlag(facts.FLAG_failedAttempt);
  }

  /** Risk score, 0 to 100. */
  get risk(): u32 {
    const record = this.factsPointer();
    return record == 0 ? 0 : load<u32>(record, facts.FACTS_risk);
  }

  /** Was it seen pending, and is it mined? */
  get hasSeenPendingFor(): bool {
    return this.hasSeenAt && this.has(frame.PRESENT_blockTimestamp);
  }

  /** µs from when it was seen pending to its block's timestamp; 0 if it was seen later, and where hasSeenPendingFor is false. */
  get seenPendingFor(): u64 {
    const mined = this.blockTimestamp * 1_000_000;
    return this.hasSeenPendingFor && mined > this.seenAt ? mined - this.seenAt : 0;
  }

  private hasFlag(bit: u32): bool {
    const record = this.factsPointer();
    return record != 0 && (load<u32>(record, facts.FACTS_flags) & bit) != 0;
  }

  /** Where its facts begin, behind all parts of the frame; 0: there are none. */
  private factsPointer(): usize {
    if (!this.has(facts.FACTS_BIT)) return 0;
    const extra = (load<u32>(changetype<usize>(this), frame.OFFSET_extraLength) + 7) & ~7;
    const lists = load<u32>(changetype<usize>(this), frame.OFFSET_accessListLength) + load<u32>(changetype<usize>(this), frame.OFFSET_logsLength);
    return this.accessListPointer() + lists + extra;
  }

  private inputPointer(): usize {
    return changetype<usize>(this) + frame.HEADER_SIZE;
  }

  private accessListPointer(): usize {
    return this.inputPointer() + ((this.inputLength + 7) & ~7);
  }
}
