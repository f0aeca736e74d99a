/**
 * What contracts sent an account within a transaction, from a record's optional member `trace`: its receipt does not show it. Two shapes:
 *
 *     geth, callTracer          {"type":"CALL","from":"0x…","to":"0x…","value":"0x…","error":"…","calls":[…]}
 *     trace_transaction         [{"action":{"callType":"call","to":"0x…","value":"0x…"},"error":"…","traceAddress":[0,1]}, …]
 *
 * Calls under one that failed did not happen. The transaction's own call, the outermost, is left out: its value is no secret.
 */
import { splitExtra } from "../../frame/extra.ts";
import { extraText, u32At } from "../../frame/readFrame.ts";
import { OFFSET } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import type { Address } from "../swap.ts";

/** In wei; undefined: the record has no trace, or one of another shape. @param frame byte offset */
export function tracedValueTo(view: BlockView, frame: number, account: Address): bigint | undefined {
  if (u32At(view, frame + OFFSET.extraLength) === 0) return undefined;
  const member = splitExtra(extraText(view, frame)).find((text) => text.startsWith('"trace":'));
  if (member === undefined) return undefined;
  const trace = JSON.parse(member.slice('"trace":'.length)) as unknown;
  if (Array.isArray(trace)) return sumOfList(trace, account);
  return isObject(trace) && typeof trace.type === "string" ? sumOfCalls(trace, account) : undefined;
}

type Obj = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Obj => typeof value === "object" && value !== null && !Array.isArray(value);
const isTo = (to: unknown, account: Address): boolean => typeof to === "string" && to.toLowerCase() === account;
const quantity = (value: unknown): bigint =>
  typeof value === "string" && /^0x[0-9a-f]{1,64}$/i.test(value) ? BigInt(value) : 0n;

/** Recursion as deep as the record's JSON, of which the decoder allows 64 levels. */
function sumOfCalls({ calls, error }: Obj, account: Address): bigint {
  if (error !== undefined || !Array.isArray(calls)) return 0n;
  return calls.filter(isObject).reduce((sum, call) => {
    if (call.error !== undefined) return sum;
    const pays = (call.type === "CALL" || call.type === "SELFDESTRUCT") && isTo(call.to, account);
    return sum + (pays ? quantity(call.value) : 0n) + sumOfCalls(call, account);
  }, 0n);
}

function sumOfList(trace: readonly unknown[], account: Address): bigint | undefined {
  const calls = trace.filter(isObject);
  if (calls.some(({ traceAddress, action }) => !Array.isArray(traceAddress) || !isObject(action))) return undefined;
  const pathOf = ({ traceAddress }: Obj): string => (traceAddress as readonly unknown[]).map((at) => `${at}/`).join("");
  const failed = new Set(calls.filter(({ error }) => error !== undefined).map(pathOf));
  const isUndone = (path: string): boolean => {
    if (failed.has("") || failed.has(path)) return true;
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1))
      if (failed.has(path.slice(0, end + 1))) return true;
    return false;
  };
  let sum = 0n;
  for (const call of calls) {
    const { callType, to, value, refundAddress, balance } = call.action as Obj;
    const path = pathOf(call);
    if (path === "" || isUndone(path)) continue;
    if (callType === "call" && isTo(to, account)) sum += quantity(value);
    if (isTo(refundAddress, account)) sum += quantity(balance); // a contract that destroyed itself
  }
  return sum;
}
