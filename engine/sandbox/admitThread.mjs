import { importEntry } from "../thread.mjs";

await importEntry("engine/sandbox/admitThread");
