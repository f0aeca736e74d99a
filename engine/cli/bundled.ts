import { fileURLToPath } from "node:url";

/** The recording that comes with us, wherever the command was called. */
export const BUNDLED_RECORDING = fileURLToPath(new URL("../../test/recordings/dex.ndjson.gz", import.meta.url));
