import { importEntry } from "../thread.mjs";

export default (await importEntry("engine/worker/entry")).default;
