import { createRoute, z } from "@hono/zod-openapi";
import { LABEL_LIMITS, labelBody } from "../../engine/label/label.ts";
import type { OwnedLabel } from "../../engine/label/labels.ts";
import { type LabelProblem, readLabels } from "../../engine/label/labelText.ts";
import { by } from "../auth/guard.ts";
import { readBody } from "../body.ts";
import type { ApiDeps } from "../deps.ts";
import { withETag } from "../list.ts";
import { addressText, chain, optional, paging, query, safeInteger, wordText } from "../parameters.ts";
import { bodyErrors, invalid, problem, refuse } from "../problem.ts";
import { COMMON_PROBLEMS, createRouter, json, problemResponse } from "../router.ts";

const MAX_BODY = 4_096;

export const labelSchema = z
  .object({
    chain_id: z.int(),
    address: z.string(),
    name: z.string().openapi({ example: "Uniswap V2: Router" }),
    symbol: z.string().nullable().openapi({ description: "of a token: stands behind its amounts" }),
    decimals: z.int().nullable().openapi({ description: "of a token: digits of an amount that are behind the point" }),
    source: z.enum(["bundled", "user"]).openapi({ description: "a user's comes before a bundled one" }),
    owner: z.string().nullable(),
    updated_at: z.string().nullable(),
  })
  .openapi("Label");

export const labelsSetSchema = z
  .object({
    added: z.int(),
    changed: z.int().openapi({ description: "that were there, whether or not they said the same" }),
  })
  .openapi("LabelsSet");

const auditSchema = z
  .object({ at: z.string(), who: z.string(), action: z.string(), before: z.unknown(), after: z.unknown() })
  .openapi("LabelAudit");

const PATH = "/api/v1/labels/{chain_id}/{address}";
const TAGS = { tags: ["labels"] };
const placeSchema = z.object({
  chain_id: safeInteger.openapi({ param: { description: "EIP-155 chain" }, example: "1" }),
  address: addressText.openapi({ example: "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2" }),
});
const PROBLEMS = {
  400: problemResponse("Wrong parameters"),
  503: problemResponse("The control store cannot be reached"),
  ...COMMON_PROBLEMS,
};
const CHANGE_PROBLEMS = {
  ...PROBLEMS,
  409: problemResponse("There would be too many labels"),
  413: problemResponse("The body is too large"),
  415: problemResponse("The body is of another type"),
};

const list = createRoute({
  ...{ method: "get", path: "/api/v1/labels", ...TAGS },
  summary: "What addresses are called: bundled labels, then users', each by chain and address",
  request: {
    query: query({ ...chain, q: optional(wordText(64), "part of the name or symbol, in any case"), ...paging() }),
  },
  responses: { 200: json(z.array(labelSchema), "Labels"), ...PROBLEMS },
});

const one = createRoute({
  ...{ method: "get", path: PATH, ...TAGS },
  summary: "What an address is called",
  request: { params: placeSchema },
  responses: { 200: json(labelSchema, "The label"), 404: problemResponse("It has none"), ...PROBLEMS },
});

const audit = createRoute({
  ...{ method: "get", path: `${PATH}/audit`, ...TAGS },
  summary: "What was said of an address and by whom, the last first",
  request: { params: placeSchema },
  responses: { 200: json(z.array(auditSchema), "Entries, at most 100"), ...PROBLEMS },
});

const put = createRoute({
  ...{ method: "put", path: PATH, ...TAGS },
  summary: "Say what an address is called",
  description:
    "With symbol and decimals it is a token, and its amounts read well. Alerts are shown so from now on, old ones too; no rule sees it.",
  request: {
    params: placeSchema,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .object({ name: z.string(), symbol: z.string().optional(), decimals: z.int().optional() })
            .openapi({ example: { name: "Wrapped Ether", symbol: "WETH", decimals: 18 } }),
        },
      },
    },
  },
  responses: { 200: json(labelSchema, "The label"), ...CHANGE_PROBLEMS },
});

const importMany = createRoute({
  ...{ method: "post", path: "/api/v1/labels", ...TAGS },
  summary: "Say what many addresses are called: all of them, or none",
  description: `CSV with a header of chain_id,address,name,symbol,decimals (address and name at least; the chain is 1 where it is not said), or a JSON array of
such objects. At most ${LABEL_LIMITS.import} at a time, ${LABEL_LIMITS.labels} in all.`,
  request: {
    body: {
      required: true,
      content: {
        "text/csv": { schema: z.string() },
        "application/json": { schema: z.array(z.object({ address: z.string(), name: z.string() }).loose()) },
      },
    },
  },
  responses: {
    200: json(labelsSetSchema, "How many were new"),
    ...CHANGE_PROBLEMS,
    400: problemResponse("Each line that is no label, and what was expected"),
  },
});

const remove = createRoute({
  ...{ method: "delete", path: PATH, ...TAGS },
  summary: "Forget what a user has called an address; a bundled label shows again",
  request: { params: placeSchema },
  responses: {
    200: json(labelSchema, "The label that is gone"),
    ...CHANGE_PROBLEMS,
    404: problemResponse("No user has labelled it"),
  },
});

export function labelRoutes({ labels, log }: Pick<ApiDeps, "labels" | "log">) {
  const router = createRouter();
  const find = async (of: { chain_id: number; address: string }) => {
    const found = await labels.find([{ chainId: of.chain_id, address: of.address }]);
    return [...found.values()][0];
  };

  // Registered for the docs, answered by plain handlers: their own words say more than a schema's.
  router.openAPIRegistry.registerPath(put);
  router.put(PATH.replace("{chain_id}", ":chain_id").replace("{address}", ":address"), async (c) => {
    const place = placeSchema.safeParse(c.req.param());
    const body = jsonOf(await readBody(c, "the label", "application/json", MAX_BODY));
    const said = labelBody.safeParse(body);
    if (!place.success || !said.success) {
      return invalid(c, bodyErrors([...(place.error?.issues ?? []), ...(said.error?.issues ?? [])]));
    }
    const { chain_id: chainId, address } = place.data;
    await labels.set([{ chainId, address, ...said.data }], by(c));
    log.info({ event: "label_set", chain_id: chainId, address, ...said.data }, "Labelled an address");
    return c.json(toLabel((await find(place.data))!), 200);
  });

  router.openAPIRegistry.registerPath(importMany);
  router.post("/api/v1/labels", async (c) => {
    const isCsv = c.req.header("content-type")?.toLowerCase().startsWith("text/csv") ?? false;
    const type = isCsv ? "text/csv" : "application/json";
    const text = Buffer.from(await readBody(c, "the labels", type, LABEL_LIMITS.importBytes)).toString("utf8");
    const read = readLabels(text, isCsv ? "csv" : "json");
    if (!read.ok) return problem(c, 400, describe(read.problems), { errors: read.problems.map(asError) });
    const made = await labels.set(read.labels, by(c));
    log.info({ event: "labels_imported", ...made }, "Labelled addresses");
    return c.json(made, 200);
  });

  return router
    .openapi(list, async (c) => {
      const { chain_id, chainId, q, limit = 100, offset = 0 } = c.req.valid("query");
      const found = await labels.list({ chainId: chain_id ?? chainId, text: q }, { limit, offset });
      return withETag(c, found.map(toLabel));
    })
    .openapi(one, async (c) => {
      const label = await find(c.req.valid("param"));
      if (!label) throw refuse(404, "Label not found");
      return withETag(c, toLabel(label));
    })
    .openapi(audit, async (c) => {
      const { chain_id: chainId, address } = c.req.valid("param");
      const entries = await labels.audit({ chainId, address }, 100);
      return withETag(
        c,
        entries.map(({ at, who, action, before, after }) => ({ at: at.toISOString(), who, action, before, after })),
      );
    })
    .openapi(remove, async (c) => {
      const { chain_id: chainId, address } = c.req.valid("param");
      const gone = await labels.remove({ chainId, address }, by(c));
      if (!gone) throw refuse(404, "No user has labelled this address");
      log.info({ event: "label_removed", chain_id: chainId, address }, "Removed a label");
      return c.json(toLabel(gone), 200);
    });
}

const toLabel = ({ chainId, updatedAt, ...label }: OwnedLabel): z.infer<typeof labelSchema> => ({
  chain_id: chainId,
  ...label,
  updated_at: updatedAt?.toISOString() ?? null,
});

/** undefined, which no schema takes, where it is no JSON. */
function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}

const asError = ({ place, message }: LabelProblem) => ({ parameter: place, detail: message });

const describe = (problems: readonly LabelProblem[]): string =>
  `Cannot read the labels: ${problems.map(({ place, message }) => `${place}: ${message}`).join("; ")}`.slice(0, 4_096);
