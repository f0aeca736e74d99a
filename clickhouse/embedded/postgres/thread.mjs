import { importEntry } from "../../../engine/thread.mjs";

await importEntry("clickhouse/embedded/postgres/thread");
