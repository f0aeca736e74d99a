/** Drizzle and pg as the control store uses them. */
export { and, asc, count, desc, eq, gt, gte, inArray, isNull, lt, lte, ne, or, type SQL, sql } from "drizzle-orm";
export { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
export * as pgCore from "drizzle-orm/pg-core";
export { Pool, type Pool as PgPool } from "pg";
