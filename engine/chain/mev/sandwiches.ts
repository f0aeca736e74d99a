/**
 * Sandwich: in one block, on one pool, somebody swaps one way (frontruns), others swap the same way after that at a worse price
 * (victims), and then the first swaps the other way (backruns); the three in different transactions.
 *
 *     frontrun ▲   victim ▲   [frontrun ▲   victim ▲ …]   backrun ▼   [victim ▲   backrun ▼ …]
 *
 * - The same one: who got the frontrun's tokens pays the backrun, followed through further pools of the transaction; or one account
 *   sent both; or one contract was called for both and sold to the unit what it had bought. Pools and routers are nobody.
 * - It may begin with a sale of what it had before (inventory) and end with buying that back.
 * - Layers around the same victims are one sandwich with several front- or backruns; how many victims or layers does not matter.
 *   A position ends where what was bought is sold but for 1 %; what is sold beyond it may be the frontrun of another sandwich.
 * - An attack over two pools is two sandwiches.
 */
import { hexAt } from "../../frame/readFrame.ts";
import { OFFSET } from "../../frame/schema.ts";
import type { BlockView } from "../blockView.ts";
import type { SandwichFinding } from "../finding.ts";
import type { Address, Confidence, Swap } from "../swap.ts";
import { findTransfers } from "../transfers.ts";
import { alike } from "./cycles.ts";
import { lossesOf } from "./victimLoss.ts";

/**
 * Victims of all sandwiches of a block together; past it none is looked for. 60 million gas are 1,000 swaps at most, and the most that these can
 * be is 111,000: 333 searchers around the same 333 victims. More are invented logs, whose pairs grow with the square of their number.
 */
export const MAX_VICTIMS = 1_000_000;

export interface SandwichOptions {
  readonly isRouter?: (address: Address) => boolean;
}

/** What one searcher did at one pool and has not undone yet. Swaps by their number among the pool's. */
interface Position {
  readonly account: Address;
  readonly senders: Set<Address>;
  readonly tokenIn: Address;
  readonly tokenOut: Address;
  readonly keys: string[];
  readonly fronts: number[];
  readonly backs: number[];
  bought: bigint;
  sold: bigint;
  how: keyof typeof CERTAINTY;
}

const CERTAINTY = {
  account: { confidence: "high", reason: "who was paid by the frontrun pays the backrun" },
  sender: { confidence: "medium", reason: "one account sent frontrun and backrun" },
  contract: { confidence: "medium", reason: "one contract was called for both, and sold exactly what it had bought" },
} as const satisfies Record<string, { confidence: Confidence; reason: string }>;

/** @param swaps of the block, ordered by transaction and log. Nothing of a block that is not complete. */
export function findSandwiches(view: BlockView, swaps: readonly Swap[], options: SandwichOptions = {}) {
  if (!view.complete) return [];
  const people = createPeople(view, swaps, options);
  const findings: SandwichFinding[] = [];
  const budget = { victims: MAX_VICTIMS };
  for (const group of byPoolAndPair(swaps))
    if (group.length > 2) for (const finding of sandwichesOf(group, people, budget)) findings.push(finding);
  return findings.sort((a, b) => a.transaction - b.transaction || a.logIndex - b.logIndex);
}

/** A curve of three tokens is three pools: one searcher's two sides of a pair. */
function byPoolAndPair(swaps: readonly Swap[]): Iterable<Swap[]> {
  const groups = new Map<string, Swap[]>();
  for (const swap of swaps) {
    const { pool, tokenIn, tokenOut } = swap;
    const key = tokenIn < tokenOut ? `${pool}${tokenIn}${tokenOut}` : `${pool}${tokenOut}${tokenIn}`;
    const group = groups.get(key);
    if (group) group.push(swap);
    else groups.set(key, [swap]);
  }
  return groups.values();
}

/** Victims that may still be found in this block. */
type Budget = { victims: number };

function sandwichesOf(swaps: readonly Swap[], people: People, budget: Budget): SandwichFinding[] {
  const found: SandwichFinding[] = [];
  const open = new Map<string, Position>();
  const end = (position: Position): void => {
    for (const key of position.keys) if (open.get(key) === position) open.delete(key);
    const finding = budget.victims > 0 ? conclude(position, swaps, people, budget) : undefined;
    if (finding) found.push(finding);
  };
  const begin = (i: number): void => {
    const swap = swaps[i]!;
    const { sender, contract } = people.of(swap);
    const account = people.payee(swap) ?? sender;
    const keys = [account, `sender ${sender}`, `contract ${contract} ${swap.amountOut}`];
    const position: Position = {
      account,
      senders: new Set([sender]),
      tokenIn: swap.tokenIn,
      tokenOut: swap.tokenOut,
      keys,
      fronts: [i],
      backs: [],
      bought: swap.amountOut,
      sold: 0n,
      how: "account",
    };
    for (const key of keys) {
      const other = open.get(key);
      if (other && other.backs.length > 0) end(other);
      open.set(key, position);
    }
  };

  for (const [i, swap] of swaps.entries()) {
    const { sender, contract } = people.of(swap);
    const payer = people.payer(swap);
    const bySender = open.get(`sender ${sender}`);
    const position =
      opposite((payer && open.get(payer)) || undefined, swap) ??
      opposite(bySender, swap) ??
      opposite(open.get(`contract ${contract} ${swap.amountIn}`), swap);
    if (position) {
      if (payer !== position.account) position.how = position.senders.has(sender) ? "sender" : "contract";
      position.senders.add(sender);
      position.backs.push(i);
      position.sold += swap.amountIn;
      if (position.sold * 100n >= position.bought * 99n) end(position);
      if ((position.sold - position.bought) * 100n > position.bought) begin(i);
      continue;
    }
    const own = open.get(people.payee(swap) ?? "") ?? bySender;
    if (own && own.tokenIn === swap.tokenIn && own.backs.length === 0) {
      own.fronts.push(i);
      own.senders.add(sender);
      own.bought += swap.amountOut;
    } else {
      if (own && own.tokenIn === swap.tokenIn) end(own);
      begin(i);
    }
  }
  for (const position of new Set(open.values())) if (position.backs.length > 0) end(position);
  return found;
}

const opposite = (position: Position | undefined, swap: Swap): Position | undefined =>
  position && position.tokenOut === swap.tokenIn ? position : undefined;

function conclude(
  position: Position,
  swaps: readonly Swap[],
  people: People,
  budget: Budget,
): SandwichFinding | undefined {
  const { account, senders, tokenIn } = position;
  const own = new Set([...position.fronts, ...position.backs].map((i) => swaps[i]!.transaction));
  const victims: number[] = [];
  for (let i = position.fronts[0]! + 1; i < (position.backs.at(-1) ?? 0); i++) {
    const swap = swaps[i]!;
    if (swap.tokenIn !== tokenIn || own.has(swap.transaction)) continue;
    if (people.payee(swap) !== account && !senders.has(people.of(swap).sender)) victims.push(i);
  }
  budget.victims -= victims.length;
  const fronts = position.fronts.filter((i) => i < (victims.at(-1) ?? -1));
  const backs = position.backs.filter((i) => i > (victims[0] ?? Number.POSITIVE_INFINITY));
  if (fronts.length === 0 || backs.length === 0) return undefined;

  const first = swaps[fronts[0]!]!;
  const gains = earned(
    fronts.map((i) => swaps[i]!),
    backs.map((i) => swaps[i]!),
    position.how,
  );
  // Strangers' swaps in different amounts meet at a contract that we do not know for a router.
  if (!gains.balanced && !shareSender(fronts, backs, swaps, people) && !people.keeps(account, first.transaction))
    return undefined;
  const evidence = [...fronts, ...victims, ...backs].map((i) => swaps[i]!.logIndex).sort((a, b) => a - b);
  const ours = new Set([...fronts, ...backs].map((i) => swaps[i]!));
  const span = swaps.slice(fronts[0]!, victims.at(-1)! + 1);
  const losses = lossesOf(span, (swap) => ours.has(swap), swaps[fronts[0]! - 1]);
  const transactions = (list: readonly number[]): number[] => [...new Set(list.map((i) => swaps[i]!.transaction))];
  return {
    kind: "sandwich",
    transaction: first.transaction,
    logIndex: first.logIndex,
    pool: first.pool,
    protocol: first.protocol,
    sandwicher: account,
    frontruns: transactions(fronts),
    victims: transactions(victims),
    backruns: transactions(backs),
    ...gains.finding,
    victimLosses: victims.map((i) => {
      const { transaction, tokenOut } = swaps[i]!;
      return { transaction, token: tokenOut, amount: losses.get(swaps[i]!) ?? null };
    }),
    evidence,
  };
}

/**
 * Out of the backruns less into the frontruns, in the frontruns' token. Where just that came back (inventory: sold first, bought back)
 * the profit is in the other token. Where one side is larger by more than 1 %, only as much of it counts as the other side matches:
 * the rest came from elsewhere (another pool of the attack, say), or was kept.
 */
function earned(fronts: readonly Swap[], backs: readonly Swap[], how: Position["how"]) {
  const sum = (swaps: readonly Swap[], side: "amountIn" | "amountOut"): bigint =>
    swaps.reduce((total, swap) => total + swap[side], 0n);
  const { tokenIn, tokenOut } = fronts[0]!;
  const [put, bought] = [sum(fronts, "amountIn"), sum(fronts, "amountOut")];
  const [sold, got] = [sum(backs, "amountIn"), sum(backs, "amountOut")];
  const { confidence, reason } = CERTAINTY[how];
  const finding = {
    frontrunIn: put,
    frontrunOut: bought,
    backrunIn: sold,
    backrunOut: got,
    profitToken: tokenIn,
    profitAmount: got - put,
    confidence: confidence as Confidence,
    reason: reason as string,
  };
  if (got === put && sold !== bought) {
    finding.profitToken = tokenOut;
    finding.profitAmount = bought - sold;
    finding.reason += "; sold first, bought back";
    return { finding, balanced: true };
  }
  if (alike(bought, sold)) return { finding, balanced: true };
  const matched = lesser(bought, sold);
  finding.profitAmount = (got * matched) / sold - (put * matched) / bought;
  finding.confidence = how === "account" ? "medium" : "low";
  finding.reason += `; bought ${bought}, sold ${sold}: the profit is that of ${matched}`;
  return { finding, balanced: false };
}

function shareSender(
  fronts: readonly number[],
  backs: readonly number[],
  swaps: readonly Swap[],
  people: People,
): boolean {
  const senders = new Set(fronts.map((i) => people.of(swaps[i]!).sender));
  return backs.some((i) => senders.has(people.of(swaps[i]!).sender));
}

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);

interface People {
  of(swap: Swap): { readonly sender: Address; readonly contract: Address };
  /** Who has the tokens after the transaction's further swaps, who had them before; undefined where that is nobody. */
  payee(swap: Swap): Address | undefined;
  payer(swap: Swap): Address | undefined;
  /** Whether at the transaction's end it has most of anything that a swap paid it there: a router has passed it on. */
  keeps(account: Address, transaction: number): boolean;
}

function createPeople(view: BlockView, swaps: readonly Swap[], { isRouter = () => false }: SandwichOptions): People {
  const pools = new Set(swaps.map(({ pool }) => pool));
  const at = new Map<string, Swap>();
  for (const swap of swaps) at.set(`${swap.transaction} ${swap.pool}`, swap);
  const known = new Map<number, { sender: Address; contract: Address }>();
  const follow = (swap: Swap, side: "from" | "to"): Address | undefined => {
    let [address, steps] = [swap[side], 0];
    while (pools.has(address)) {
      const further = at.get(`${swap.transaction} ${address}`);
      if (!further || steps++ === MAX_POOLS) return undefined;
      address = further[side];
    }
    return isRouter(address) ? undefined : address;
  };
  return {
    of({ transaction }) {
      let found = known.get(transaction);
      if (!found) {
        const frame = view.frames[transaction]!;
        found = { sender: hexAt(view, frame + OFFSET.from, 20), contract: hexAt(view, frame + OFFSET.to, 20) };
        known.set(transaction, found);
      }
      return found;
    },
    payee: (swap) => follow(swap, "to"),
    payer: (swap) => follow(swap, "from"),
    keeps(account, transaction) {
      const paid = swaps.filter((swap) => swap.transaction === transaction && swap.to === account);
      return paid.some(({ tokenOut, amountOut }) => {
        let left = 0n;
        // A token's withdrawal is what unwraps it, whichever is the chain's wrapped coin.
        for (const { token, from, to, amount } of findTransfers(view, transaction, tokenOut)) {
          if (token !== tokenOut) continue;
          if (to === account) left += amount;
          if (from === account) left -= amount;
        }
        return left * 2n > amountOut;
      });
    },
  };
}

/** Pools that tokens pass from one to the next: more are a circle. */
const MAX_POOLS = 64;
