/**
 * The calls that a transaction's input asks for: its own, and those that it hands on, as multicalls, Safes, smart accounts and routers
 * do. Read off the input alone, so it is what was asked and holds while a transaction is pending; what happened is in the receipt, and in
 * a trace (internalCalls.ts).
 */
import type { Span } from "../../condition/abi/readArgument.ts";
import { bigAt, type FrameBytes, has, hexAt, inputAt, inputLength } from "../../frame/readFrame.ts";
import { OFFSET, PRESENT } from "../../frame/schema.ts";
import { METHODS } from "../registry/methods.ts";
import type { Address } from "../swap.ts";
import { commandName, SUB_PLAN } from "./commands.ts";
import { type ContainerReader, createContainerReader } from "./container.ts";
import { CONTAINERS, FUNCTIONS } from "./functions.ts";

export interface Call {
  /** Number of the call that hands it on; -1: the transaction itself. */
  readonly parent: number;
  readonly depth: number;
  readonly kind: "call" | "delegatecall" | "command";
  /** null: unknown, or the creation of a contract. */
  readonly to: Address | null;
  /** Its first 4 bytes; null where it has none, as a command. */
  readonly selector: string | null;
  /** `transfer(address,uint256)`, or the command's name; null: not known to us. */
  readonly name: string | null;
  /** Wei; null where the call that hands it on does not say. */
  readonly value: bigint | null;
  /** Where its own data lie in the transaction's input, bytes. */
  readonly offset: number;
  readonly length: number;
  /** `abi`: where the signature of the call around it says. `guessed`: it looks like a call, among the data of an unknown one. */
  readonly provenance: "abi" | "guessed";
}

export interface Calls {
  /** The transaction's own first; behind each call those that it hands on. */
  readonly calls: readonly Call[];
  /** There are more than these: CALL_LIMITS, or data that are cut off. */
  readonly truncated: boolean;
}

/** Of one transaction. Real ones have a few dozen calls, four deep. */
export const CALL_LIMITS = { calls: 256, depth: 8 } as const;

/** The signature of a function by its selector, `0x…` of 4 bytes; undefined: not known to us. */
export const nameOf = (selector: string): string | undefined =>
  own(FUNCTIONS, selector) ?? containerOf(selector)?.name ?? own(METHODS, selector);

/** Whether a call with this selector may hand on others. */
export const isContainer = (selector: string): boolean => Object.hasOwn(CONTAINERS, selector);

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

const readers = new Map<string, ContainerReader>();

/** Made when first met: most are rare. */
function containerOf(selector: string): ContainerReader | undefined {
  const container = own(CONTAINERS, selector);
  if (!container) return undefined;
  let reader = readers.get(selector);
  if (!reader) readers.set(selector, (reader = createContainerReader(container)));
  return reader;
}

const subPlan = createContainerReader(CONTAINERS["0x24856bc3"]!);

/** @param frame byte offset */
export function callsOf(frames: FrameBytes, frame: number): Calls {
  const { bytes } = frames;
  const base = inputAt(frames, frame);
  const size = inputLength(frames, frame);
  const calls: Call[] = [];
  let truncated = false;
  /** Bytes that may still be searched for calls: strangers may point a thousand times at the same ones. */
  let searchable = size;

  /** Each member by its name: spreading objects took most of the time of this. */
  function add(
    parent: number,
    depth: number,
    kind: Call["kind"],
    to: Address | null,
    value: bigint | null,
    offset: number,
    length: number,
  ): void {
    const selector = length < 4 || to === null ? null : hexAt(frames, base + offset, 4);
    const name = selector === null ? null : (nameOf(selector) ?? null);
    const at = calls.push({ parent, depth, kind, to, selector, name, value, offset, length, provenance: "abi" }) - 1;
    if (selector === null) return;
    const [start, end] = [base + offset + 4, base + offset + length];
    const container = containerOf(selector);
    if (container) handOn(at, container, start, end);
    else if (name === null && end - start <= searchable) {
      searchable -= end - start;
      for (const { at: found, end: foundEnd, name: guess } of searchCalls(frames, start, end)) {
        if (isFull(depth + 1)) return;
        calls.push({
          ...{ parent: at, depth: depth + 1, kind: "call", to: null, selector: hexAt(frames, found, 4), name: guess },
          ...{ value: null, offset: found - base, length: foundEnd - found, provenance: "guessed" },
        });
      }
    }
  }

  function handOn(parent: number, container: ContainerReader, start: number, end: number): void {
    const { to: called, depth: above } = calls[parent]!;
    const depth = above + 1;
    const { calls: handed, more } = container.read(bytes, start, end, CALL_LIMITS.calls);
    truncated ||= more;
    for (const { to: target, input, command, delegates, value: word } of handed) {
      if (isFull(depth)) return;
      const to = target ? hexAt(frames, target.at, 20) : called;
      const value = word ? wordAt(bytes, word) : null;
      const [offset, length] = [input.at - base, input.end - input.at];
      if (command === undefined) add(parent, depth, delegates ? "delegatecall" : "call", to, value, offset, length);
      else {
        const name = commandName(command, called);
        const at = calls.push({ parent, depth, kind: "command", to, selector: null, name, value, offset, length, provenance: "abi" }) - 1; // biome-ignore format: one call
        if (name === SUB_PLAN) handOn(at, subPlan, input.at, input.end);
      }
    }
  }

  function isFull(depth: number): boolean {
    if (calls.length < CALL_LIMITS.calls && depth <= CALL_LIMITS.depth) return false;
    truncated = true;
    return true;
  }

  const to = has(frames, frame, PRESENT.to) ? hexAt(frames, frame + OFFSET.to, 20) : null;
  const value = bigAt(frames, frame + OFFSET.value, 32);
  add(-1, 0, "call", to, value, 0, size);
  return { calls, truncated };
}

const wordAt = (bytes: Uint8Array, { at, end }: Span): bigint =>
  BigInt(`0x${Buffer.from(bytes.subarray(at, end)).toString("hex")}`);

/** What looks like call data among arguments: a length of 4 + 32 n bytes, and behind it a selector that we know. */
function searchCalls(frames: FrameBytes, start: number, end: number): (Span & { readonly name: string })[] {
  const { bytes } = frames;
  const found: (Span & { readonly name: string })[] = [];
  for (let at = start; at + 36 <= end; at += 32) {
    if (bytes[at + 31]! % 32 !== 4 || !bytes.subarray(at, at + 28).every((byte) => byte === 0)) continue;
    const length = ((bytes[at + 28]! << 24) | (bytes[at + 29]! << 16) | (bytes[at + 30]! << 8) | bytes[at + 31]!) >>> 0;
    const name = length <= end - at - 32 ? nameOf(hexAt(frames, at + 32, 4)) : undefined;
    if (name === undefined) continue;
    found.push({ at: at + 32, end: at + 32 + length, name });
    at += length - 4 + 32;
  }
  return found;
}
