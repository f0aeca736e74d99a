/** What can be exported: tables, and named views of them. Columns, types and comments are the store's (columns.ts). */
import { nearest } from "../../engine/ops/config.ts";
import { UserError } from "../../engine/ops/errors.ts";

export interface Dataset {
  readonly name: string;
  readonly table: string;
  readonly description: string;
  /** Over the table as `t`. */
  readonly where?: string;
}

const table = (name: string, description: string): Dataset => ({ name, table: name, description });

export const DATASETS: readonly Dataset[] = [
  table("transactions", "transactions as received, pending sightings and mined ones"),
  {
    name: "pending_transactions",
    table: "transactions",
    where: "t.block_number IS NULL",
    description: "sightings of pending transactions",
  },
  {
    name: "mined_transactions",
    table: "transactions",
    where: "t.block_number IS NOT NULL",
    description: "transactions of blocks",
  },
  table("transfers", "tokens and coin that moved in blocks"),
  table("swaps", "a pool received one token and paid out another"),
  table("arbitrages", "swaps of one transaction that form an arbitrage, by either definition"),
  {
    name: "cycle_arbitrages",
    table: "arbitrages",
    where: "t.definition = 'cycle'",
    description: "closed routes of one account",
  },
  {
    name: "router_arbitrages",
    table: "arbitrages",
    where: "t.definition = 'router'",
    description: "two swaps or more through a known router",
  },
  table("sandwiches", "swaps before and after others' swaps on one pool in one block"),
  table("liquidations", "debts paid for another, who lost collateral"),
  table("jit_liquidity", "liquidity added right before others' swaps and taken out right after"),
  table("failed_attempts", "reverted transactions of known searchers"),
  table("gas_blocks", "fees and gas of blocks"),
  table("opportunities", "arbitrages that could be made"),
  table("alerts", "what rules raised"),
  table("rule_stats", "what each rule did and cost, by batch"),
  table("dead_letters", "records that could not be processed"),
];

/** @throws UserError with the names that there are */
export function datasetOf(name: string): Dataset {
  const found = DATASETS.find((each) => each.name === name);
  if (found) return found;
  const names = DATASETS.map((each) => each.name);
  const near = nearest(name, names);
  throw new UserError(
    `Cannot export "${name.slice(0, 100)}": there is no such dataset, expected one of ${names.join(", ")}`,
    near === undefined ? {} : { next: `Did you mean ${near}?` },
  );
}
