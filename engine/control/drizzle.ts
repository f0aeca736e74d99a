/**
 * Drizzle and pg, as CommonJS: of the 450 ms of CPU that their several hundred ES modules cost at the start of every command,
 * 240 are left.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const { drizzle } = require("drizzle-orm/node-postgres") as typeof import("drizzle-orm/node-postgres");
export const { and, asc, desc, eq, gt, inArray, lt, ne, or, sql } =
  require("drizzle-orm") as typeof import("drizzle-orm");
export const pgCore = require("drizzle-orm/pg-core") as typeof import("drizzle-orm/pg-core");
export const { Pool } = require("pg") as typeof import("pg");
export type { SQL } from "drizzle-orm";
export type { NodePgDatabase } from "drizzle-orm/node-postgres";
export type { Pool as PgPool } from "pg";
