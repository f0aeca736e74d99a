import { importEntry } from "../../engine/thread.mjs";

await importEntry("clickhouse/exports/fileThread");
