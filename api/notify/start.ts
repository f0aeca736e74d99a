import type { Control } from "../../engine/control/open.ts";
import type { Secrets } from "../../engine/control/secrets.ts";
import type { LabelStore } from "../../engine/label/labels.ts";
import type { Config } from "../../engine/ops/config.ts";
import type { Log } from "../../engine/ops/log.ts";
import type { Metrics } from "../../engine/ops/metrics.ts";
import type { ReadableStore } from "../deps.ts";
import { createMessageReader } from "../labelledMessages.ts";
import { createAlertReader } from "./alertReader.ts";
import { type Channels, createChannels } from "./channels.ts";
import { configuredChannels } from "./configured.ts";
import type { Io } from "./kinds/kind.ts";
import { createMailer } from "./mailer.ts";
import { createNotifier, type Notifier } from "./notifier.ts";
import { createOutbound } from "./outbound.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createSilences, type Silences } from "./silences.ts";
import { createSilenceReader } from "./silentChannels.ts";

export interface Notifications {
  readonly channels: Channels;
  readonly outbox: Outbox;
  readonly silences: Silences;
  readonly notifier: Notifier;
  /** Makes the channels of variables. @throws ConfigError */
  configure(): Promise<void>;
}

export interface NotificationDeps {
  readonly store: ReadableStore;
  readonly control: Control;
  readonly secrets: Secrets;
  readonly labels: Pick<LabelStore, "find">;
  readonly config: Pick<Config, "notify" | "kafka"> & { readonly nodes: Pick<Config["nodes"], "silentAfter"> };
  readonly log: Log;
  readonly metrics: Metrics;
  /** For tests. */
  readonly now?: () => Date;
}

/** Channels, outbox and notifier over the two stores. Nothing is sent before `notifier.run`. */
export function createNotifications(deps: NotificationDeps): Notifications {
  const { store, control, secrets, labels, config, log, metrics, now = () => new Date() } = deps;
  const { allowedRanges, smtp, perHour, maxRetries } = config.notify;
  const channels = createChannels(control, secrets);
  const outbox = createOutbox(control);
  const io: Io = { outbound: createOutbound({ allowed: allowedRanges }), mailer: smtp && createMailer(smtp), now };
  const notifier = createNotifier({
    ...{ channels, outbox, io, log, perHour, maxRetries },
    alerts: createAlertReader(store, createMessageReader(labels, log)),
    silences: createSilenceReader(control, config.nodes.silentAfter),
    source: config.kafka.topics.txRaw,
    onOutcome: (outcome, kind) => metrics.notifications.inc({ outcome, kind }),
  });
  return {
    channels: {
      ...channels,
      async add(channel, by) {
        if ((await channels.list()).length === 0) await notifier.catchUp(); // nobody was told: positions are seconds old
        const added = await channels.add(channel, by);
        notifier.wake();
        return added;
      },
    },
    ...{ outbox, silences: createSilences(control), notifier },
    async configure() {
      for (const channel of await channels.configure(configuredChannels(config.notify)))
        log.warn(
          { event: "channel_taken", channel },
          "A channel that variables make was added by somebody before: that one stays",
        );
      const { token, chat } = config.notify.telegram;
      if ((token === undefined) !== (chat === undefined))
        log.warn(
          { event: "channel_incomplete", channel: "telegram" },
          "TELEGRAM_BOT_TOKEN and WEIR_NOTIFY_TELEGRAM_CHAT make a channel together; one of them is not set",
        );
    },
  };
}
