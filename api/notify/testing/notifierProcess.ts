/** A process that sends what is due, to be killed: the notifier over the embedded stores of STORE, whose clock began at NOW. */
import { openStore } from "../../../clickhouse/client.ts";
import { openControl } from "../../../engine/control/open.ts";
import { createSecrets } from "../../../engine/control/secrets.ts";
import { createLabelStore } from "../../../engine/label/labels.ts";
import { createLog } from "../../../engine/ops/log.ts";
import { createMetrics } from "../../../engine/ops/metrics.ts";
import { createNotifications } from "../start.ts";
import { notifySettings } from "./settings.ts";

const folder = process.env.STORE!;
const begin = Number(process.env.NOW) - Date.now();
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());

const store = await openStore({ folder });
const control = openControl({ folder });
const { notifier } = createNotifications({
  ...{ store, control, secrets: createSecrets(["k".repeat(32)]), labels: createLabelStore(control) },
  config: {
    kafka: { topics: { txRaw: "tx_raw" } } as never,
    nodes: { silentAfter: { seconds: 300, byChain: {} } },
    notify: notifySettings(),
  },
  log: createLog({ level: "fatal" }),
  metrics: createMetrics({ defaults: false }),
  now: () => new Date(Date.now() + begin),
});
await notifier.run(stop.signal);
await control.close();
await store.close();
