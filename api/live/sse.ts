/**
 * GET /sse/stream: events as a browser's EventSource reads them. Each carries as its id how far its reader has come, so whoever was cut off goes
 * on where it was, here or at another node, without a gap: from the hub, and what that does not have any more from the feed's history.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { principalOf } from "../auth/guard.ts";
import { optional, wordText } from "../parameters.ts";
import { problem } from "../problem.ts";
import { COMMON_PROBLEMS, createRouter, problemResponse } from "../router.ts";
import { type At, bareMessage, CHANNELS, type Channel, type LiveEvent } from "./event.ts";
import type { Feed } from "./feed.ts";
import { readFilters } from "./filters.ts";
import type { Hub, Passes, Reader } from "./hub.ts";
import { compareAt, decodePositions, encodePositions, isBehind, MAX_ID, type Positions } from "./positions.ts";
import type { Vigil } from "./vigil.ts";

export interface SseOptions {
  readonly hub: Hub;
  readonly feed: Feed;
  readonly maxConnections: number;
  readonly heartbeatMs: number;
  readonly vigil: Vigil;
}

const STREAMED = CHANNELS.filter((channel) => channel !== "status" && channel !== "early_alerts");
/** Events that go out as one piece, while there are more. */
const PIECE_BYTES = 32 << 10;

const channelList = z
  .string()
  .max(256)
  .transform((text) => [...new Set(text.split(","))])
  .pipe(z.array(z.enum(STREAMED, `Expected some of ${STREAMED.join(", ")}, with commas between them`)));

const route = createRoute({
  method: "get",
  path: "/sse/stream",
  tags: ["live"],
  summary: "Live events, as an EventSource reads them",
  description:
    "Each event's name is the type of what it tells (alert, transaction, opportunity, mev_opportunity, block, gap, dropped), its data the row as JSON. " +
    "Its id says how far the stream has come: an EventSource that was cut off sends it back in Last-Event-ID, and misses nothing. " +
    "Further parameters are filters: chain_id, rule, severity, min_profit, max_profit, min_swaps, min_value, address …",
  request: {
    query: z
      .object({
        channels: optional(channelList, `some of ${STREAMED.join(", ")}; alerts by default`, "alerts,arbitrages"),
        ticket: optional(
          z.string().max(4_096),
          "of POST /api/v1/auth/ticket, for an EventSource, which sets no headers",
        ),
        last_event_id: optional(z.string().max(MAX_ID), "for clients that cannot set the header Last-Event-ID"),
        on_slow: optional(
          z.enum(["disconnect", "drop"]),
          "what becomes of a client that reads too slowly: its connection ends, to be resumed without a gap, or it misses events and is told how many",
        ),
      })
      .catchall(wordText()),
    headers: z.object({ "last-event-id": z.string().max(MAX_ID).optional() }),
  },
  responses: {
    200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } },
    400: problemResponse("Wrong parameters, or an id that is none of ours"),
    503: problemResponse("At capacity"),
    ...COMMON_PROBLEMS,
  },
});

export function createSse({ hub, feed, maxConnections, heartbeatMs, vigil }: SseOptions) {
  const open = new Set<AbortController>();

  const router = createRouter().openapi(route, (c) => {
    const {
      channels = ["alerts"],
      last_event_id,
      on_slow = "disconnect",
      ticket: _,
      ...filters
    } = c.req.valid("query");
    const passing = readFilters(channels, filters);
    if (typeof passing === "string") return problem(c, 400, passing);
    const id = c.req.valid("header")["last-event-id"] ?? last_event_id ?? "";
    const positions = id === "" ? new Map() : decodePositions(id);
    if (positions === undefined)
      return problem(
        c,
        400,
        `Cannot resume at "${id.slice(0, 100)}": it is no id of this stream. Leave it out to begin now`,
      );
    if (open.size >= maxConnections)
      return problem(c, 503, `At capacity: ${maxConnections} streams. Try again later`, { headers: { "retry-after": "5" } }); // biome-ignore format: one line
    const stop = new AbortController();
    open.add(stop);
    const principal = principalOf(c); // none where no guard stands before it
    if (principal)
      stop.signal.addEventListener(
        "abort",
        vigil.watch(principal, () => stop.abort()),
      );
    const pieces = streamEvents({ hub, feed, heartbeatMs, passing, positions, onSlow: on_slow, signal: stop.signal });
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (!done) return controller.enqueue(encoder.encode(value));
        open.delete(stop);
        stop.abort();
        controller.close();
      },
      async cancel() {
        open.delete(stop);
        stop.abort();
        await pieces.return();
      },
    });
    return c.body(body, 200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" }) as never; // biome-ignore format: one line
  });

  return {
    router,
    get count() {
      return open.size;
    },
    /** Ends all streams. */
    close(): void {
      for (const stop of open) stop.abort();
    },
  };
}

export interface StreamOptions {
  readonly hub: Hub;
  readonly feed: Pick<Feed, "history">;
  readonly heartbeatMs: number;
  /** What is streamed of which channels. */
  readonly passing: ReadonlyMap<Channel, Passes>;
  /** How far the reader has come before; of a channel that is not in it, what comes from now on is streamed. */
  readonly positions: ReadonlyMap<Channel, Positions>;
  readonly onSlow: "disconnect" | "drop";
  readonly signal: AbortSignal;
}

/** Text of the stream, until the signal aborts, or the reader was too slow and loses its connection. */
export async function* streamEvents(options: StreamOptions): AsyncGenerator<string, void, void> {
  const { hub, feed, heartbeatMs, passing, onSlow, signal } = options;
  const read = new Map<Channel, Map<string, At>>();
  for (const channel of passing.keys())
    read.set(channel, new Map(options.positions.get(channel) ?? hub.ring(channel).last));
  const id = (): string => `id: ${encodePositions(read)}\n`;
  const text = (event: LiveEvent): string => `event: ${event.type}\n${id()}data: ${bareMessage(event)}\n\n`;
  /** Whether the reader has not had it and wants it; from here on it has had it. */
  const takes = (event: LiveEvent): boolean => {
    const positions = read.get(event.channel)!;
    const { place } = event;
    if (place && !isBehind(positions, place)) return false;
    if (place) positions.set(place.lane, place.at);
    return passing.get(event.channel)!(event);
  };

  let wake = (): void => {};
  const reader = hub.reader(() => wake());
  try {
    yield `retry: 1000\n${id()}\n`; // without data: no event, but an id to come back with
    for (const [channel, positions] of read) {
      const ring = hub.ring(channel);
      /** Lanes that the hub knows nothing of: another process filled them, before this one began. */
      let unknown = [...positions.keys()].some((lane) => !ring.last.has(lane));
      while (unknown || !covers(ring.gone, positions)) {
        unknown = false;
        const until = new Map(ring.last);
        for await (const events of feed.history(channel, positions, until, signal)) {
          const wanted = events.map((event) => takes(event) && text(event)).filter((each) => each !== false);
          if (wanted.length > 0) yield wanted.join("");
        }
        if (signal.aborted) return;
        for (const [lane, at] of until) if (compareAt(positions.get(lane), at) < 0) positions.set(lane, at);
      }
      reader.subscribe(channel, takes, ring.tail);
    }
    while (!signal.aborted) {
      const piece = nextPiece(reader, text);
      const missed = reader.missed();
      if (missed > 0 && onSlow === "disconnect") return; // its id is that of the last event that it got
      if (missed > 0) yield `event: dropped\n${id()}data: ${JSON.stringify({ count: missed })}\n\n`;
      if (piece !== "") yield piece;
      else if (!(await happens((ready) => (wake = ready), heartbeatMs, signal))) yield `: heartbeat\n${id()}\n`;
    }
  } finally {
    reader.close();
  }
}

/** Whether who has read so far has missed nothing of what is gone. */
const covers = (gone: Positions, read: Positions): boolean =>
  [...gone].every(([lane, at]) => at[0] === -1 || compareAt(read.get(lane), at) >= 0);

function nextPiece(reader: Reader, text: (event: LiveEvent) => string): string {
  let piece = "";
  for (let event = reader.next(); event; event = reader.next()) {
    piece += text(event);
    if (piece.length > PIECE_BYTES) break;
  }
  return piece;
}

/** @returns whether it happened before the time was up, or the signal aborted */
function happens(when: (ready: () => void) => void, ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (happened: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stopped);
      resolve(happened);
    };
    const stopped = (): void => end(true);
    const timer = setTimeout(() => end(false), ms);
    signal.addEventListener("abort", stopped, { once: true });
    when(() => end(true));
  });
}
