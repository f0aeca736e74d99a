/**
 * What is to be told, in the control store: put in together with how far the alerts have been read, taken by a sender for a minute, settled.
 *
 *     waiting ──take──▶ sending ──settle──▶ delivered
 *        ▲                 ├──retry, lease over──▶ waiting, sending
 *        │                 └──refused for good, too many attempts──▶ dead ──redeliver──▶ waiting
 *     put in ──▶ suppressed: a silence, sent already, acknowledged before it was due
 *
 * A sender that is killed leaves rows in `sending`; when their lease is over they are sent again, in the same message with the same id: the one
 * case in which somebody gets a message twice.
 */
import type { Control } from "../../engine/control/open.ts";
import type { NotificationState, notifications as table } from "../../engine/control/schema.ts";
import type { Channel } from "./channels.ts";
import type { AlertFacts, MessageKind, Receipt } from "./message.ts";
import { createPutting } from "./outbox/put.ts";
import { createReading } from "./outbox/read.ts";
import { createTaking } from "./outbox/take.ts";
import { rank } from "./policy.ts";
import type { SilenceAlert } from "./silentChannels.ts";

export type NotificationRow = typeof table.$inferSelect;

/** Rows that go out as one message. */
export interface Parcel {
  readonly messageId: string;
  readonly channel: number;
  readonly recipient: string;
  readonly rows: readonly NotificationRow[];
}

export interface Outbox {
  /** Where the alerts of a source have been read up to, by partition. Of a source that is new, what is there already is not told: `heads`. */
  positions(source: string, heads: () => Promise<ReadonlyMap<number, number>>): Promise<ReadonlyMap<number, number>>;
  /**
   * Puts in what the channels are to be told of these alerts, and moves the positions, in one transaction.
   * @param from the positions that the alerts were read from: nothing happens if somebody else has moved them
   * @returns how many rows were put in
   */
  putAlerts(
    source: string,
    alerts: readonly PlacedAlert[],
    from: ReadonlyMap<number, number>,
    channels: readonly Channel[],
    now: Date,
  ): Promise<number>;
  /** Puts in what the channels are to be told of chains that fell silent since the channel was made, and of those that are heard again who was told. */
  putSilences(silent: readonly SilenceAlert[], channels: readonly Channel[], now: Date): Promise<number>;
  /** Alerts of blocks that were replaced: who was told of them is told so. */
  putRetractions(blocks: readonly string[], channels: readonly Channel[], now: Date): Promise<number>;
  /** Blocks of alerts that were told in the last day, as `chain:hash`. */
  toldBlocks(now: Date): Promise<string[]>;
  /** For the channels that are told of troubles, once an hour and channel. */
  putTrouble(of: Channel, text: string, channels: readonly Channel[], now: Date): Promise<void>;
  putTest(channel: Channel, recipients: readonly string[], now: Date): Promise<string[]>;
  /** Takes what is due, for `leaseMs`. */
  take(now: Date, leaseMs: number, most: number): Promise<Parcel[]>;
  /** Messages that a channel, or one of its recipients, was given in the hour before. */
  sentInHour(
    channel: number,
    recipient: string | undefined,
    now: Date,
  ): Promise<{ messages: number; oldest: Date | null }>;
  delivered(
    parcel: Parcel,
    receipt: Receipt,
    escalate: Channel | undefined,
    afterSeconds: number,
    now: Date,
  ): Promise<void>;
  /** Another try. @param counts whether the attempt is one of those that there may be */
  later(parcel: Parcel, at: Date, reason: string, options: { counts: boolean; together: boolean }): Promise<void>;
  dead(parcel: Parcel, reason: string): Promise<void>;
  list(
    filter: { state?: NotificationState; channel?: string; subject?: string },
    page: { limit: number; offset: number },
  ): Promise<{ total: number; rows: (NotificationRow & { channelName: string })[] }>;
  /** Forgets what was put in before then and is over, the oldest first. @returns how many rows; 0: there are none left */
  forget(before: Date): Promise<number>;
  /** One that was given up, or delivered, goes out once more with the same message id. @returns undefined: there is none */
  redeliver(id: number, now: Date, by: string): Promise<NotificationRow | undefined>;
  /** Nobody is told more of this alert: what waits to be escalated is not. @returns rows concerned */
  acknowledge(alertId: string, by: string): Promise<number>;
}

export interface PlacedAlert extends AlertFacts {
  readonly partition: number;
  readonly offset: number;
}

export const createOutbox = (control: Control): Outbox => ({
  ...createPutting(control),
  ...createTaking(control),
  ...createReading(control),
});

/** Severe enough to be escalated, as the channel says. */
export const isEscalated = (channel: Channel, rows: readonly NotificationRow[]): boolean => {
  const { escalate } = channel.policy;
  return (
    escalate !== null &&
    rows.some(
      ({ kind, alert }) =>
        kind === "alert" && rank((alert as unknown as AlertFacts).severity) >= rank(escalate.min_severity),
    )
  );
};

/** What a message of these rows is. */
export const kindOf = (rows: readonly NotificationRow[]): MessageKind =>
  rows.length > 1 ? "digest" : (rows[0]!.kind as MessageKind);
