/** Live streams: hub, feed, WebSockets and server-sent events, put together. */
import { messageOf } from "../../engine/ops/errors.ts";
import type { Health } from "../../engine/ops/health.ts";
import type { Log } from "../../engine/ops/log.ts";
import { logSeldom } from "../../engine/ops/logSeldom.ts";
import type { Metrics } from "../../engine/ops/metrics.ts";
import type { WhoIs } from "../auth/whoIs.ts";
import type { Doorman } from "./doorman.ts";
import { createEvent } from "./event.ts";
import type { Feed } from "./feed.ts";
import { createHub, type Hub } from "./hub.ts";
import { createSockets, type SocketOptions } from "./sockets.ts";
import { createSse } from "./sse.ts";
import { createVigil, RECHECK_MS } from "./vigil.ts";

export interface LiveOptions extends Pick<SocketOptions, "every" | "now" | "graphql"> {
  readonly feed: Feed;
  readonly doorman: Doorman;
  readonly stillIs: WhoIs["stillIs"];
  /** How often it is asked whether those who listen still may. */
  readonly recheckMs?: number | undefined;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly maxConnections: number;
  readonly heartbeatMs: number;
  readonly hub?: Hub;
}

export type Live = ReturnType<typeof createLive>;

/** How often the state of the system is looked at while somebody wants to know. */
const STATUS_MS = 5_000;

export function createLive(options: LiveOptions) {
  const { feed, health, log, now = Date.now, hub = createHub() } = options;
  const vigil = createVigil({ stillIs: options.stillIs, everyMs: options.recheckMs ?? RECHECK_MS, log });
  const sockets = createSockets({ ...options, hub, vigil });
  const sse = createSse({ ...options, hub, vigil });
  feed.start(hub);

  let last = "";
  async function tellStatus(): Promise<void> {
    const { healthy, reasons, components } = await health.report();
    const data = { status: healthy ? "healthy" : "degraded", reasons, components };
    const text = JSON.stringify(data);
    if (text !== last) hub.publish([createEvent({ channel: "status", type: "status", data, now: now() })]);
    last = text;
  }
  const tell = (): void =>
    void tellStatus().catch((error: unknown) =>
      logSeldom(log, "error", { event: "status_failed", reason: messageOf(error) }, "Cannot say how the system is"),
    );
  let telling: NodeJS.Timeout | undefined;
  hub.onWanted((channel, wanted) => {
    if (channel !== "status") return;
    clearInterval(telling);
    telling = wanted ? setInterval(tell, STATUS_MS) : undefined;
    last = "";
    if (wanted) tell();
  });

  return {
    hub,
    upgrade: sockets.upgrade,
    routes: sse.router,
    /** Ends all streams, and the feed. */
    async close(): Promise<void> {
      clearInterval(telling);
      vigil.close();
      sse.close();
      await sockets.close();
      await feed.close();
    },
  };
}
