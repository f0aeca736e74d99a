/** Channels in the control store. Their secrets are encrypted there and leave it for the sender alone. */
import { writeAudit } from "../../engine/control/changes.ts";
import { and, asc, eq, sql } from "../../engine/control/drizzle.ts";
import type { Control } from "../../engine/control/open.ts";
import { notificationChannels as table } from "../../engine/control/schema.ts";
import { UserError } from "../../engine/ops/errors.ts";
import { type ChannelKind, KINDS } from "./kinds/all.ts";
import { type Policy, policySchema } from "./policy.ts";

export interface Channel {
  readonly id: number;
  readonly name: string;
  readonly kind: ChannelKind;
  /** Without secrets: of each, that there is one. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly policy: Policy;
  readonly owner: string;
  readonly enabled: boolean;
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Encrypts what is kept. */
export interface Sealer {
  seal(plain: string): string;
  /** @throws Error when it was sealed with a key that is not configured any more */
  open(sealed: string): string;
}

/** There is one of the name already, or too many. */
export class ChannelConflict extends UserError {}

export const MAX_CHANNELS = 1_000;

export interface NewChannel {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly policy: Policy;
  readonly enabled: boolean;
}

export interface Channels {
  list(): Promise<Channel[]>;
  get(name: string): Promise<Channel | undefined>;
  /** Settings with their secrets, for the sender. @throws Error when they cannot be decrypted */
  settingsOf(id: number): Promise<Record<string, unknown> | undefined>;
  /** @param channel checked by its schemas @throws ChannelConflict */
  add(channel: NewChannel, by: string): Promise<Channel>;
  /** Secrets that are left out stay as they are; kind and name do too. undefined: there is none of the name. @throws UserError */
  change(name: string, change: Partial<Omit<NewChannel, "name" | "kind">>, by: string): Promise<Channel | undefined>;
  /** Its service refuses for good. */
  disable(id: number, reason: string): Promise<void>;
  /**
   * Makes, or brings up to date, those that variables make; what they do not make any more is disabled. A channel of that name that somebody added
   * stays as it is. @returns names of those
   */
  configure(wanted: readonly NewChannel[]): Promise<string[]>;
  /** With all that it was to be told. @returns it; undefined: there was none @throws ChannelConflict: variables make it */
  remove(name: string, by: string): Promise<Channel | undefined>;
}

const SHOWN = "(set)";
/** Owner of channels that variables make: no user can be called so. */
export const CONFIGURED = "(configuration)";
const NOT_CONFIGURED = "it is not configured any more";

function refuseConfigured(action: string, { name, owner, reason }: typeof table.$inferSelect): void {
  if (owner === CONFIGURED && !(action === "remove" && reason === NOT_CONFIGURED))
    throw new ChannelConflict(
      `Cannot ${action} the channel "${name}": variables make it, expected one that was added`,
      {
        next: "Change the variables and start again, or add a channel of another name",
      },
    );
}

export function createChannels(control: Control, sealer: Sealer): Channels {
  const split = (kind: ChannelKind, settings: Readonly<Record<string, unknown>>) => {
    const isSecret = ([key]: [string, unknown]): boolean => KINDS[kind].secrets.includes(key);
    const all = Object.entries(settings);
    return {
      settings: Object.fromEntries(all.filter((entry) => !isSecret(entry))),
      secrets: Object.fromEntries(all.filter(isSecret)),
    };
  };
  const shown = (row: typeof table.$inferSelect): Channel => {
    const kind = row.kind as ChannelKind;
    const secrets = Object.fromEntries(KINDS[kind].secrets.map((name) => [name, SHOWN]));
    const { sealed: _, ...rest } = row;
    return { ...rest, kind, settings: { ...row.settings, ...secrets }, policy: policySchema.parse(row.policy) };
  };
  const noted = ({ kind, settings, policy, enabled }: Channel) => ({ kind, settings, policy, enabled });

  return {
    list: () => control.read(async (db) => (await db.select().from(table).orderBy(asc(table.name))).map(shown)),
    get: (name) =>
      control.read(async (db) => (await db.select().from(table).where(eq(table.name, name))).map(shown)[0]),
    settingsOf: (id) =>
      control.read(async (db) => {
        const [row] = await db.select().from(table).where(eq(table.id, id));
        return row && { ...row.settings, ...(JSON.parse(sealer.open(row.sealed)) as Record<string, unknown>) };
      }),
    add: (channel, by) =>
      control.change(async (tx) => {
        const names = await tx.select({ name: table.name }).from(table);
        if (names.some(({ name }) => name === channel.name))
          throw new ChannelConflict(`Cannot add the channel "${channel.name}": there is one, expected another name`, {
            next: `Change it with PATCH /api/v1/notifications/channels/${channel.name}`,
          });
        if (names.length >= MAX_CHANNELS)
          throw new ChannelConflict(
            `Cannot add the channel "${channel.name}": there are ${names.length}, expected fewer than ${MAX_CHANNELS}`,
          );
        const { settings, secrets } = split(channel.kind, channel.settings);
        const row = { ...channel, settings, sealed: sealer.seal(JSON.stringify(secrets)), owner: by };
        const [added] = await tx.insert(table).values(row).returning();
        const result = shown(added!);
        await writeAudit(tx, [
          { who: by, action: "channel add", subject: `channel ${channel.name}`, before: null, after: noted(result) },
        ]);
        return result;
      }),
    change: (name, change, by) =>
      control.change(async (tx) => {
        const [row] = await tx.select().from(table).where(eq(table.name, name)).for("update");
        if (!row) return undefined;
        refuseConfigured("change", row);
        const kind = row.kind as ChannelKind;
        const known = JSON.parse(sealer.open(row.sealed)) as Record<string, unknown>;
        const given = Object.fromEntries(Object.entries(change.settings ?? {}).filter(([, value]) => value !== SHOWN));
        const merged = KINDS[kind].settings.parse({ ...row.settings, ...known, ...given }) as Record<string, unknown>;
        const { settings, secrets } = split(kind, merged);
        const enabled = change.enabled ?? row.enabled;
        const policy = change.policy ?? row.policy;
        const [changed] = await tx
          .update(table)
          .set({
            ...{ settings, policy, enabled, sealed: sealer.seal(JSON.stringify(secrets)), updatedAt: new Date() },
            reason: enabled ? null : row.reason,
          })
          .where(eq(table.id, row.id))
          .returning();
        const result = shown(changed!);
        await writeAudit(tx, [
          {
            who: by,
            action: "channel change",
            subject: `channel ${name}`,
            before: noted(shown(row)),
            after: noted(result),
          },
        ]);
        return result;
      }),
    configure: (wanted) =>
      control.change(async (tx) => {
        const taken: string[] = [];
        for (const channel of wanted) {
          const { settings, secrets } = split(channel.kind, channel.settings);
          const row = { ...channel, settings, sealed: sealer.seal(JSON.stringify(secrets)), owner: CONFIGURED };
          const changed = await tx
            .insert(table)
            .values(row)
            .onConflictDoUpdate({
              target: table.name,
              set: { ...row, reason: null, updatedAt: new Date() },
              setWhere: eq(table.owner, CONFIGURED),
            })
            .returning({ name: table.name });
          if (changed.length === 0) taken.push(channel.name);
        }
        const names = wanted.map(({ name }) => name);
        await tx
          .update(table)
          .set({ enabled: false, reason: NOT_CONFIGURED })
          .where(and(eq(table.owner, CONFIGURED), sql`${table.name} <> ALL(${sql.param(names)}::text[])`));
        return taken;
      }),
    disable: (id, reason) =>
      control.change(async (tx) => {
        const [row] = await tx
          .update(table)
          .set({ enabled: false, reason, updatedAt: new Date() })
          .where(eq(table.id, id))
          .returning();
        if (row)
          await writeAudit(tx, [
            { who: "weir", action: "channel disable", subject: `channel ${row.name}`, before: null, after: { reason } },
          ]);
      }),
    remove: (name, by) =>
      control.change(async (tx) => {
        const [row] = await tx.select().from(table).where(eq(table.name, name)).for("update");
        if (row) refuseConfigured("remove", row);
        await tx.delete(table).where(eq(table.name, name));
        if (row)
          await writeAudit(tx, [
            { who: by, action: "channel remove", subject: `channel ${name}`, before: noted(shown(row)), after: null },
          ]);
        return row && shown(row);
      }),
  };
}
