/** When a channel is told of an alert: now, later together with others, or not at all. A pure function: the outbox gives it what it needs to know. */
import { z } from "@hono/zod-openapi";
import { SEVERITIES, type Severity } from "../../engine/sandbox/manifest.ts";
import { CHANNEL_KINDS } from "./kinds/all.ts";
import type { AlertFacts } from "./message.ts";
import { DEFAULT_TEXT, DEFAULT_TITLE, MAX_TEMPLATE } from "./template.ts";

const DAY_S = 86_400;
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: "expected HH:MM" });
const timeZone = z.string().refine(isTimeZone, { error: 'expected a time zone, "Europe/Zurich"' });

export const policySchema = z
  .strictObject({
    rules: z
      .array(z.string().max(100))
      .max(1_000)
      .default([])
      .meta({ description: "names, `*` at the end for any; none: all" }),
    min_severity: z.enum(SEVERITIES).default("info"),
    chains: z
      .array(z.string().regex(/^\d{1,20}$/))
      .max(100)
      .default([])
      .meta({ description: "chain ids; none: all" }),
    dedup_seconds: z
      .int()
      .min(0)
      .max(7 * DAY_S)
      .default(300)
      .meta({ description: "an alert of the same key within it is not sent" }),
    dedup_key: z
      .array(z.enum(["rule", "chain_id", "severity", "from_address", "to_address", "message", "tx_hash"]))
      .min(1)
      .max(7)
      .default(["rule", "chain_id", "from_address", "to_address"])
      .meta({ description: "fields that make two alerts the same; never a number that changes" }),
    per_hour: z
      .int()
      .min(1)
      .max(1_000_000)
      .nullable()
      .default(null)
      .meta({ description: "messages; null: MAX_NOTIFICATIONS_PER_HOUR" }),
    per_recipient_per_hour: z
      .int()
      .min(1)
      .max(1_000_000)
      .nullable()
      .default(null)
      .meta({ description: "null: as many as the channel" }),
    digest_seconds: z
      .int()
      .min(0)
      .max(DAY_S)
      .default(0)
      .meta({ description: "alerts are gathered this long and sent together; 0: each at once" }),
    burst: z
      .strictObject({ alerts: z.int().min(1).max(10_000), seconds: z.int().min(1).max(3_600) })
      .nullable()
      .default({ alerts: 20, seconds: 60 })
      .meta({ description: "beyond so many within so long, the rest is sent together" }),
    quiet: z
      .strictObject({
        from: clock,
        to: clock,
        time_zone: timeZone.default("UTC"),
        days: z.array(z.int().min(0).max(6)).max(7).default([]),
      })
      .nullable()
      .default(null)
      .meta({ description: "sent together afterwards; days: of its beginning, 0 is Sunday, none: every day" }),
    critical_bypasses: z
      .boolean()
      .default(true)
      .meta({ description: "digest, burst and quiet hours do not hold critical alerts" }),
    escalate: z
      .strictObject({
        to: z.string().max(100),
        after_seconds: z
          .int()
          .min(1)
          .max(7 * DAY_S),
        min_severity: z.enum(SEVERITIES).default("critical"),
      })
      .nullable()
      .default(null)
      .meta({ description: "the channel that is told of what nobody acknowledged in time" }),
    retractions: z.boolean().default(true).meta({ description: "tell when a block that an alert is of was replaced" }),
    operations: z
      .boolean()
      .default(false)
      .meta({ description: "is told when messages of other channels do not get through" }),
    title: z.string().min(1).max(MAX_TEMPLATE).default(DEFAULT_TITLE),
    text: z.string().min(1).max(MAX_TEMPLATE).default(DEFAULT_TEXT),
  })
  .openapi("NotificationPolicy");
export type Policy = z.infer<typeof policySchema>;
export const channelKind = z.enum(CHANNEL_KINDS);

export interface Silence {
  readonly id: number;
  /** Empty: any. */
  readonly rules: readonly string[];
  readonly chains: readonly string[];
  readonly addresses: readonly string[];
}

/** What happened to the alerts of a channel shortly before. */
export interface Recent {
  /** When a message of this key was last put in, ms; undefined: not within the window. */
  lastOf(key: string): number | undefined;
  /** Alerts put in within the burst's window. */
  readonly inBurst: number;
}

export type Decision =
  | { readonly send: "now" }
  | { readonly send: "together"; readonly at: Date; readonly why: "digest" | "burst" | "quiet hours" }
  | { readonly send: "never"; readonly why: string };

export const rank = (severity: Severity): number => SEVERITIES.indexOf(severity);

/** The channel is to hear of it at all. */
export const concerns = (policy: Policy, alert: AlertFacts): boolean =>
  rank(alert.severity) >= rank(policy.min_severity) &&
  (policy.chains.length === 0 || policy.chains.includes(alert.chain_id)) &&
  (policy.rules.length === 0 || policy.rules.some((pattern) => fits(pattern, alert.rule)));

export const dedupKey = (policy: Policy, alert: AlertFacts): string =>
  JSON.stringify(policy.dedup_key.map((field) => alert[field]));

/** @param now of the decision, not of the alert: after an outage, what is late is told as late */
export function decide(
  policy: Policy,
  alert: AlertFacts,
  recent: Recent,
  silences: readonly Silence[],
  now: Date,
): Decision {
  const silence = silences.find((each) => isSilenced(each, alert));
  if (silence) return { send: "never", why: `silence ${silence.id}` };
  const last = recent.lastOf(dedupKey(policy, alert));
  if (last !== undefined && now.getTime() - last < policy.dedup_seconds * 1_000)
    return { send: "never", why: "sent already, within dedup_seconds" };
  if (policy.critical_bypasses && alert.severity === "critical") return { send: "now" };
  const quietEnd = policy.quiet && endOfQuiet(policy.quiet, now);
  if (quietEnd) return { send: "together", at: quietEnd, why: "quiet hours" };
  if (policy.digest_seconds > 0) return { send: "together", at: nextSlot(now, policy.digest_seconds), why: "digest" };
  if (policy.burst && recent.inBurst >= policy.burst.alerts)
    return { send: "together", at: nextSlot(now, policy.burst.seconds), why: "burst" };
  return { send: "now" };
}

const fits = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

const isSilenced = ({ rules, chains, addresses }: Silence, alert: AlertFacts): boolean =>
  (rules.length === 0 || rules.some((pattern) => fits(pattern, alert.rule))) &&
  (chains.length === 0 || chains.includes(alert.chain_id)) &&
  (addresses.length === 0 ||
    addresses.some((address) => address === alert.from_address || address === alert.to_address));

/** Slots are the same for all: what comes in one is sent when it ends. */
const nextSlot = (now: Date, seconds: number): Date =>
  new Date((Math.floor(now.getTime() / 1_000 / seconds) + 1) * seconds * 1_000);

/** When the quiet hours end that it is now, null if it is none. */
export function endOfQuiet(quiet: NonNullable<Policy["quiet"]>, now: Date): Date | null {
  const minute = minuteOf(now, quiet.time_zone);
  const [from, to] = [minutes(quiet.from), minutes(quiet.to)];
  const isOverMidnight = to <= from;
  const isEvening = minute >= from && (isOverMidnight || minute < to);
  const isMorning = isOverMidnight && minute < to;
  if (!isEvening && !isMorning) return null;
  const began = isMorning ? (dayOf(now, quiet.time_zone) + 6) % 7 : dayOf(now, quiet.time_zone);
  if (quiet.days.length > 0 && !quiet.days.includes(began)) return null;
  const left = isEvening && isOverMidnight ? 1_440 - minute + to : to - minute;
  return new Date(Math.floor(now.getTime() / 60_000 + left) * 60_000);
}

const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

function minuteOf(now: Date, timeZone: string): number {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return minutes(format.format(now));
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const dayOf = (now: Date, timeZone: string): number =>
  DAYS.indexOf(new Intl.DateTimeFormat("en-US", { timeZone, weekday: "short" }).format(now));

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
