/**
 * The API: WebSocket messages to 1,000 clients; how long an alert takes from its record on Kafka to a WebSocket, to a reader of committed
 * records and to a row; lists over HTTP beside a bare Hono route. Load comes at a fixed rate from a process of its own, this one, and waits for nobody: a
 * latency counts from when its request or record was due.
 */
import { UsageError } from "../../engine/ops/errors.ts";
import type { Context, Measured, Scenario } from "../scenario.ts";
import { alertLatency, warmUp } from "./api/alertLatency.ts";
import { fanOut } from "./api/fanOut.ts";
import { lists } from "./api/lists.ts";
import { openApiScene } from "./api/scene.ts";

/** In this order: lists are asked of what the alerts' load has stored. */
const PARTS = ["fan-out", "alerts", "lists"] as const;

export const api: Scenario = {
  name: "api",
  async run(context) {
    const wanted = PARTS.filter((name) => name.includes(context.only));
    if (wanted.length === 0)
      throw new UsageError(`Cannot run "${context.only}": expected a part of ${PARTS.join(", ")}`);
    const measured = [
      ...(wanted.includes("fan-out") ? [await fanOut(context)] : []),
      ...(wanted.some((name) => name !== "fan-out") ? await overKafka(context, wanted) : []),
    ];
    return { checks: measured.flatMap(({ checks }) => checks), figures: measured.flatMap(({ figures }) => figures) };
  },
};

async function overKafka(context: Context, wanted: readonly string[]): Promise<Measured[]> {
  const scene = await openApiScene();
  try {
    const { runs, quick, say } = context;
    const isMeasured = wanted.includes("alerts");
    if (isMeasured) await warmUp(scene, quick);
    // without runs it is one fill
    const load = { perSecond: 10_000, seconds: quick ? 5 : 10, shares: [0.5, 0.99] };
    const alerts = await alertLatency(scene, { ...load, runs: isMeasured ? runs : 0 }, say);
    return wanted.includes("lists") ? [alerts, await lists(scene, context)] : [alerts];
  } finally {
    await scene.close();
  }
}
