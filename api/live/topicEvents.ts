/** Records of our topics as live events, in the words of the REST API. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { bundledLabel } from "../../engine/label/bundled.ts";
import { shortAddress } from "../../engine/label/message.ts";
import { SEVERITIES } from "../../engine/sandbox/manifest.ts";
import { isRefusal, readSolanaRecord, type SolanaTransaction } from "../../engine/solana/record.ts";
import type { MessageReader } from "../labelledMessages.ts";
import { ETHER, GWEI, toUnits } from "../numbers.ts";
import { solanaBody } from "../solanaTransaction.ts";
import { type Channel, createEvent, type LiveEvent, type Place } from "./event.ts";

/** A record of a topic. */
export interface TopicValue {
  /** JSON as it is on the topic. */
  readonly value: Uint8Array;
  readonly place: Place | undefined;
}

export interface TopicEventOptions {
  /** Fills in amounts and names. */
  readonly read: MessageReader;
  /** ms since 1970. */
  readonly now: () => number;
  /** Of an alert whose transaction is in a block: a recording's is final, a chain may replace its last ones. */
  readonly mined: "provisional" | "confirmed";
  /** What is on the topic and is none of our records; it is left out. */
  readonly onRefused: (value: TopicValue, error: Error) => void;
}

/** Channels that topics of ours are made into, record by record. */
const TOPIC_CHANNELS = ["alerts", "arbitrages", "opportunities", "mev_opportunities"] as const;
export type TopicChannel = (typeof TOPIC_CHANNELS)[number];

export const isTopicChannel = (channel: Channel): channel is TopicChannel =>
  (TOPIC_CHANNELS as readonly Channel[]).includes(channel);

/** @returns events in the order of the records; of some records there are none */
export function createTopicEvents(options: TopicEventOptions) {
  const { read, now, mined, onRefused } = options;

  function parseAll<T>(schema: z.ZodType<T>, values: readonly TopicValue[]): { record: T; place: Place | undefined }[] {
    return values.flatMap((topicValue) => {
      const { value, place } = topicValue;
      try {
        const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString();
        return [{ record: schema.parse(JSON.parse(text)), place }];
      } catch (error) {
        onRefused(topicValue, error as Error);
        return [];
      }
    });
  }

  async function alerts(values: readonly TopicValue[]): Promise<LiveEvent[]> {
    const records = parseAll(z.union([raised, turned, silence]), values);
    const messages = await read(
      records.map(({ record }) => ({ chainId: record.chain_id, message: "message" in record ? record.message : "" })),
    );
    return records.map(({ record, place }, i) => {
      const data =
        "since" in record ? record : "message" in record ? raisedData(record, messages[i]!, mined) : turnedData(record);
      return createEvent({ channel: "alerts", type: "alert", data, now: now(), place });
    });
  }

  /** Of EVM chains by the definition `cycle`, which statistics count, in the words of seed 002; of Solana in those of 003. */
  const arbitrages = (values: readonly TopicValue[]): LiveEvent[] =>
    values.flatMap((each) => {
      const solana = readSolanaRecord(each.value);
      if (solana === undefined) return evmArbitrages([each]);
      if (!isRefusal(solana)) return [solanaEvent(each, solana)];
      onRefused(each, new Error(solana.detail));
      return [];
    });

  const solanaEvent = ({ value, place }: TopicValue, read: SolanaTransaction): LiveEvent =>
    createEvent({ channel: "arbitrages", type: "transaction", data: solanaData(value, read), now: now(), place });

  function evmArbitrages(values: readonly TopicValue[]): LiveEvent[] {
    return parseAll(z.union([turnedBlock, arbitrage]), values).flatMap(({ record, place }) => {
      if (record.kind === "block") return [blockEvent("arbitrages", record, now(), place)];
      if (record.definition !== "cycle") return [];
      const data = arbitrageData(record);
      return [createEvent({ channel: "arbitrages", type: "transaction", data, now: now(), place })];
    });
  }

  /** Arbitrages, sandwiches, liquidations, JIT liquidity: members as `weir detect` names them. */
  function mev(values: readonly TopicValue[]): LiveEvent[] {
    return parseAll(z.union([turnedBlock, finding]), values).map(({ record, place }) =>
      "tx_hash" in record
        ? createEvent({ channel: "mev_opportunities", type: "mev_opportunity", data: record, now: now(), place })
        : blockEvent("mev_opportunities", record as z.infer<typeof turnedBlock>, now(), place),
    );
  }

  function opportunities(values: readonly TopicValue[]): LiveEvent[] {
    return parseAll(z.union([turnedBlock, opportunity]), values).map(({ record, place }) =>
      "pool" in record
        ? createEvent({
            channel: "opportunities",
            type: "opportunity",
            data: opportunityData(record),
            now: now(),
            place,
          })
        : blockEvent("opportunities", record, now(), place),
    );
  }

  const makers = { alerts, arbitrages, opportunities, mev_opportunities: mev };
  return async (channel: TopicChannel, values: readonly TopicValue[]): Promise<LiveEvent[]> => makers[channel](values);
}

const source = z.object({ topic: z.string(), partition: z.int(), offset: z.int(), n: z.int() });
const ofBlock = { chain_id: z.int(), block_number: z.int().nullable(), block_hash: z.string().nullable() };

/** As worker/alerts.ts writes it. */
const raised = z.object({
  id: z.string(),
  rule: z.string(),
  version: z.int(),
  severity: z.enum(SEVERITIES),
  ordinal: z.int().default(0), // of records from before they said so: rules rarely raise two
  message: z.string(),
  ...ofBlock,
  tx_hash: z.string(),
  from_address: z.string(),
  to_address: z.string().nullable(),
  event_time: z.string(),
  source,
});
/** As retract/follow.ts writes it: an alert that is taken back, or holds again. */
const turned = z.object({
  id: z.string(),
  rule: z.string(),
  version: z.int(),
  severity: z.string(),
  tx_hash: z.string(),
  status: z.enum(["retracted", "provisional"]),
  ...ofBlock,
});
/** As lookout/deadMansSwitch.ts writes it: a chain fell silent, or is heard again. */
const silence = z.object({
  id: z.string(),
  rule: z.string(),
  severity: z.enum(SEVERITIES),
  chain_id: z.int(),
  tx_hash: z.null(),
  source: z.string(),
  channel: z.string(),
  since: z.string(),
  message: z.string(),
  status: z.enum(["raised", "retracted"]),
  detected_at: z.string(),
});
/** The same of all findings of a block. */
const turnedBlock = z.object({ kind: z.literal("block"), status: z.enum(["retracted", "provisional"]), ...ofBlock });

/** GET /api/v1/alerts has the same members. */
function raisedData(
  { version, message, event_time, source, ...alert }: z.infer<typeof raised>,
  shown: string,
  mined: TopicEventOptions["mined"],
) {
  const { topic, partition, offset, n } = source;
  const pending = alert.block_hash === null;
  return {
    ...alert,
    rule_version: version,
    message: shown,
    message_raw: message,
    pending,
    status: pending ? "pending" : mined,
    detected_at: event_time,
    ...{ source: topic, partition, offset: String(offset), n },
  };
}

const turnedData = ({ version, ...alert }: z.infer<typeof turned>) => ({ ...alert, rule_version: version });

const finding = z.looseObject({
  kind: z.string(),
  chain_id: z.int(),
  tx_hash: z.string(),
  block_number: z.int(),
  event_time: z.string().optional(),
});
const arbitrage = z.looseObject({
  kind: z.literal("arbitrage"),
  definition: z.enum(["cycle", "router"]),
  ...ofBlock,
  tx_hash: z.string(),
  log_index: z.int().nullable(),
  strategy: z.string(),
  from_address: z.string(),
  block_timestamp: z.number().nullable(),
  gas_used: z.number().nullable(),
  gas_price: z.string().nullable(),
  event_time: z.string(),
  route: z.array(z.object({ pool: z.string(), token_in: z.string(), token_out: z.string() })),
  gas_cost: z.string().nullish(),
  fee_recipient_payment: z.string().nullish(),
  gross_usd: z.number().nullish(),
  net_usd: z.number().nullish(),
});
type Arbitrage = z.infer<typeof arbitrage>;

function arbitrageData(record: Arbitrage) {
  const { chain_id, tx_hash, log_index, route, gas_price, gas_used, gas_cost = null } = record;
  const cost = gas_used === null || gas_price === null ? null : `${BigInt(gas_used) * BigInt(gas_price)}`;
  return {
    id: idOf(`${chain_id}:${tx_hash}:${log_index}`),
    chain_id,
    tx_hash,
    from_address: record.from_address,
    block_number: record.block_number,
    block_hash: record.block_hash,
    block_timestamp: dateOf(record.block_timestamp),
    gas_price_gwei: toUnits(gas_price, GWEI),
    gas_price_raw: gas_price,
    gas_used,
    gas_cost_native: toUnits(cost, ETHER),
    gas_cost_raw: cost,
    gas_cost_usd: gasUsd(record, gas_cost),
    swap_count: route.length,
    strategy: record.strategy,
    profit_gross_usd: record.gross_usd ?? null,
    profit_net_usd: record.net_usd ?? null,
    pools_involved: [...new Set(route.map(({ pool }) => pool))],
    tokens_involved: [...new Set(route.flatMap(({ token_in, token_out }) => [token_in, token_out]))],
    detected_at: record.event_time,
  };
}

/** What gross and net differ by is gas and payments; of that the gas's share. null where there is no price. */
function gasUsd({ gross_usd, net_usd, fee_recipient_payment }: Arbitrage, gasCost: string | null): number | null {
  if (gross_usd == null || net_usd == null || gasCost === null || fee_recipient_payment == null) return null;
  const [gas, paid] = [Number(gasCost), Number(fee_recipient_payment)];
  return gas + paid === 0 ? 0 : Number((((gross_usd - net_usd) * gas) / (gas + paid)).toFixed(6));
}

/** As GET /api/v1/transactions/solana has it. */
const solanaData = (value: Uint8Array, read: SolanaTransaction) =>
  solanaBody({
    tx_signature: read.signature,
    block_time: new Date(read.blockTime).toISOString(),
    slot: String(read.slot),
    revenue_lamports: String(read.revenue),
    net_profit_lamports: read.netProfit === null ? null : String(read.netProfit),
    record: Buffer.from(value).toString(),
  });

/** As worker/opportunityRows.ts writes it. */
const opportunity = z.looseObject({
  id: z.string(),
  kind: z.string(),
  chain_id: z.int(),
  pool: z.string(),
  token0: z.string(),
  token1: z.string(),
  profit_usd: z.number().nullable(),
  profit_native: z.number().nullable(),
});

/** In the words of seed 002, and all that the topic has beside that. Nothing is captured at the moment when it is found. */
function opportunityData({ id, pool, source: _, ...rest }: z.infer<typeof opportunity>) {
  const symbol = (address: string): string => bundledLabel({ chainId: rest.chain_id, address })?.symbol ?? shortAddress(address); // biome-ignore format: one line
  return {
    ...rest,
    id: idOf(id),
    opportunity_id: id,
    pool_name: `${symbol(rest.token0)}-${symbol(rest.token1)}`,
    pool_address: pool,
    captured: false,
  };
}

/** What a block said does not hold any more, or holds again. */
const blockEvent = (channel: Channel, { kind: _, ...data }: { readonly kind: string }, now: number, place: Place | undefined) =>
  createEvent({ channel, type: "block", data, now, place }); // biome-ignore format: one line

/** 53 bits of a hash: exact as a JSON number. */
const idOf = (text: string): number => Number(createHash("sha256").update(text).digest().readBigUInt64BE() >> 11n);

/** RFC 3339 of seconds since 1970; null for what is no date: the number is a stranger's. */
const dateOf = (seconds: number | null): string | null =>
  seconds === null || seconds > 8.64e12 ? null : new Date(seconds * 1_000).toISOString();
