/** Two more ways to a list of transactions: by dates, and by whatever one has in hand. */
import { createRoute, z } from "@hono/zod-openapi";
import { commonConditions, equal, equalHex } from "../../clickhouse/queries/list.ts";
import { TRANSACTIONS } from "../../clickhouse/queries/transactions.ts";
import type { Condition } from "../../clickhouse/queries/types.ts";
import type { ApiDeps } from "../deps.ts";
import { chain, listParameters, optional, query, timeText, wordText } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter } from "../router.ts";
import { DAY_MS } from "../statistics/fields.ts";
import { answerTransactions, answerTransactionsWhere, LIST_RESPONSES, transactionParameters } from "./transactions.ts";

const { since: _since, until: _until, ...paging } = listParameters(TRANSACTIONS);

/** A time is where it ends; a date is a day that belongs to it. */
const endText = z.string().transform((text, ctx) => {
  const read = timeText.safeParse(text);
  if (read.success) return new Date(read.data.getTime() + (z.iso.date().safeParse(text).success ? DAY_MS : 0));
  ctx.addIssue({ code: "custom", message: read.error.issues[0]!.message });
  return z.NEVER;
});

const historical = createRoute({
  method: "get",
  path: "/api/v1/historical",
  tags: ["data"],
  summary: "Transactions of a range of dates, newest first",
  description: "As /api/v1/transactions, which has since and until for the same. Arbitrages alone with strategy, min_swaps, min_profit or definition.", // biome-ignore format: a sentence
  request: {
    query: query({
      start: timeText.openapi({ param: { description: "from this time or day on, UTC" }, example: "2024-01-01" }),
      end: optional(endText, "before this time, or through this day; now by default", "2024-01-31"),
      ...transactionParameters,
      ...paging,
    }).refine(({ start, end }) => end === undefined || start < end, {
      path: ["end"],
      message: "Expected a time after start",
    }),
  },
  responses: LIST_RESPONSES,
});

const search = createRoute({
  method: "get",
  path: "/api/v1/search/transactions",
  tags: ["data"],
  summary: "Transactions by hash, address, height, or part of a name",
  description:
    "q is 0x and 64 digits: a transaction's hash; 0x and 40: sender or recipient; a number: a block; else a tag, or part of the name or symbol of a labelled address that sent or received it. since and until make it faster.",
  request: {
    query: query({
      q: wordText(128).openapi({ param: { description: "what is looked for" }, example: `0x${"12".repeat(20)}` }),
      ...chain,
      ...listParameters(TRANSACTIONS),
    }),
  },
  responses: LIST_RESPONSES,
});

/** Labels that a name may stand for: beyond, it is too short. */
const MAX_NAMED = 1000;

export function findTransactionRoutes({ store, labels }: Pick<ApiDeps, "store" | "labels">) {
  async function conditionOf(q: string, chainId: number | undefined): Promise<Condition[]> {
    if (/^0x[0-9a-f]{64}$/i.test(q)) return equalHex("hash", q);
    if (/^0x[0-9a-f]{40}$/i.test(q)) return [sentOrReceived(q)];
    if (/^0x[0-9a-f]*$/i.test(q))
      throw refuse(400, `Invalid q: it has ${q.length - 2} digits, expected 64 of a hash or 40 of an address`);
    if (/^\d{1,15}$/.test(q)) return equal("block_number", "UInt64", Number(q));
    const named = await labels.list({ chainId, text: q }, { limit: MAX_NAMED + 1, offset: 0 });
    if (named.length > MAX_NAMED)
      throw refuse(400, `Invalid q: more than ${MAX_NAMED} labelled addresses have it in their name, expected more of it`); // biome-ignore format: one line
    return [taggedOrNamed(q, named)];
  }

  return createRouter()
    .openapi(historical, (c) => {
      const { start: since, end: until, ...rest } = c.req.valid("query");
      return answerTransactions(c, store, { ...rest, since, until });
    })
    .openapi(search, async (c) => {
      const { q, chain_id, chainId = chain_id, since, until, ...page } = c.req.valid("query");
      const conditions = [...commonConditions({ chainId, since, until }, "event_time"), ...(await conditionOf(q, chainId))]; // biome-ignore format: one line
      return answerTransactionsWhere(c, store, conditions, page);
    });
}

const sentOrReceived = (address: string): Condition => ({
  sql: "t.from_address = unhex({address:String}) OR t.to_address = unhex({address:String})",
  params: { address: address.slice(2) },
});

/** An address has another name on another chain. */
function taggedOrNamed(tag: string, named: readonly { chainId: number; address: string }[]): Condition {
  const any =
    "(SELECT named.1, unhex(named.2) FROM (SELECT arrayJoin(arrayZip({chains:Array(UInt64)}, {addresses:Array(String)})) AS named))";
  return {
    sql: `has(t.tags, {tag:String}) OR (t.chain_id, t.from_address) IN ${any}
    OR t.to_address IS NOT NULL AND (t.chain_id, assumeNotNull(t.to_address)) IN ${any}`,
    params: {
      tag,
      chains: named.map(({ chainId }) => chainId),
      addresses: named.map(({ address }) => address.slice(2)),
    },
  };
}
