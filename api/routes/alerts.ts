import { createRoute, z } from "@hono/zod-openapi";
import {
  ALERT_STATUSES,
  ALERTS,
  type AlertFilter,
  type AlertRow,
  alertConditions,
} from "../../clickhouse/queries/alerts.ts";
import { SEVERITIES } from "../../engine/sandbox/manifest.ts";
import type { ApiDeps } from "../deps.ts";
import { createMessageReader } from "../labelledMessages.ts";
import { answerList, type Listing, readPage, withETag } from "../list.ts";
import { toNumber } from "../numbers.ts";
import {
  addressText,
  chain,
  hashText,
  listParameters,
  optional,
  query,
  severityText,
  shareText,
  wordText,
} from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, LIST_HEADERS, problemResponse } from "../router.ts";

export const alertSchema = z
  .object({
    id: z
      .string()
      .openapi({ description: "hash of rule, version, chain, transaction, block and ordinal: the same on a replay" }),
    rule: z.string(),
    rule_version: z.int(),
    severity: z.enum(SEVERITIES),
    message: z.string().openapi({
      description: "amounts and addresses that the rule has marked read as they are labelled now",
      example: "12.3 WETH to Uniswap V2: Router",
    }),
    message_raw: z.string().openapi({
      description: "as the rule wrote it, exact, with its marks",
      example:
        "{12300000000000000000 of 0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2} to {0x7a250d5630b4cf539739df2c5dacb4c659f2488d}",
    }),
    chain_id: z.int(),
    tx_hash: z.string(),
    from_address: z.string(),
    to_address: z.string().nullable(),
    pending: z.boolean(),
    status: z.enum(ALERT_STATUSES).openapi({
      description:
        "pending: its transaction is not in a block yet; provisional: the chain may still replace its block; retracted: it did, so what the alert says has not happened; confirmed: it will not",
    }),
    block_number: z.int().nullable(),
    block_hash: z.string().nullable(),
    ordinal: z.int().openapi({ description: "counts the alerts of one rule for one transaction" }),
    detected_at: z.string(),
    source: z.string(),
    partition: z.int(),
    offset: z.string(),
    n: z.int(),
  })
  .openapi("Alert");

export const alertParameters = query({
  ...chain,
  rule: optional(wordText(), "name of the rule"),
  severity: optional(severityText, "exactly this severity"),
  status: optional(z.enum(ALERT_STATUSES), "whether what the alert says holds"),
  tx_hash: optional(hashText, "transaction hash"),
  address: optional(addressText, "sender or recipient of the transaction"),
  min_confidence: optional(
    shareText,
    "from 0 to 1, for clients of news feeds: what a rule raised is certain, so all alerts pass",
    "0.7",
  ),
  ...listParameters(ALERTS),
});

const list = createRoute({
  method: "get",
  path: "/api/v1/alerts",
  tags: ["data"],
  summary: "What rules raised, newest first",
  description:
    "Alerts come of rules and transactions alone, so that a replay gives the same ones: there is no POST of alerts by hand, as news monitors have it. " +
    "POST /api/v1/notifications/channels/{name}/test tries a channel.",
  request: {
    query: alertParameters,
  },
  responses: {
    200: {
      description: "Alerts",
      headers: LIST_HEADERS,
      content: { "application/json": { schema: z.array(alertSchema) } },
    },
    400: problemResponse("Wrong parameters"),
    ...DATABASE_PROBLEMS,
  },
});

export const alertIdText = z
  .string()
  .regex(/^[0-9a-fA-F]{32}$/, "Expected an alert's id: 32 hexadecimal digits")
  .transform((text) => text.toLowerCase());

const one = createRoute({
  method: "get",
  path: "/api/v1/alerts/{id}",
  tags: ["data"],
  summary: "One alert",
  request: { params: z.object({ id: alertIdText }) },
  responses: {
    200: { description: "The alert", content: { "application/json": { schema: alertSchema } } },
    400: problemResponse("Not an alert's id"),
    404: problemResponse("No such alert"),
    ...DATABASE_PROBLEMS,
  },
});

/** Alerts with what is asked of them. Messages are filled in with the labels of now. */
export function createAlertListing({ labels, log }: Pick<ApiDeps, "labels" | "log">) {
  const read = createMessageReader(labels, log);
  const encode = async (rows: readonly AlertRow[]): Promise<AlertBody[]> => {
    const messages = await read(rows.map(({ chain_id, message }) => ({ chainId: Number(chain_id), message })));
    return rows.map((row, i) => toAlert(row, messages[i]!));
  };
  return ({ chain_id, chainId, tx_hash, ...rest }: AskedAlerts): Listing<AlertRow, AlertBody> => ({
    list: ALERTS,
    conditions: alertConditions({ ...rest, chainId: chain_id ?? chainId, txHash: tx_hash }),
    encode,
  });
}

type AskedAlerts = Partial<z.output<typeof alertParameters>> & Pick<AlertFilter, "id">;

export function alertRoutes({ store, ...deps }: Pick<ApiDeps, "store" | "labels" | "log">) {
  const listing = createAlertListing(deps);
  return createRouter()
    .openapi(list, (c) => {
      const asked = c.req.valid("query");
      const { list, conditions, encode } = listing(asked);
      return answerList(c, store, list, conditions, asked, encode);
    })
    .openapi(one, async (c) => {
      const { list, conditions, encode } = listing(c.req.valid("param"));
      const { rows } = await readPage<AlertRow>(store, list, conditions, { limit: 1, offset: 0 });
      const [alert] = await encode(rows);
      if (!alert) throw refuse(404, "Alert not found");
      return withETag(c, alert);
    });
}

type AlertBody = z.infer<typeof alertSchema>;

/** Member by member: with spreads in it, of a row or of others, a list of 100 takes 1 ms and not 0.01. */
export const toAlert = (row: AlertRow, message: string): AlertBody => ({
  id: row.id,
  rule: row.rule,
  rule_version: row.rule_version,
  severity: row.severity as AlertBody["severity"],
  message,
  message_raw: row.message,
  chain_id: Number(row.chain_id),
  tx_hash: row.tx_hash,
  from_address: row.from_address,
  to_address: row.to_address,
  pending: row.block_number === null,
  status: row.status,
  block_number: toNumber(row.block_number),
  block_hash: row.block_hash,
  ordinal: row.ordinal,
  detected_at: row.detected_at,
  source: row.source,
  partition: row.partition,
  offset: row.offset,
  n: row.n,
});
