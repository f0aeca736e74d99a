/** The API's live streams in a process of their own, and a hub that is filled when the benchmark says so. Run by api.ts with fork(). */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Principal } from "../../api/auth/principal.ts";
import { createEvent } from "../../api/live/event.ts";
import { createHub } from "../../api/live/hub.ts";
import { createLive } from "../../api/live/live.ts";
import { createHealth } from "../../engine/ops/health.ts";
import { createLog } from "../../engine/ops/log.ts";
import { createMetrics } from "../../engine/ops/metrics.ts";

/** As many alerts as that, each to all who listen: `pieces` times `size`, a piece when the one before has gone out. */
export interface Fill {
  readonly pieces: number;
  readonly size: number;
}

const hub = createHub();
const ANYBODY: Principal = { name: "bench", role: "viewer", kind: "token", via: null, id: "bench", userId: null };
const live = createLive({
  hub,
  feed: { start() {}, async *history() {}, async close() {} },
  doorman: {
    admit: async () => ({ principal: ANYBODY }),
    authenticate: async () => ANYBODY,
    mayAsk: async () => undefined,
  },
  stillIs: async () => true,
  health: createHealth(),
  metrics: createMetrics({ defaults: false }),
  log: createLog({ stream: process.stderr }),
  maxConnections: 2_000,
  heartbeatMs: 30_000,
});
const server = createServer().on("upgrade", live.upgrade);
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send!((server.address() as AddressInfo).port);

/** As large as a real one. */
const alert = {
  ...{ id: "0123456789abcdef0123456789abcdef", rule: "whale-transfer", rule_version: 1, severity: "high", ordinal: 0 },
  ...{ message: "12.3 WETH to Uniswap V2: Router", message_raw: "x".repeat(120), chain_id: 1, pending: true },
  ...{ tx_hash: `0x${"5".repeat(64)}`, block_number: null, block_hash: null, status: "pending" },
  ...{
    from_address: `0x${"1".repeat(40)}`,
    to_address: `0x${"2".repeat(40)}`,
    detected_at: "2026-01-01T00:00:00.000Z",
  },
  ...{ source: "tx_raw", partition: 0, offset: "123456", n: 0 },
};

process.on("message", ({ pieces, size }: Fill) => {
  let n = 0;
  function next(piece: number): void {
    if (piece === pieces) return;
    hub.publish(
      Array.from({ length: size }, () =>
        createEvent({
          channel: "alerts",
          type: "alert",
          data: { ...alert, n },
          now: Date.now(),
          place: { lane: "0", at: [n++] },
        }),
      ),
    );
    setTimeout(() => next(piece + 1), 5);
  }
  next(0);
});
process.on("disconnect", () => process.exit());
