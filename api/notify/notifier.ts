/**
 * Alerts into messages, messages to their channels. Any number of processes may do it: what one puts in or has taken, the others leave.
 *
 *     store ──after(positions)──▶ decide ──▶ outbox ──take──▶ send ──settle──▶ delivered, later, dead
 */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf as reasonOf } from "../../engine/ops/errors.ts";
import type { Log } from "../../engine/ops/log.ts";
import { logSeldom } from "../../engine/ops/logSeldom.ts";
import { traced } from "../../engine/ops/tracing.ts";
import { SEVERITIES } from "../../engine/sandbox/manifest.ts";
import type { AlertReader } from "./alertReader.ts";
import type { Channel, Channels } from "./channels.ts";
import { KINDS } from "./kinds/all.ts";
import type { Io } from "./kinds/kind.ts";
import type { AlertFacts, Message } from "./message.ts";
import { isEscalated, kindOf, type NotificationRow, type Outbox, type Parcel } from "./outbox.ts";
import { type Policy, rank } from "./policy.ts";
import { SendError } from "./sendError.ts";
import type { SilenceAlert } from "./silentChannels.ts";
import { DEFAULT_TEXT, DEFAULT_TITLE, renderTemplate, type TemplateContext } from "./template.ts";

export interface NotifierOptions {
  readonly channels: Channels;
  readonly outbox: Outbox;
  readonly alerts: AlertReader;
  readonly io: Io;
  readonly log: Log;
  /** Chains that fell silent, and those that are heard again. */
  readonly silences: () => Promise<readonly SilenceAlert[]>;
  /** Whose alerts are told: the live topic. A recording is history. */
  readonly source: string;
  /** Messages that a channel is given in an hour, unless it says otherwise. */
  readonly perHour: number;
  /** Attempts after the first. */
  readonly maxRetries: number;
  readonly onOutcome: (outcome: "delivered" | "retried" | "held" | "dead", kind: string) => void;
}

export interface Notifier {
  /** One round: reads alerts, looks for replaced blocks, sends what is due. @returns whether there may be more at once */
  round(): Promise<boolean>;
  /** Rounds until the signal aborts. What is being sent then is finished. */
  run(signal: AbortSignal): Promise<void>;
  /** Reads all alerts that there are, for the channels that there are: one that is made after it hears of what comes then. */
  catchUp(): Promise<void>;
  /** Something has changed: the next round is now. */
  wake(): void;
}

const READ = 1_000;
const AT_ONCE = 8;
const LEASE_MS = 60_000;
/** An attempt takes less: 20 s of mail. Who has less left of the lease does not begin one. */
const ATTEMPT_MS = 30_000;
/** What is over is kept so long, and looked for that often. */
const [KEPT_MS, FORGET_EVERY_MS] = [30 * 86_400_000, 3_600_000];
const IDLE_MS = 500;
/** While there is no channel. Whoever makes the first one wakes this process; others see it within this. */
const NOBODY_MS = 5_000;
/**
 * Half a minute, 6 minutes, 72 minutes, then 6 hours, give or take half of it: three retries outlast an hour's outage, and those that fail together
 * do not come back together.
 */
const [FIRST_RETRY_MS, RETRY_FACTOR, MAX_RETRY_MS] = [30_000, 12, 21_600_000];
/** Three days after it was put in a message is given up, however few attempts it had. */
const MAX_AGE_MS = 3 * 86_400_000;

export function createNotifier(options: NotifierOptions): Notifier {
  const { channels, outbox, alerts, silences, io, log, source, perHour, maxRetries, onOutcome } = options;

  async function takeIn(all: readonly Channel[], now: Date): Promise<boolean> {
    const positions = await outbox.positions(source, () => alerts.heads(source));
    const found = await alerts.after(source, positions, READ);
    if (found.length > 0) await outbox.putAlerts(source, found, positions, all, now);
    const silent = all.length === 0 ? [] : await silences();
    if (silent.length > 0) await outbox.putSilences(silent, all, now);
    const replaced = await alerts.replaced(await outbox.toldBlocks(now));
    await outbox.putRetractions(replaced, all, now);
    return found.length >= READ;
  }

  async function sendDue(all: readonly Channel[]): Promise<boolean> {
    const now = io.now(); // reading alerts took its time
    const parcels = await outbox.take(now, LEASE_MS, AT_ONCE * 4);
    const byId = new Map(all.map((channel) => [channel.id, channel]));
    // what goes to one recipient goes in order
    const lines = new Map<string, Parcel[]>();
    for (const parcel of parcels) {
      const to = `${parcel.channel} ${parcel.recipient}`;
      lines.set(to, [...(lines.get(to) ?? []), parcel]);
    }
    const queue = [...lines.values()];
    const work = async (): Promise<void> => {
      for (let line = queue.shift(); line; line = queue.shift())
        for (const parcel of line)
          if (io.now().getTime() - now.getTime() < LEASE_MS - ATTEMPT_MS)
            await send(parcel, byId.get(parcel.channel), all);
          else await outbox.later(parcel, now, "others before it took long", { counts: false, together: false });
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, work));
    return parcels.length > 0;
  }

  async function send(parcel: Parcel, channel: Channel | undefined, all: readonly Channel[]): Promise<void> {
    if (!channel) return; // removed, and its rows with it
    const kind = kindOf(parcel.rows);
    if (!channel.enabled && kind !== "test") {
      onOutcome("dead", kind);
      return outbox.dead(parcel, `the channel is disabled: ${channel.reason ?? "by a user"}`);
    }
    const wait = await overLimit(channel, parcel);
    if (wait) {
      onOutcome("held", kind);
      const isAlert = parcel.rows.every((row) => row.kind === "alert");
      return outbox.later(parcel, wait, "per_hour is used up", { counts: false, together: isAlert });
    }
    try {
      const settings = await channels.settingsOf(channel.id);
      if (!settings) return;
      const message = await compose(parcel, channel);
      const receipt = await traced(
        "notification",
        { "weir.channel": channel.name, "weir.message": message.id, "weir.correlation_ids": correlationsOf(parcel) },
        () => KINDS[channel.kind].send(message, settings, parcel.recipient, io),
        { kind: "producer" },
      );
      const { escalate } = channel.policy;
      const target = isEscalated(channel, parcel.rows) ? all.find(({ name }) => name === escalate!.to) : undefined;
      await outbox.delivered(parcel, receipt, target, escalate?.after_seconds ?? 0, io.now());
      onOutcome("delivered", kind);
      log.info(
        {
          event: "notification_sent",
          channel: channel.name,
          kind,
          message: parcel.messageId,
          alerts: parcel.rows.length,
          correlation_ids: correlationsOf(parcel),
        },
        "Sent",
      );
    } catch (error) {
      await settleFailure(parcel, channel, all, error);
    }
  }

  async function settleFailure(
    parcel: Parcel,
    channel: Channel,
    all: readonly Channel[],
    error: unknown,
  ): Promise<void> {
    const reason = reasonOf(error);
    const kind = kindOf(parcel.rows);
    const { permanent, retryAfterMs } =
      error instanceof SendError ? error : { permanent: false, retryAfterMs: undefined };
    const attempts = parcel.rows[0]!.attempts;
    const now = io.now();
    const isOver = attempts > maxRetries || now.getTime() - parcel.rows[0]!.createdAt.getTime() > MAX_AGE_MS;
    const facts = {
      event: "notification_failed",
      channel: channel.name,
      kind,
      message: parcel.messageId,
      attempts,
      reason,
      correlation_ids: correlationsOf(parcel),
    };
    log.warn(facts, "A notification was not delivered");
    if (!permanent && !isOver) {
      onOutcome("retried", kind);
      const at = new Date(now.getTime() + (retryAfterMs ?? backoff(attempts)));
      return outbox.later(parcel, at, reason, { counts: true, together: false });
    }
    onOutcome("dead", kind);
    await outbox.dead(parcel, reason);
    if (kind === "trouble" || kind === "test") return; // else two broken channels would tell each other of it for ever
    if (permanent && KINDS[channel.kind].recipients(channel.settings).length === 1)
      await channels.disable(channel.id, reason);
    const state = permanent ? "refuses for good, and was disabled" : `did not take a message in ${attempts} attempts`;
    await outbox.putTrouble(channel, `The channel "${channel.name}" of ${channel.owner} ${state}: ${reason}`, all, now);
  }

  /** When there is room again for a message, undefined if there is now. A critical alert goes out at once if the channel says so. */
  async function overLimit({ id, policy }: Channel, { recipient, rows }: Parcel): Promise<Date | undefined> {
    if (rows.some(({ kind, alert }) => kind !== "alert" || isCritical(policy, alert))) return undefined;
    for (const [limit, of] of [
      [policy.per_hour ?? perHour, undefined],
      [policy.per_recipient_per_hour ?? Number.POSITIVE_INFINITY, recipient],
    ] as const) {
      if (limit === Number.POSITIVE_INFINITY) continue;
      const { messages, oldest } = await outbox.sentInHour(id, of, io.now());
      if (messages >= limit && oldest) return new Date(oldest.getTime() + 3_600_000);
    }
    return undefined;
  }

  async function compose({ messageId, rows }: Parcel, channel: Channel): Promise<Message> {
    const facts = rows.flatMap(({ alert }) => (alert ? [alert as unknown as AlertFacts] : []));
    const worst = Math.max(0, ...facts.map(({ severity }) => rank(severity)));
    const context = {
      ...{ kind: kindOf(rows), channel: channel.name, count: facts.length, alerts: facts, alert: facts[0] },
      ...{ severity: SEVERITIES[worst]!, trouble: rows[0]!.trouble ?? undefined },
    };
    return {
      id: messageId,
      kind: context.kind,
      title: await render("title", channel, DEFAULT_TITLE, context),
      text: await render("text", channel, DEFAULT_TEXT, context),
      alerts: facts,
      edits: context.kind === "retraction" ? (rows[0]!.ref ?? undefined) : undefined,
    };
  }

  /** An alert is worth more than its form: where the channel's own template fails, the one as it comes is used, and says so. */
  async function render(
    name: "title" | "text",
    channel: Channel,
    asItComes: string,
    context: TemplateContext,
  ): Promise<string> {
    try {
      return await renderTemplate(name, channel.policy[name], context);
    } catch (error) {
      log.warn({ event: "notification_template", channel: channel.name, reason: reasonOf(error) }, "A template failed");
      const text = await renderTemplate(name, asItComes, context);
      return name === "title" ? text : `${text}\n(${reasonOf(error)})`;
    }
  }

  let forgot = Number.NEGATIVE_INFINITY;
  async function forgetOld(now: number): Promise<void> {
    if (now - forgot < FORGET_EVERY_MS) return;
    while ((await outbox.forget(new Date(now - KEPT_MS))) > 0);
    forgot = now;
  }

  let isAnybody = true;
  let wake: () => void = () => {};

  async function round(): Promise<boolean> {
    const all = await channels.list();
    isAnybody = all.length > 0;
    const hasMore = await takeIn(all, io.now());
    const hasSent = await sendDue(all);
    await forgetOld(io.now().getTime());
    return hasSent || hasMore;
  }

  return {
    round,
    async run(signal) {
      while (!signal.aborted) {
        let hasMore = false;
        try {
          hasMore = await round();
        } catch (error) {
          // the store or the control store is away: nothing is lost, positions and outbox are where they were
          logSeldom(log, "warn", { event: "notifications_wait", reason: reasonOf(error) }, "Notifications wait");
        }
        if (hasMore) continue;
        const woken = new AbortController();
        wake = () => woken.abort();
        const ended = AbortSignal.any([signal, woken.signal]);
        await sleep(isAnybody ? IDLE_MS : NOBODY_MS, undefined, { signal: ended }).catch(() => {}); // aborted: on with it
      }
    },
    async catchUp() {
      const all = await channels.list();
      while (await takeIn(all, io.now()));
    },
    wake: () => wake(),
  };
}

/** Of the alerts in a message those that a line of the log has room for. */
const correlationsOf = ({ rows }: Parcel): string[] =>
  rows.slice(0, 20).flatMap(({ alert }) => (alert as Partial<AlertFacts> | null)?.correlation_id ?? []);

const isCritical = (policy: Policy, alert: NotificationRow["alert"]): boolean =>
  policy.critical_bypasses && (alert as unknown as AlertFacts | null)?.severity === "critical";

const backoff = (attempts: number): number =>
  Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * RETRY_FACTOR ** (attempts - 1)) * (0.5 + Math.random());
