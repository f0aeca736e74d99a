/** Both kinds of control store for a test file: the embedded one, and a PostgreSQL server where one is installed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopEmbedded } from "../../clickhouse/embedded/open.ts";
import { sql } from "../../engine/control/drizzle.ts";
import { type Control, type ControlOptions, openControl } from "../../engine/control/open.ts";
import { noPostgres, startPostgres } from "./postgres.ts";

export interface ControlStore {
  readonly options: ControlOptions;
  remove(): Promise<void>;
}

export interface ControlKind {
  readonly kind: "embedded" | "server";
  /** Why it cannot be tested here. */
  readonly skip: string | undefined;
  start(): Promise<ControlStore>;
}

export const CONTROL_KINDS: readonly ControlKind[] = [
  {
    kind: "embedded",
    skip: undefined,
    async start() {
      const folder = await mkdtemp(join(tmpdir(), "weir-control-"));
      const started = openControl({ folder });
      await started.read((db) => db.execute(sql`SELECT 1`));
      await started.close();
      return {
        options: { folder },
        async remove() {
          await stopEmbedded(folder);
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  },
  {
    kind: "server",
    skip: noPostgres,
    async start() {
      const server = await startPostgres();
      return { options: { url: await server.newUrl() }, remove: () => server.stop() };
    },
  },
];

for (const { kind, skip } of CONTROL_KINDS)
  if (skip !== undefined) process.stderr.write(`skipped: the control store on a ${kind}: ${skip}\n`);

/** An open control store without any table. */
export async function emptyControl(options: ControlOptions): Promise<Control> {
  const control = openControl(options);
  await control.change(async (tx) => {
    await tx.execute(sql.raw("DROP SCHEMA public CASCADE"));
    await tx.execute(sql.raw("CREATE SCHEMA public"));
  });
  return control;
}
