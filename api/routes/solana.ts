import { createRoute, z } from "@hono/zod-openapi";
import { SOLANA_TRANSACTIONS, type SolanaListRow, solanaConditions } from "../../clickhouse/queries/solanaTransactions.ts"; // biome-ignore format: one import
import { signatureText } from "../../engine/solana/record.ts";
import type { ApiDeps } from "../deps.ts";
import { answerList, readPage, withETag } from "../list.ts";
import { decimalText, listParameters, optional, query } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, json, LIST_HEADERS, problemResponse } from "../router.ts";
import { type SolanaBody, solanaBody, solanaTransactionSchema } from "../solanaTransaction.ts";

const list = createRoute({
  method: "get",
  path: "/api/v1/transactions/solana",
  tags: ["data"],
  summary: "Arbitrages on Solana, newest first, as their collectors put them on the topic arbitrage-transactions",
  description: "A transaction that was told several times is in it once, as it was told last.",
  request: {
    query: query({
      min_revenue_sol: optional(decimalText, "took in at least this, SOL"),
      ...listParameters(SOLANA_TRANSACTIONS),
    }),
  },
  responses: {
    200: { ...json(z.array(solanaTransactionSchema), "Transactions"), headers: LIST_HEADERS },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

const one = createRoute({
  method: "get",
  path: "/api/v1/transactions/solana/{signature}",
  tags: ["data"],
  summary: "One arbitrage on Solana",
  request: { params: z.object({ signature: signatureText.describe("base58") }) },
  responses: {
    200: json(solanaTransactionSchema, "The transaction"),
    400: problemResponse("Not a signature"),
    404: problemResponse("No such transaction"),
    ...DATABASE_PROBLEMS,
  },
});

export function solanaRoutes({ store }: Pick<ApiDeps, "store">) {
  return createRouter()
    .openapi(list, (c) => {
      const { min_revenue_sol: minRevenue, ...rest } = c.req.valid("query");
      const conditions = solanaConditions({ ...rest, minRevenue });
      return answerList<SolanaListRow, SolanaBody>(c, store, SOLANA_TRANSACTIONS, conditions, rest, (rows) =>
        rows.map(toBody),
      );
    })
    .openapi(one, async (c) => {
      const { signature } = c.req.valid("param");
      const conditions = solanaConditions({ signature });
      const { rows: [row] } = await readPage<SolanaListRow>(store, SOLANA_TRANSACTIONS, conditions, { limit: 1, offset: 0 }); // biome-ignore format: one line
      if (!row) throw refuse(404, "Transaction not found");
      return withETag(c, toBody(row));
    });
}

/** Without the cursor, which is the list's. */
const toBody = ({ cursor: _, ...row }: SolanaListRow): SolanaBody => solanaBody(row);
