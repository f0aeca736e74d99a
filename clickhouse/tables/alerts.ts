/**
 * Rows of alerts, column by column: what they say of a transaction is copied out of its frame, so no object with views of it is made of an
 * alert (with the record packed from text, 5.7 to 4.5 µs an alert, rules and all). What the columns mean is in the migration.
 */
import { SEVERITIES } from "../../engine/sandbox/manifest.ts";
import { type Block, raw, string } from "../native.ts";
import { values } from "./columns.ts";
import {
  type Column,
  EVENT_TIME_COLUMN,
  encodeColumns,
  type FrameRows,
  header,
  POSITION_COLUMNS,
  type Presence,
  presence,
} from "./frameColumns.ts";

/** A row an alert; frames, offsets, indexes and events are those of its transaction. */
export interface AlertRows extends FrameRows {
  /** 16 bytes each. */
  readonly ids: Uint8Array;
  readonly said: readonly SaidAlert[];
}

/** What a rule said of a transaction. */
export interface SaidAlert {
  readonly rule: string;
  readonly version: number;
  /** Index into SEVERITIES. */
  readonly severity: number;
  readonly message: string;
  /** Counts the alerts of one rule for one transaction. */
  readonly ordinal: number;
}

type Rows = AlertRows & Presence;

const COLUMNS: readonly Column<Rows>[] = [
  ...POSITION_COLUMNS,
  EVENT_TIME_COLUMN,
  { name: "alert_id", type: "FixedString(16)", write: (out, { ids }) => raw(out, ids, 0, ids.length) },
  texts("rule", ({ rule }) => rule),
  {
    name: "rule_version",
    type: "UInt32",
    write: (out, { said }) =>
      values(
        out,
        Uint32Array.from(said, ({ version }) => version),
      ),
  },
  texts("severity", ({ severity }) => SEVERITIES[severity]!),
  {
    name: "ordinal",
    type: "UInt16",
    write: (out, { said }) =>
      values(
        out,
        Uint16Array.from(said, ({ ordinal }) => ordinal),
      ),
  },
  header("chain_id", "UInt64", "chainId"),
  header("tx_hash", "FixedString(32)", "hash"),
  header("block_number", "UInt64", "blockNumber", "blockNumber"),
  header("block_hash", "FixedString(32)", "blockHash", "blockHash"),
  header("from_address", "FixedString(20)", "from"),
  header("to_address", "FixedString(20)", "to", "to"),
  texts("message", ({ message }) => message),
];

export const ALERT_COLUMNS = COLUMNS.map(({ name, type }) => [name, type] as const);

function texts(name: string, of: (said: SaidAlert) => string): Column<Rows> {
  return {
    name,
    type: "String",
    write(out, { said }) {
      for (const each of said) string(out, of(each));
    },
  };
}

export const encodeAlerts = (alerts: AlertRows): Block => encodeColumns(COLUMNS, { ...alerts, ...presence(alerts) });
