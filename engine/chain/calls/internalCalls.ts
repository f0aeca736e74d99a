import { splitExtra } from "../../frame/extra.ts";
import type { Address } from "../swap.ts";

/** A call that happened while the transaction ran, as a node's callTracer saw it. */
export interface InternalCall {
  /** Number of the call that made it; -1: the transaction itself. */
  readonly parent: number;
  readonly depth: number;
  /** CALL, DELEGATECALL, STATICCALL, CREATE, CREATE2, SELFDESTRUCT … */
  readonly type: string;
  readonly from: Address | null;
  readonly to: Address | null;
  readonly selector: string | null;
  /** Wei; 0 where the tracer says nothing, as of a delegate call. */
  readonly value: bigint;
  readonly gasUsed: bigint | null;
  /** Why it failed; null: it did not. */
  readonly error: string | null;
}

export interface InternalCalls {
  /** In the order in which they were made, the transaction's own first. */
  readonly calls: readonly InternalCall[];
  /** There are more than INTERNAL_CALL_LIMITS. */
  readonly truncated: boolean;
}

/** The EVM's own depth is 1,024. */
export const INTERNAL_CALL_LIMITS = { calls: 10_000, depth: 1_024, errorLength: 256 } as const;

/**
 * The calls of a record with a member `trace`, an answer of debug_traceTransaction's callTracer. Nothing is computed for records without.
 *
 * @param extra what the record had beyond our fields, as it is in a frame or a row
 * @returns undefined: there is no such trace
 */
export function internalCallsOf(extra: string): InternalCalls | undefined {
  if (!extra.includes('"trace":{')) return undefined;
  const member = splitExtra(extra).find((one) => one.startsWith('"trace":{'));
  if (member === undefined) return undefined;
  const calls: InternalCall[] = [];
  let truncated = false;
  const stack = [{ node: JSON.parse(member.slice('"trace":'.length)) as unknown, parent: -1, depth: 0 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, parent, depth } = next;
    if (!isObject(node) || typeof node.type !== "string") continue;
    if (calls.length === INTERNAL_CALL_LIMITS.calls || depth > INTERNAL_CALL_LIMITS.depth) {
      truncated = true;
      continue;
    }
    const at = calls.push(callOf(node, parent, depth)) - 1;
    const inner = Array.isArray(node.calls) ? node.calls : [];
    for (let i = inner.length - 1; i >= 0; i--) stack.push({ node: inner[i], parent: at, depth: depth + 1 });
  }
  return calls.length === 0 ? undefined : { calls, truncated };
}

function callOf(node: Record<string, unknown>, parent: number, depth: number): InternalCall {
  const { type, from, to, input, value, gasUsed, error } = node;
  return {
    parent,
    depth,
    type: String(type).slice(0, 16),
    from: addressOf(from),
    to: addressOf(to),
    selector: typeof input === "string" && /^0x[0-9a-f]{8}/i.test(input) ? input.slice(0, 10).toLowerCase() : null,
    value: quantityOf(value) ?? 0n,
    gasUsed: quantityOf(gasUsed),
    error: typeof error === "string" ? error.slice(0, INTERNAL_CALL_LIMITS.errorLength) : null,
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const addressOf = (value: unknown): Address | null =>
  typeof value === "string" && /^0x[0-9a-f]{40}$/i.test(value) ? value.toLowerCase() : null;

const quantityOf = (value: unknown): bigint | null =>
  typeof value === "string" && /^0x[0-9a-f]{1,64}$/i.test(value) ? BigInt(value) : null;
