/** Which of a channel's events a client wants: from the filters of its message, or of its address, to one question an event. */
import { z } from "zod";
import { SEVERITIES } from "../../engine/sandbox/manifest.ts";
import type { Channel, LiveEvent } from "./event.ts";
import type { Passes } from "./hub.ts";

/** A filter's name, what it may be (numbers also as text, as they stand in an address), and what it asks of events. */
interface Filter {
  readonly channels: readonly Channel[];
  readonly value: z.ZodType;
  /** @param wanted as `value` made it */
  readonly test: (data: LiveEvent["data"], wanted: never) => boolean;
}

const filter = <T>(
  channels: readonly Channel[],
  value: z.ZodType<T>,
  test: (data: LiveEvent["data"], wanted: T) => boolean,
): Filter => ({ channels, value, test });

const text = z.string().min(1).max(256);
const isNumber = (value: z.ZodType<number, number>) =>
  z
    .union([
      z.number(),
      z
        .string()
        .regex(/^-?\d{1,30}(\.\d{1,30})?$/, "Expected a number")
        .transform(Number),
    ])
    .pipe(value);
const whole = isNumber(z.int().min(0));
const usd = isNumber(z.number());
const wei = z
  .union([z.int().min(0), z.string().regex(/^\d{1,78}$/, "Expected wei as decimal text")])
  .transform((amount) => BigInt(amount));
const hex = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${digits}}$`), `Expected 0x and ${digits} hexadecimal digits`)
    .transform((address) => address.toLowerCase());
const address = hex(40);
const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")]);

const DATA = ["alerts", "transactions", "arbitrages", "opportunities", "mev_opportunities"] as const;
const atLeast = (value: unknown, least: number): boolean => typeof value === "number" && value >= least;
/** What an event does not say (a retraction names an alert, not its addresses) is not held against it: nobody must keep what was taken back. */
const isOrUnsaid = (value: unknown, wanted: unknown): boolean => value === undefined || value === wanted;
const profit = ({ profit_net_usd, profit_usd }: LiveEvent["data"]): unknown => profit_net_usd ?? profit_usd;

const FILTERS: Readonly<Record<string, Filter>> = {
  chain_id: filter(DATA, whole, ({ chain_id }, wanted) => chain_id === wanted),
  min_profit: filter(["arbitrages", "opportunities"], usd, (data, least) => atLeast(profit(data), least)),
  max_profit: filter(["arbitrages", "opportunities"], usd, (data, most) => {
    const value = profit(data);
    return typeof value === "number" && value <= most;
  }),
  min_swaps: filter(["arbitrages"], whole, ({ swap_count }, least) => atLeast(swap_count, least)),
  strategy: filter(["arbitrages"], text, ({ strategy }, wanted) => strategy === wanted),
  rule: filter(["alerts"], text, ({ rule }, wanted) => isOrUnsaid(rule, wanted)),
  severity: filter(["alerts"], z.enum(SEVERITIES), ({ severity }, wanted) => isOrUnsaid(severity, wanted)),
  min_value: filter(["transactions"], wei, ({ value_raw }, least) => BigInt(String(value_raw)) >= least),
  address: filter(
    ["alerts", "transactions"],
    address,
    ({ from_address, to_address }, wanted) =>
      from_address === undefined || from_address === wanted || to_address === wanted,
  ),
  from_address: filter(["transactions"], address, ({ from_address }, wanted) => from_address === wanted),
  to_address: filter(["transactions"], address, ({ to_address }, wanted) => to_address === wanted),
  method: filter(["transactions"], hex(8), ({ method }, wanted) => method === wanted),
  pending: filter(["transactions", "alerts"], flag, ({ pending }, wanted) => isOrUnsaid(pending, wanted)),
  pattern_type: filter(["mev_opportunities"], text, ({ kind }, wanted) => kind === wanted),
};
/** Names of what a channel can be filtered by. */
export const filtersOf = (channel: Channel): string[] => Object.keys(FILTERS).filter((name) => FILTERS[name]!.channels.includes(channel)); // biome-ignore format: one line

/** Other spellings. */
const ALIASES: Readonly<Record<string, string>> = { chainId: "chain_id" };

const isBlock: Passes = ({ type }) => type === "block";
const isGap: Passes = ({ type }) => type === "gap";

/**
 * One question an event for each channel. A block that was replaced passes all but the filter on its chain: it takes back what may have passed.
 * That some events cannot be had any more passes everything.
 * @param channels those that the filters are for: each filter must mean something to one of them
 * @returns a text that names the mistake where there is one
 */
export function readFilters(channels: readonly Channel[], filters: unknown): ReadonlyMap<Channel, Passes> | string {
  const given = z.record(z.string().max(64), z.unknown()).safeParse(filters ?? {});
  if (!given.success) return 'Invalid filters: expected an object such as {"chain_id": 1}';
  const known = Object.keys(FILTERS).filter((name) => FILTERS[name]!.channels.some((channel) => channels.includes(channel))); // biome-ignore format: one line
  const asked: { readonly name: string; readonly filter: Filter; readonly wanted: never }[] = [];
  for (const [written, value] of Object.entries(given.data)) {
    const name = ALIASES[written] ?? written;
    if (!known.includes(name))
      return `Unknown filter: ${written.slice(0, 64)}. Must be ${known.map((each) => `'${each}'`).join(", ") || "none here"}`;
    const read = FILTERS[name]!.value.safeParse(value);
    if (!read.success) return `Invalid ${name}: ${read.error.issues[0]!.message}`;
    asked.push({ name, filter: FILTERS[name]!, wanted: read.data as never });
  }
  const wantedOf = (name: string): number | undefined => asked.find((each) => each.name === name)?.wanted;
  const [least, most] = [wantedOf("min_profit"), wantedOf("max_profit")];
  if (least !== undefined && most !== undefined && least > most)
    return `Invalid max_profit: ${most} is below min_profit ${least}, so nothing would ever pass`;
  return new Map(
    channels.map((channel) => {
      const own = asked.filter(({ filter }) => filter.channels.includes(channel));
      const chain = own.filter(({ name }) => name === "chain_id");
      const passes: Passes = (event) =>
        isGap(event) || (isBlock(event) ? chain : own).every(({ filter, wanted }) => filter.test(event.data, wanted));
      return [channel, passes];
    }),
  );
}
