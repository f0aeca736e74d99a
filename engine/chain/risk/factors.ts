/**
 * What makes a transaction a risk, and how much: the one table. A transaction's risk is a mask, bit i for factor i, so a stored
 * number says which factors there were, and the score follows: factors are taken in the table's order, most points first, until
 * there are 100; the one that reaches it counts what was left. So contributions always add up to the score.
 */
interface Factor {
  readonly name: string;
  readonly points: number;
  /** What it says of a transaction. */
  readonly means: string;
  /** Why so many points. */
  readonly why: string;
}

/** Masks are stored: a factor is added at the end, and none is removed. Points may change. */
export const RISK_FACTORS = [
  {
    name: "known_bad",
    points: 60,
    means: "sender, recipient, a contract that it calls or who it approves is on the list known-bad",
    why: "somebody has judged that address: with any other factor it is over two thirds",
  },
  {
    name: "proxy_change",
    points: 30,
    means: "it gives a proxy other code, or another admin",
    why: "all that was known of the contract holds no more, for all its users at once",
  },
  {
    name: "unlimited_approval",
    points: 25,
    means:
      "it lets somebody take any amount of a token: at least 2^160 − 1, or 2^96 − 1, the most that some tokens count",
    why: "the usual way to lose all of a token, and yet what most sites ask for",
  },
  {
    name: "approval_for_all",
    points: 25,
    means: "it lets somebody take all tokens of a collection",
    why: "as an unlimited approval, of NFTs",
  },
  {
    name: "sandwich_exposure",
    points: 20,
    means: "it was a sandwich's victim, or swaps for any amount however small",
    why: "a loss, or one that only depends on who looks",
  },
  {
    name: "ownership_change",
    points: 20,
    means: "a contract gets another owner, or none",
    why: "who may do what to its users changes, but not yet what is done",
  },
  {
    name: "fresh_contract",
    points: 15,
    means: "it creates a contract, or calls one that was created within a day, as far as we have seen",
    why: "nobody can have looked at it for long",
  },
  {
    name: "value_outlier",
    points: 15,
    means: "its value is over 3.5 robust deviations above the sender's median",
    why: "unusual for the sender, often for a good reason",
  },
  {
    name: "gas_outlier",
    points: 10,
    means:
      "its price is over 3.5 robust deviations above the median of its block, of which all is there, or its gas above the function's",
    why: "somebody is in a hurry or does more than others do there",
  },
  {
    name: "unverified_selector",
    points: 5,
    means: "it calls a function that is neither known to us nor often called",
    why: "most such calls are harmless: it says that we cannot tell",
  },
] as const satisfies readonly Factor[];

export type RiskFactor = (typeof RISK_FACTORS)[number]["name"];

export const RISK_NAMES = RISK_FACTORS.map(({ name }) => name);

/** Bit of each factor. */
export const RISK = Object.fromEntries(RISK_FACTORS.map(({ name }, i) => [name, 2 ** i])) as Record<RiskFactor, number>;

export interface Contribution {
  readonly factor: RiskFactor;
  readonly points: number;
}

const BY_POINTS = [...RISK_FACTORS].sort((a, b) => b.points - a.points);

/** The factors of a mask with what each adds; they add up to the score. */
export function contributionsOf(mask: number): Contribution[] {
  let left = 100;
  const contributions: Contribution[] = [];
  for (const { name, points } of BY_POINTS) {
    if ((mask & RISK[name]) === 0) continue;
    const counted = Math.min(points, left);
    contributions.push({ factor: name, points: counted });
    left -= counted;
  }
  return contributions;
}

const SCORES = Uint8Array.from({ length: 2 ** RISK_FACTORS.length }, (_, mask) =>
  contributionsOf(mask).reduce((sum, { points }) => sum + points, 0),
);

/** 0 to 100. */
export const riskScore = (mask: number): number => SCORES[mask]!;

const LEVELS = ["low", "medium", "high", "critical"] as const;
export type RiskLevel = (typeof LEVELS)[number];

/** low below 25, medium below 50, high below 75. */
export const riskLevel = (score: number): RiskLevel => LEVELS[Math.min(3, Math.floor(score / 25))]!;
export const RISK_LEVELS = LEVELS;
