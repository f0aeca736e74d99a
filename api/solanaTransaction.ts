import { z } from "@hono/zod-openapi";
import type { SolanaListRow } from "../clickhouse/queries/solanaTransactions.ts";
import { toUnits } from "./numbers.ts";

const describe = <T extends z.ZodType>(schema: T, description: string) => schema.openapi({ description });

/** In seed 003's words. */
export const solanaTransactionSchema = z
  .looseObject({
    chain: z.literal("solana"),
    tx_signature: describe(z.string(), "base58"),
    block_time: z.string(),
    slot: z.int(),
    revenue_sol: describe(z.number(), "what it took in, SOL"),
    revenue_sol_raw: describe(z.string(), "revenue_sol in lamports, decimal text"),
    net_profit_sol: describe(z.number().nullable(), "what was left of it, SOL; null where the record does not say"),
    net_profit_sol_raw: describe(z.string().nullable(), "net_profit_sol in lamports, decimal text"),
  })
  .openapi("SolanaTransaction", {
    description: "An arbitrage on Solana, with whatever else its record says, as the record says it.",
  });
export type SolanaBody = z.infer<typeof solanaTransactionSchema>;

/** A lamport is 10⁻⁹ SOL. */
const SOL = 9;

/** Members of ours come before those of the record that are named alike. */
export function solanaBody(row: Omit<SolanaListRow, "cursor">): SolanaBody {
  const { tx_signature, block_time, slot, revenue_lamports, net_profit_lamports, record } = row;
  return {
    ...(JSON.parse(record) as object),
    chain: "solana",
    tx_signature,
    block_time,
    slot: Number(slot),
    revenue_sol: toUnits(revenue_lamports, SOL),
    revenue_sol_raw: revenue_lamports,
    net_profit_sol: toUnits(net_profit_lamports, SOL),
    net_profit_sol_raw: net_profit_lamports,
  };
}
