import type { FrameBytes } from "../../frame/readFrame.ts";
import { CONTAINERS, FUNCTIONS } from "../calls/functions.ts";
import { METHODS } from "../registry/methods.ts";
import { RISK } from "./factors.ts";

/** Arguments by their word, behind the selector. */
interface Role {
  /** Factors of any such call. */
  readonly mask?: number;
  /** An approval: who may take, and how much. */
  readonly spender?: number;
  readonly amount?: number;
  /** An approval of everything if this is not 0. */
  readonly all?: number;
  readonly allMask?: number;
  /** A swap: the least that is taken for it. */
  readonly minimum?: number;
  readonly container?: true;
}

const { proxy_change, ownership_change, unlimited_approval, approval_for_all, sandwich_exposure } = RISK;
const proxy: Role = { mask: proxy_change };
const owner: Role = { mask: ownership_change };

// biome-ignore format: a line each
const ROLES: Readonly<Record<string, Role>> = {
  "0x095ea7b3": { spender: 0, amount: 1 }, // approve
  "0x39509351": { spender: 0, amount: 1 }, // increaseAllowance
  "0xd505accf": { spender: 1, amount: 2 }, // permit
  "0x8fcbaf0c": { spender: 1, all: 4, allMask: unlimited_approval }, // permit of DAI
  "0x87517c45": { spender: 1, amount: 2 }, // Permit2: approve
  "0x2b67b570": { spender: 5, amount: 2 }, // Permit2: permit
  "0xa22cb465": { spender: 0, all: 1, allMask: approval_for_all }, // setApprovalForAll
  "0x3659cfe6": proxy, "0x99a88ec4": proxy, "0x8f283970": proxy, "0x7eff275e": proxy, // upgradeTo, upgrade, changeAdmin, changeProxyAdmin
  "0x4f1ef286": { ...proxy, container: true }, "0x9623609d": { ...proxy, container: true }, // upgradeToAndCall, upgradeAndCall
  "0xf2fde38b": owner, "0x715018a6": owner, // transferOwnership, renounceOwnership
  "0x38ed1739": { minimum: 1 }, "0x7ff36ab5": { minimum: 0 }, "0x18cbafe5": { minimum: 1 }, // swapExact…For…
  "0x5c11d795": { minimum: 1 }, "0xb6f9de95": { minimum: 0 }, "0x791ac947": { minimum: 1 }, // … supporting fee on transfer
  "0x414bf389": { minimum: 6 }, "0x04e45aaf": { minimum: 5 }, "0xbc651188": { minimum: 5 }, // exactInputSingle
  "0xc04b8d59": { minimum: 5 }, "0xb858183f": { minimum: 4 }, // exactInput: a struct behind its offset
  "0x472b43f3": { minimum: 1 }, // swapExactTokensForTokens of the second router
};

/** As the first word of a call's data is read from memory: a small integer, which needs no memory of its own. */
const wordOf = (selector: string): number => Buffer.from(selector.slice(2), "hex").readInt32LE(0);

const NONE: Role = {};
const BY_WORD = new Map<number, Role>([
  ...[...Object.keys(FUNCTIONS), ...Object.keys(METHODS)].map((selector) => [wordOf(selector), NONE] as const),
  ...Object.keys(CONTAINERS).map((selector) => [wordOf(selector), { container: true }] as const),
  ...Object.entries(ROLES).map(([selector, role]) => [wordOf(selector), role] as const),
]);

/** Of a call's data, which begin at this byte. undefined: a function that is not known to us. */
export const roleAt = ({ bytes }: FrameBytes, at: number): Role | undefined =>
  BY_WORD.get(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));

/** Uniswap's Universal Router passes Permit2 what its signer signed: (token, amount, expiration, nonce, spender …). */
export const PERMIT2_COMMAND: Role = { spender: 4, amount: 1 };

/**
 * Factors of one call by its arguments; those that are not there say nothing.
 *
 * @param args byte where the arguments begin  @param end where they end
 */
export function callRisk({ bytes }: FrameBytes, role: Role, args: number, end: number): number {
  const has = (word: number | undefined): word is number => word !== undefined && args + 32 * word + 32 <= end;
  let mask = role.mask ?? 0;
  if (has(role.amount) && isUnlimited(bytes, args + 32 * role.amount)) mask |= unlimited_approval;
  if (has(role.all) && !isZero(bytes, args + 32 * role.all)) mask |= role.allMask!;
  if (has(role.minimum) && isZero(bytes, args + 32 * role.minimum)) mask |= sandwich_exposure;
  return mask;
}

/** Byte of the address that an approval names; -1: it is none. */
export const spenderAt = (role: Role, args: number, end: number): number =>
  role.spender === undefined || args + 32 * role.spender + 32 > end ? -1 : args + 32 * role.spender + 12;

/** More than 2^160 − 2 (Permit2 counts in 160 bits), or 2^96 − 1 (UNI and COMP count in 96). */
function isUnlimited(bytes: Uint8Array, word: number): boolean {
  for (let i = 0; i < 12; i++) if (bytes[word + i] !== 0) return true;
  let lead = 12;
  while (lead < 32 && bytes[word + lead] === 0) lead++;
  if (lead !== 12 && lead !== 20) return false;
  for (let i = lead; i < 32; i++) if (bytes[word + i] !== 0xff) return false;
  return true;
}

export function isZero(bytes: Uint8Array, word: number, length = 32): boolean {
  for (let i = 0; i < length; i++) if (bytes[word + i] !== 0) return false;
  return true;
}
