import type { Finding, JitFinding, SandwichFinding } from "../finding.ts";
import { riskScore } from "../risk/factors.ts";
import type { Swap } from "../swap.ts";
import type { FactFlag, SectionName } from "./schema.ts";

/** What was found in a block of a batch. */
export interface FoundInBlock {
  /** Of each transaction of the block: its number in the batch. */
  readonly block: { readonly numbers: readonly number[] };
  readonly findings: readonly Finding[];
}

/** Values of an entry by the schema's names; addresses as hex. undefined: absent. */
export type Entry = Readonly<Record<string, string | number | bigint | undefined>>;

/** What is known of one transaction, as the schema has it. */
export interface TransactionFacts {
  readonly flags: Set<FactFlag>;
  readonly entries: Record<SectionName, Entry[]>;
  /** 0 to 100. */
  risk: number;
}

/**
 * Of each transaction of which something was found, by its number in the batch.
 * @param risks of each transaction, as a mask of factors (../risk/factors.ts)
 */
export function factsOf(found: Iterable<FoundInBlock>, risks: Uint32Array): Map<number, TransactionFacts> {
  const all = new Map<number, TransactionFacts>();
  const of = (number: number): TransactionFacts => {
    let facts = all.get(number);
    if (!facts) all.set(number, (facts = noFacts()));
    return facts;
  };
  for (const { block, findings } of found)
    for (const finding of findings) addFinding(finding, (transaction) => of(block.numbers[transaction]!));
  for (let i = 0; i < risks.length; i++) if (risks[i] !== 0) of(i).risk = riskScore(risks[i]!);
  return all;
}

export const noFacts = (): TransactionFacts => ({
  flags: new Set(),
  risk: 0,
  entries: { swap: [], arbitrage: [], sandwich: [], liquidation: [], jit: [] },
});

function addFinding(finding: Finding, of: (transaction: number) => TransactionFacts): void {
  const { transaction, confidence, logIndex } = finding;
  const add = (to: number, section: SectionName, entry: Entry): void => {
    const { flags, entries } = of(to);
    entries[section].push({ confidence, ...entry });
    if (section !== "swap") flags.add(section);
  };
  switch (finding.kind) {
    case "swap": {
      const { protocol, from, to, tokenIn, tokenOut, amountIn, amountOut } = finding;
      const swap = { protocol, from, to, tokenIn, tokenOut, amountIn, amountOut };
      add(transaction, "swap", { logIndex, ...swap, ...poolOf(finding) });
      break;
    }
    case "arbitrage": {
      if (finding.definition === "router") {
        // it may be an ordinary trade over two pools: a flag says so, and nothing else
        of(transaction).flags.add("routerArbitrage");
        break;
      }
      const { account, profitToken, startAmount, endAmount, profitAmount, route } = finding;
      const amounts = { start: startAmount, end: endAmount, ...profitOrLoss(profitAmount) };
      add(transaction, "arbitrage", { logIndex, hops: route.length, account, token: profitToken, ...amounts });
      break;
    }
    case "sandwich":
      addSandwich(finding, add);
      break;
    case "liquidation": {
      const { protocol, pool, liquidator, user, debtToken, debtAmount, collateralToken, collateralAmount } = finding;
      const amounts = { debtToken, debtAmount, collateralToken, collateralAmount };
      add(transaction, "liquidation", { logIndex, protocol, pool, liquidator, user, ...amounts });
      break;
    }
    case "jit":
      addJit(finding, add);
      break;
    case "attempt":
      of(transaction).flags.add("failedAttempt");
  }
}

type Add = (transaction: number, section: SectionName, entry: Entry) => void;

function addSandwich(finding: SandwichFinding, add: Add): void {
  const { protocol, sandwicher, profitToken, profitAmount } = finding;
  const { profit } = profitOrLoss(profitAmount);
  const common = { protocol, ...poolOf(finding), sandwicher, token: profitToken, profit };
  for (const transaction of finding.frontruns) add(transaction, "sandwich", { role: "frontrun", ...common });
  for (const transaction of finding.victims) {
    const lost = finding.victimLosses.filter((loss) => loss.transaction === transaction);
    if (lost.length === 0) add(transaction, "sandwich", { role: "victim", ...common });
    for (const { token, amount } of lost)
      add(transaction, "sandwich", { role: "victim", ...common, lossToken: token, loss: amount ?? undefined });
  }
  for (const transaction of finding.backruns) add(transaction, "sandwich", { role: "backrun", ...common });
}

function addJit(finding: JitFinding, add: Add): void {
  const { protocol, provider, liquidity } = finding;
  const common = { protocol, ...poolOf(finding), provider, liquidity };
  add(finding.mintTransaction, "jit", { role: "mint", ...common });
  for (const transaction of finding.swapTransactions) add(transaction, "jit", { role: "swap", ...common });
  add(finding.burnTransaction, "jit", { role: "burn", ...common });
}

const ADDRESS_TEXT = 42;

const poolOf = ({ pool }: Pick<Swap, "pool">): Entry =>
  pool.length === ADDRESS_TEXT ? { pool } : { pool: pool.slice(0, ADDRESS_TEXT), poolId: pool };

const profitOrLoss = (amount: bigint | null): { profit?: bigint; loss?: bigint } => {
  if (amount === null) return {};
  return amount < 0n ? { loss: -amount } : { profit: amount };
};
