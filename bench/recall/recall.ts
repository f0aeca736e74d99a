/** What the detectors find, beside what a reference says is there. */

/** A line of `weir detect`, or of the reference: the same names. */
export type Line = Readonly<Record<string, unknown>> & { readonly kind: string };

export const JUDGED_KINDS = ["swap", "arbitrage", "sandwich", "liquidation"] as const;
export type JudgedKind = (typeof JUDGED_KINDS)[number];

/** Why we and the reference differ, looked at by a person. */
export interface Judgements {
  readonly reasons: Readonly<
    Record<
      string,
      {
        /** ours: the reference is wrong or has less. trace: receipts cannot show it. false: we are wrong. */
        readonly verdict: "ours" | "trace" | "false";
        readonly text: string;
      }
    >
  >;
  /** The reason's name, by place: `kind tx_hash pool`. */
  readonly judged: Readonly<Record<string, string>>;
}

/** Something on one side that is not on the other just so. */
export interface Difference {
  readonly how: "differs" | "missed" | "extra";
  readonly place: string;
  /** Fields that differ, as the reference has them and as we do. */
  readonly fields: readonly string[];
  /** undefined: nobody has judged it. */
  readonly verdict: Judgements["reasons"][string]["verdict"] | undefined;
  readonly reason: string;
}

export interface Recall {
  readonly kind: JudgedKind;
  readonly expected: number;
  /** Every field that the reference has is equal. */
  readonly equal: number;
  readonly differences: readonly Difference[];
}

interface Shape {
  /** What says that two lines are about the same thing. */
  same(expected: Line, found: Line): boolean;
  /** What has to be equal then, by the reference's names. */
  readonly fields: readonly string[];
}

const SHAPES: Readonly<Record<JudgedKind, Shape>> = {
  swap: {
    same: (a, b) => a.pool === b.pool && a.token_in === b.token_in && a.token_out === b.token_out,
    fields: ["amount_in", "amount_out"],
  },
  arbitrage: { same: () => true, fields: ["profit_token", "start_amount", "end_amount", "profit_amount"] },
  sandwich: {
    same: (a, b) =>
      a.pool === b.pool &&
      includes(b.frontrun_txs ?? [b.frontrun_tx], a.frontrun_tx) &&
      includes(b.backrun_txs ?? [b.backrun_tx], a.backrun_tx),
    fields: ["victim_txs", "profit_token", "profit_amount"],
  },
  liquidation: {
    same: (a, b) => a.user === b.user && a.debt_token === b.debt_token && a.collateral_token === b.collateral_token,
    fields: ["liquidator", "debt_amount", "collateral_amount"],
  },
};

const includes = (list: unknown, value: unknown): boolean => (list as readonly unknown[]).includes(value);

/** Arbitrages by definition `router` are not what the reference calls so: they are left out, as are kinds that it does not know. */
export function compare(expected: readonly Line[], found: readonly Line[], judgements: Judgements): Recall[] {
  return JUDGED_KINDS.map((kind) => {
    const ours = found.filter((line) => line.kind === kind && line.definition !== "router");
    return compareKind(kind, expected.filter((line) => line.kind === kind), ours, judgements); // biome-ignore format: one line
  });
}

function compareKind(
  kind: JudgedKind,
  expected: readonly Line[],
  found: readonly Line[],
  judgements: Judgements,
): Recall {
  const { same, fields } = SHAPES[kind];
  const left = new Map<string, Line[]>();
  for (const line of found) left.set(transaction(line), [...(left.get(transaction(line)) ?? []), line]);
  /** Takes one of the same transaction, so that none answers for two. */
  const take = (wanted: Line, fits: (line: Line) => boolean): Line | undefined => {
    const candidates = left.get(transaction(wanted)) ?? [];
    const at = candidates.findIndex((line) => same(wanted, line) && fits(line));
    return at < 0 ? undefined : candidates.splice(at, 1)[0];
  };
  const differing = (a: Line, b: Line): string[] => fields.filter((field) => text(a[field]) !== text(b[field]));

  const unequal = expected.filter((wanted) => !take(wanted, (line) => differing(wanted, line).length === 0));
  const differences = unequal.map((wanted) => {
    const near = take(wanted, () => true);
    if (!near) return difference("missed", wanted, [], judgements);
    const both = differing(wanted, near).map((field) => `${field} ${text(wanted[field])} here ${text(near[field])}`);
    return difference("differs", wanted, both, judgements);
  });
  for (const lines of left.values())
    for (const line of lines) differences.push(difference("extra", line, [], judgements));
  return { kind, expected: expected.length, equal: expected.length - unequal.length, differences };
}

function difference(how: Difference["how"], line: Line, fields: readonly string[], judgements: Judgements): Difference {
  const place =
    `${line.kind} ${transaction(line)} ${line.pool ?? (line.pools as string[] | undefined)?.[0] ?? ""}`.trim();
  const name = judgements.judged[place];
  const reason = name === undefined ? undefined : judgements.reasons[name];
  return { how, place, fields, verdict: reason?.verdict, reason: reason?.text ?? "not judged" };
}

const transaction = (line: Line): string => `${line.tx_hash ?? line.frontrun_tx}`;
const text = (value: unknown): string => (Array.isArray(value) ? value.join(" ") : `${value}`);

/** Nothing missed, nothing false, and nothing that nobody has looked at. What only a trace can show is no fault. */
export const isGood = (recalls: readonly Recall[]): boolean =>
  recalls.every(({ differences }) => differences.every(({ verdict }) => verdict === "ours" || verdict === "trace"));
