import { createRoute, z } from "@hono/zod-openapi";
import { ALERTS, type AlertRow, alertConditions } from "../../clickhouse/queries/alerts.ts";
import {
  blockQuery,
  frameByHashQuery,
  frameByPositionQuery,
  type StoredFrameRow,
} from "../../clickhouse/queries/frames.ts";
import {
  type BatchRow,
  batchQuery,
  batchUpToQuery,
  isWholeQuery,
  stateBeforeQuery,
  worldQuery,
} from "../../clickhouse/queries/ruleState.ts";
import type { Query } from "../../clickhouse/queries/types.ts";
import { createRegistry } from "../../engine/chain/registry/registry.ts";
import { u64AsNumber } from "../../engine/frame/readFrame.ts";
import { OFFSET } from "../../engine/frame/schema.ts";
import { correlationId } from "../../engine/ops/correlationId.ts";
import { UserError } from "../../engine/ops/errors.ts";
import type { LiveRule } from "../../engine/rules/liveRule.ts";
import { SEVERITIES } from "../../engine/sandbox/manifest.ts";
import { type StateLine, stateKey, stateOfLines } from "../../engine/sink/stateLog.ts";
import { shapeOf } from "../../engine/state/declaration.ts";
import { restoreTable, type StateTable } from "../../engine/state/stateTable.ts";
import type { Decoded } from "../../engine/worker/decode.ts";
import { explainRule } from "../../engine/worker/explainRule.ts";
import { createStoredBatches } from "../../engine/worker/storedBatch.ts";
import { createFactStage, wantsFacts } from "../../engine/worker/withFacts.ts";
import { baselinesOf, type Lists, listsOf, NO_LISTS } from "../../engine/world/world.ts";
import type { ApiDeps } from "../deps.ts";
import { createMessageReader } from "../labelledMessages.ts";
import { READ_SETTINGS, readPage, withETag } from "../list.ts";
import { chain, hashText, optional, query } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { createRouter, DATABASE_PROBLEMS, problemResponse } from "../router.ts";
import { alertIdText } from "./alerts.ts";
import { ruleNameSchema } from "./rules.ts";

export const explanationSchema = z
  .object({
    rule: z.string(),
    version: z.int(),
    correlation_id: z.string().openapi({
      description:
        "where the transaction came in: topic, or recording, partition, offset, and which of a record of several it is; log lines and deliveries have it, too",
      example: "tx_raw/3/41000/0",
    }),
    tx_hash: z.string(),
    block_number: z.string().nullable(),
    sees: z.boolean().openapi({ description: "the condition holds, so the rule is shown the transaction" }),
    why_not: z.string().nullable().openapi({
      description: "the first comparison that failed, with the value it met",
      example: "value gte 100: it is 7",
    }),
    condition: z.looseObject({ holds: z.boolean() }).openapi({
      description:
        "every comparison: and, or, not, or field, operator, value with what the transaction has (actual), of a list which of it is in there (in_list); of an event or a call: match, where, and the log that is so or comes nearest (log_index)",
    }),
    alerts: z
      .array(z.object({ severity: z.enum(SEVERITIES), message: z.string() }))
      .openapi({ description: "with amounts and addresses as they are labelled now" }),
    tags: z.array(z.string()),
    score: z.number().nullable(),
    failure: z.object({ reason: z.string(), detail: z.string() }).nullable(),
    lists: z
      .array(z.object({ list: z.string(), entry: z.string(), has: z.boolean() }))
      .openapi({ description: "what the rule's code asked of lists, and the answers" }),
    lists_of: z.enum(["then", "now"]).nullable().openapi({
      description:
        "which lists were asked: those that the transaction's batch ran with, or, where these are gone, as they are now; null: none",
    }),
    state: z
      .object({
        known: z.boolean().openapi({
          description:
            "it is exactly what the rule remembered then; false: what is left of it, `why` says what is missing",
        }),
        why: z.string(),
        asked: z
          .array(
            z.object({ name: z.string(), key: z.string(), action: z.enum(["get", "add", "set"]), answer: z.string() }),
          )
          .openapi({ description: "what the rule's code asked of its counters and windows, and the answers" }),
      })
      .nullable()
      .openapi({ description: "null: the rule declares none" }),
    fuel: z.int().openapi({ description: "what the rule used for it" }),
  })
  .openapi("Explanation");

const answers = {
  200: { description: "The explanation", content: { "application/json": { schema: explanationSchema } } },
  400: problemResponse("Wrong parameters"),
  ...DATABASE_PROBLEMS,
};

const ofRule = createRoute({
  method: "get",
  path: "/api/v1/rules/{name}/explain",
  tags: ["rules"],
  summary: "What a rule makes of a stored transaction, and why, or why not",
  description:
    "The rule runs once more, in its sandbox. Of several sightings of a transaction it is the last: mined, if it is.",
  request: {
    params: ruleNameSchema,
    query: query({
      tx_hash: hashText.openapi({ param: { description: "which transaction" } }),
      version: optional(
        z
          .string()
          .regex(/^[1-9]\d{0,9}$/, "Expected a version: 1 or more")
          .transform(Number),
        "which version; the one that runs, or would, by default",
      ),
      ...chain,
    }),
  },
  responses: { ...answers, 404: problemResponse("No such rule, version or transaction") },
});

const ofAlert = createRoute({
  method: "get",
  path: "/api/v1/alerts/{id}/explain",
  tags: ["data"],
  summary: "Why an alert was raised: its rule's version of then, on the very sighting that it is about",
  request: { params: z.object({ id: alertIdText }) },
  responses: { ...answers, 404: problemResponse("No such alert, or its transaction is gone") },
});

/** Worlds are kept for 30 days. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
}

interface Past {
  readonly rows: readonly StoredFrameRow[];
  readonly past: readonly StateTable[] | undefined;
  readonly known: boolean;
  readonly why: string;
}

export function explainRoutes({ rules, store, labels, log }: Pick<ApiDeps, "rules" | "store" | "labels" | "log">) {
  const read = createMessageReader(labels, log);
  const batchOf = createStoredBatches();

  async function explanation(
    name: string,
    version: number,
    transaction: Query,
  ): Promise<z.infer<typeof explanationSchema>> {
    const [row] = await store.rows<StoredFrameRow>(transaction.sql, transaction.params, READ_SETTINGS);
    if (!row) throw refuse(404, "Transaction not found");
    const rule = await rules.version(name, version);
    const { lists, lists_of } = await listsAt(rule, row);
    const { rows, past, known, why } = await stateAt(rule, row);
    const at = rows.length - 1;
    const batch = await withItsFacts(rule, row, rows);
    const made = explainRule(rule, batch, { lists, past, at });
    const chainId = u64AsNumber({ bytes: batch.bytes, u32: batch.words }, batch.frames[at]! + OFFSET.chainId);
    const messages = await read(made.alerts.map(({ message }) => ({ chainId, message })));
    const place = { tx_hash: `0x${row.hash.replace(/^0x/, "")}`, block_number: row.block_number };
    return {
      rule: name,
      version,
      correlation_id: correlationId(row),
      ...place,
      ...made,
      condition: { ...made.condition },
      alerts: made.alerts.map(({ severity }, i) => ({ severity, message: messages[i]! })),
      tags: [...made.tags],
      lists: [...made.lists],
      lists_of,
      state: rule.manifest.state ? { known, why, asked: [...made.state] } : null,
    };
  }

  /** The transactions as frames. Of what a rule asks for facts, those of its block stand behind them, since facts are found in whole blocks. */
  async function withItsFacts(rule: LiveRule, row: StoredFrameRow, rows: readonly StoredFrameRow[]): Promise<Decoded> {
    if (!wantsFacts(rule)) return batchOf(row.source, row.partition, rows);
    const [batch] = await ask<{ world: string }>(worldQuery(row));
    const world = batch?.world ? await rules.worldOf(batch.world).catch(unlessGone) : undefined;
    const there = new Set(rows.map(({ offset, n }) => `${offset} ${n}`));
    const block =
      row.block_hash === null
        ? []
        : await ask<StoredFrameRow>(blockQuery(`0x${row.block_hash.replace(/^0x/, "")}`, row));
    const others = block.filter(({ offset, n }) => !there.has(`${offset} ${n}`));
    const find = createFactStage(
      createRegistry(world?.registry),
      world ? listsOf(world) : NO_LISTS,
      world && baselinesOf(world),
    );
    return find(batchOf(row.source, row.partition, [...rows, ...others]));
  }

  const ask = <T>({ sql, params }: Query): Promise<T[]> => store.rows<T>(sql, params, READ_SETTINGS);

  /** The lists of the transaction's batch, as long as the control store keeps its world. */
  async function listsAt(
    rule: LiveRule,
    row: StoredFrameRow,
  ): Promise<{ lists: Lists; lists_of: "then" | "now" | null }> {
    const uses = rule.manifest.lists ?? [];
    if (uses.length === 0) return { lists: NO_LISTS, lists_of: null };
    const [batch] = await ask<{ world: string }>(worldQuery(row));
    const world = batch?.world ? await rules.worldOf(batch.world).catch(unlessGone) : undefined;
    const then = world && listsOf(world);
    // a rule that did not run then may name lists that its world had not
    if (then && uses.every(({ name, bytes }) => then.get(name)?.bytes === bytes))
      return { lists: then, lists_of: "then" };
    return { lists: await rules.listsFor([rule]), lists_of: "now" };
  }

  /** What the rule remembered before the transaction's batch, and the batch's transactions up to it. */
  async function stateAt(rule: LiveRule, row: StoredFrameRow): Promise<Past> {
    const { name, version, manifest } = rule;
    const unknown = (why: string): Past => ({ rows: [row], past: undefined, known: false, why });
    if (!manifest.state) return unknown("");
    const [batch] = await ask<BatchRow>(batchQuery(name, version, row));
    const first = batch?.first;
    if (first == null) return unknown("this version has not run there: it is shown the transaction without a past");
    const place = { ...row, offset: first };
    const info = rules.get(name);
    const trial = info?.shadowVersion === version && info.liveVersion !== null ? version : 0;
    const lines = await ask<StateLine>(stateBeforeQuery(name, trial, place));
    const whole = batch!.is_first === 1 || (await ask(isWholeQuery(place))).length > 0;
    const stored = stateOfLines(lines);
    const past = manifest.state.map((declaration) => {
      const key = stateKey({ rule: name, trial, name: declaration.name, shape: shapeOf(declaration) });
      return restoreTable(declaration, stored.get(key) ?? new Uint32Array(0));
    });
    const why = whole
      ? ""
      : "older values may have been removed from the log since: a key that was written again begins with nothing";
    return { rows: await ask<StoredFrameRow>(batchUpToQuery(first, row)), past, known: whole, why };
  }

  return createRouter()
    .openapi(ofRule, async (c) => {
      const { name } = c.req.valid("param");
      const { tx_hash, version, chain_id, chainId } = c.req.valid("query");
      const rule = rules.get(name);
      if (!rule) throw refuse(404, "Rule not found");
      if ((version ?? 1) > rule.newestVersion)
        throw refuse(404, `There are versions 1 to ${rule.newestVersion} of the rule`);
      return withETag(
        c,
        await explanation(name, version ?? rule.version, frameByHashQuery(tx_hash, chain_id ?? chainId)),
      );
    })
    .openapi(ofAlert, async (c) => {
      const conditions = alertConditions(c.req.valid("param"));
      const { rows: [alert] } = await readPage<AlertRow>(store, ALERTS, conditions, { limit: 1, offset: 0 }); // biome-ignore format: one line
      if (!alert) throw refuse(404, "Alert not found");
      if (!rules.get(alert.rule)) throw refuse(404, `The alert's rule "${alert.rule}" is not in this catalogue`);
      return withETag(c, await explanation(alert.rule, alert.rule_version, frameByPositionQuery(alert.tx_hash, alert)));
    });
}
