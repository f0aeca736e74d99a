/** What routes of statistics share: parameters, whole hours and days, amounts in USD. */
import { z } from "@hono/zod-openapi";
import { DEFINITIONS } from "../../clickhouse/queries/hours.ts";
import { optional } from "../parameters.ts";

export const definitionParameter = optional(
  z.enum(DEFINITIONS, `Expected one of ${DEFINITIONS.join(", ")}`),
  "what an arbitrage is: cycle (default), a closed route of one account; router, two or more swaps through a known router's known method, which takes in ordinary trades",
);

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** Start of the hour or day that a time lies in, UTC. */
export const startOf = (time: Date, unitMs: number): Date => new Date(time.getTime() - (time.getTime() % unitMs));
/** The first start of one at or after a time. */
export const endOf = (time: Date, unitMs: number): Date => startOf(new Date(time.getTime() + unitMs - 1), unitMs);

export const describe = <T extends z.ZodType>(schema: T, description: string) => schema.openapi({ description });
export const usd = (what: string) => describe(z.number(), `${what}, USD`);
export const usdOrNull = (what: string) => describe(z.number().nullable(), `${what}, USD; null where there is none`);
export const usdRaw = (beside: string) => describe(z.string(), `${beside}, exact to a millionth, decimal text`);
