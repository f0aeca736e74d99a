/** What an address is called on a chain, and of a token how its amounts are written. */
import { z } from "zod";

export interface Label {
  readonly chainId: number;
  /** Lower case. */
  readonly address: string;
  /** `Uniswap V2: Router`; of a token its name or symbol. */
  readonly name: string;
  /** Of a token: what stands behind an amount, … */
  readonly symbol: string | null;
  /** … and how many digits of it are behind the point. */
  readonly decimals: number | null;
}

export const LABEL_LIMITS = {
  /** users', all together */
  labels: 100_000,
  /** of one import: 2 MiB of text */
  import: 10_000,
  importBytes: 2 << 20,
  name: 64,
  symbol: 16,
  decimals: 77,
} as const;

/** No marks of messages, no control characters and nothing that turns the writing's direction: a name is shown as it is. */
const plainText = (most: number) =>
  z
    .string()
    .trim()
    .min(1, "Expected some text")
    .max(most, `Expected at most ${most} characters`)
    .regex(/^[^{}\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, "Expected text without { } and control characters");

const expectedDecimals = `Expected digits behind the point, 0 to ${LABEL_LIMITS.decimals}`;

/** What is said of an address. Symbol and decimals make it a token: both, or neither. */
export const labelBody = z
  .strictObject({
    name: plainText(LABEL_LIMITS.name),
    symbol: plainText(LABEL_LIMITS.symbol)
      .nullish()
      .transform((symbol) => symbol ?? null),
    decimals: z
      .int(expectedDecimals)
      .min(0, expectedDecimals)
      .max(LABEL_LIMITS.decimals, expectedDecimals)
      .nullish()
      .transform((decimals) => decimals ?? null),
  })
  .refine(({ symbol, decimals }) => (symbol === null) === (decimals === null), {
    path: ["decimals"],
    message: "Expected symbol and decimals, or neither: a token has both",
  });

export const addressSchema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "Expected an address: 0x and 40 hexadecimal digits")
  .transform((address) => address.toLowerCase());

export const keyOf = ({ chainId, address }: Pick<Label, "chainId" | "address">): string => `${chainId} ${address}`;
