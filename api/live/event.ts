/** What live streams carry. */

/** What can be subscribed to; protocols have names of their own for some. */
export const CHANNELS = [
  "alerts",
  "early_alerts",
  "transactions",
  "arbitrages",
  "opportunities",
  "mev_opportunities",
  "status",
] as const;
export type Channel = (typeof CHANNELS)[number];

/** One thing that happened, made ready to be sent once, however many clients get it. */
export interface LiveEvent {
  readonly channel: Channel;
  /** As the message's `type` says: alert, transaction, opportunity, mev_opportunity, block, status. */
  readonly type: string;
  /** `{"type":…,"timestamp":…,"data":…}` in UTF-8. */
  readonly message: Buffer;
  /** What is within `data`, for filters. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Where it stands in its channel; undefined: nobody can ask for it again. */
  readonly place: Place | undefined;
  /** Bytes of `message` before the data; behind them there is one brace. */
  readonly head: number;
}

/** Events of a lane come in ascending order of `at`, on every node the same, so that a stream can go on at any of them. */
export interface Place {
  /** A partition of the channel's topic, or a recording. */
  readonly lane: string;
  readonly at: At;
}

/** Compared from left to right: [offset], or [offset, n, count] where a record makes several. */
export type At = readonly number[];

export interface EventParts {
  readonly channel: Channel;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** ms since 1970: when it got here. */
  readonly now: number;
  readonly place?: Place | undefined;
}

export function createEvent({ channel, type, data, now, place }: EventParts): LiveEvent {
  const head = `{"type":${JSON.stringify(type)},"timestamp":"${new Date(now).toISOString()}","data":`;
  return {
    channel,
    type,
    message: Buffer.from(`${head}${JSON.stringify(data)}}`),
    data,
    place,
    head: Buffer.byteLength(head),
  };
}

/** The data alone, as JSON. */
export const bareMessage = ({ message, head }: LiveEvent): Buffer => message.subarray(head, -1);
