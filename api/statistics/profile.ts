/** An arbitrageur: what one sender did on one chain. */
import type { RankedRow } from "../../clickhouse/queries/arbitrageurs.ts";
import type { Person, Sum } from "./senders.ts";

/** USD in millionths. */
export interface Profile {
  /** 53 bits, decimal text. */
  readonly id: string;
  readonly chain: string;
  /** 40 lower-case hex digits. */
  readonly address: string;
  readonly successes: number;
  readonly failures: number;
  readonly profit: bigint;
  readonly priced: number;
  readonly gas: bigint;
  readonly gwei: number;
  readonly gweiKnown: number;
  /** Arbitrages of 2, 3, 4 and more hops. */
  readonly hops: readonly number[];
  /** Unix seconds. */
  readonly first: number;
  readonly last: number;
}

export function successRate({ successes, failures }: Profile): number {
  return (100 * successes) / (successes + failures);
}

const MILLION = 1_000_000n;

/** Of kept sums. */
export const profileAt = ({ id, chain, address }: Person, of: (sum: Sum) => number): Profile => ({
  ...{ id, chain, address },
  successes: of("successes"),
  failures: of("failures"),
  profit: BigInt(of("profit")) * MILLION + BigInt(of("profitMicros")),
  priced: of("priced"),
  gas: BigInt(of("gas")) * MILLION + BigInt(of("gasMicros")),
  gwei: of("gwei"),
  gweiKnown: of("gweiKnown"),
  hops: [of("hops2"), of("hops3"), of("hops4"), of("hops5")],
  first: of("first"),
  last: of("last"),
});

/** Of the store's. */
export const profileOf = (row: RankedRow): Profile => ({
  ...{ id: row.id, chain: row.chain_id, address: row.address.toLowerCase() },
  successes: Number(row.successes),
  failures: Number(row.failures),
  profit: micros(row.profit),
  priced: Number(row.priced),
  gas: micros(row.gas),
  gwei: row.gwei,
  gweiKnown: Number(row.gwei_known),
  hops: row.hops.map(Number),
  first: row.first,
  last: row.last,
});

/** Decimal text with up to six digits behind the point, in millionths. */
export function micros(text: string): bigint {
  const [whole, fraction = ""] = text.split(".");
  const digits = BigInt(`${whole!.replace("-", "")}${fraction.padEnd(6, "0")}`);
  return text.startsWith("-") ? -digits : digits;
}

/** The opposite, without zeros at the end: as ClickHouse writes it. */
export function usdText(micros: bigint): string {
  const digits = String(micros < 0n ? -micros : micros).padStart(7, "0");
  return `${micros < 0n ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, "");
}
