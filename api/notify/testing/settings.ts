import { LOOPBACK } from "../../../engine/access/ranges.ts";
import { loadConfig } from "../../../engine/ops/config.ts";

/** Settings of notifications in tests: nothing of the environment's, and servers on loopback may be reached. */
export const notifySettings = () => ({
  ...loadConfig({ env: {} }).config.notify,
  perHour: 1_000,
  maxRetries: 3,
  allowedRanges: [...LOOPBACK],
  smtp: undefined,
});
