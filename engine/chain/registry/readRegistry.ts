import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { keccak256 } from "../../condition/abi/keccak.ts";
import { didYouMean } from "../../condition/didYouMean.ts";
import { ConfigError, type ConfigProblem } from "../../ops/config.ts";
import { messageOf } from "../../ops/errors.ts";
import { FACT_WIDTH } from "../facts/schema.ts";
import { LAYOUTS, type LayoutName } from "../protocols/layouts.ts";
import type { RegistryData } from "./registryData.ts";

export const REGISTRY_LIMITS = {
  bytes: 1024 * 1024,
  chains: 256,
  protocols: 256,
  entries: 4096,
  pools: 100,
  name: 64,
} as const;

/**
 * The registry file that WEIR_REGISTRY names; nothing if there is none.
 * @throws ConfigError with every mistake in it, each with its place
 */
export function readRegistry(path: string | undefined): RegistryData {
  if (path === undefined) return {};
  const problem = (text: string, expected?: string): ConfigProblem => ({
    variable: "WEIR_REGISTRY",
    value: path,
    problem: text,
    ...(expected && { expected }),
  });
  let value: unknown;
  try {
    const { size } = statSync(path);
    if (size > REGISTRY_LIMITS.bytes)
      throw new ConfigError([problem(`it has ${size} bytes`, `at most ${REGISTRY_LIMITS.bytes}`)]);
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([
      problem(`it cannot be read: ${messageOf(error)}`, "a JSON file as engine/chain/README.md has it"),
    ]);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map(({ path: at, message }) => problem(`${placeOf(at)}: ${message}`)));
}

/** `chains[0].routers.0x12` */
function placeOf(path: readonly PropertyKey[]): string {
  return (
    path
      .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
      .join("")
      .replace(/^\./, "") || "all"
  );
}

const hex = (bytes: number, what: string) =>
  z
    .string(`expected ${what}, 0x and ${2 * bytes} hex digits`)
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `expected ${what}, 0x and ${2 * bytes} hex digits`)
    .toLowerCase();
const address = hex(20, "an address");
const name = z
  .string("expected a name")
  .min(1, "expected a name")
  .max(REGISTRY_LIMITS.name, `expected at most ${REGISTRY_LIMITS.name} characters`);
const layoutNames = Object.keys(LAYOUTS);

/** An object without members that we do not know, or with more than so many. */
const object = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, {
    error: ({ code, keys = [] }) => {
      if (code !== "unrecognized_keys") return "expected an object";
      const known = Object.keys(shape);
      return (keys as string[])
        .map((key) => `there is no "${key}", expected ${known.join(", ")}.${didYouMean(key, known)}`)
        .join("; ");
    },
  });
const few = (count: number) => (value: object) => Object.keys(value).length <= count;
const list = <T extends z.ZodType>(item: T, count: number) =>
  z.array(item, "expected a list").refine(few(count), `expected at most ${count}`);
const record = <K extends z.ZodType<string>, V extends z.ZodType>(key: K, value: V) =>
  z
    .record(key, value, {
      error: ({ code, issues }) => (code === "invalid_key" ? issues?.[0]?.message : "expected an object"),
    })
    .refine(few(REGISTRY_LIMITS.entries), `expected at most ${REGISTRY_LIMITS.entries}`);

const chain = object({
  id: z.int("expected a chain id").min(1, "expected a chain id"),
  name: name.optional(),
  nativeToken: name.optional(),
  wrapped: address.optional(),
  nativeUsd: z
    .number("expected USD")
    .positive("expected more than 0 USD")
    .max(1e9, "expected at most 1000000000 USD")
    .optional(),
  blockSeconds: z
    .number("expected seconds")
    .min(0.01, "expected at least 0.01 s")
    .max(3600, "expected at most 3600 s")
    .optional(),
  stableCoins: record(
    address,
    z.int("expected decimals, 0 to 36").min(0, "expected decimals, 0 to 36").max(36, "expected decimals, 0 to 36"),
  ).optional(),
  routers: record(address, name).optional(),
  v2Factories: record(
    address,
    object({
      name,
      keep: z
        .int("expected ten thousandths, 9000 to 10000")
        .min(9_000, "expected ten thousandths, 9000 to 10000")
        .max(10_000, "expected ten thousandths, 9000 to 10000"),
      routers: list(address, 64),
    }),
  ).optional(),
  v3Factories: record(
    address,
    object({
      name,
      tickSpacings: record(
        z.string().regex(/^[1-9]\d{0,2}00$/, "expected a fee in hundredths of a bip, a multiple of 100 below 100000"),
        z
          .int("expected ticks, 1 to 16383")
          .min(1, "expected ticks, 1 to 16383")
          .max(16_383, "expected ticks, 1 to 16383"),
      ),
      routers: list(address, 64),
    }),
  ).optional(),
  pools: record(name, address)
    .refine(few(REGISTRY_LIMITS.pools), `expected at most ${REGISTRY_LIMITS.pools}`)
    .optional(),
  multicall: address.optional(),
});

/** Rules are shown a protocol's name in so many bytes: chain/facts/schema.ts. */
const protocolName = name.refine(
  (text) => Buffer.byteLength(text) <= FACT_WIDTH.text,
  `expected at most ${FACT_WIDTH.text} bytes`,
);

const protocol = object({
  name: protocolName,
  topic0: hex(32, "a topic"),
  layout: z.string("expected the name of a layout").transform((text, context) => {
    if (Object.hasOwn(LAYOUTS, text)) return text as LayoutName;
    context.addIssue(
      `there is no layout "${text}", expected one of ${layoutNames.join(", ")}.${didYouMean(text, layoutNames)}`,
    );
    return z.NEVER;
  }),
  contracts: list(address, REGISTRY_LIMITS.entries).optional(),
});

const methods = record(
  hex(4, "a selector"),
  z.string("expected a signature").max(512, "expected at most 512 characters"),
).superRefine((signatures, context) => {
  for (const [selector, signature] of Object.entries(signatures)) {
    const right = keccak256(Buffer.from(signature)).slice(0, 10);
    if (right !== selector)
      context.addIssue({
        code: "custom",
        path: [selector],
        message: `"${signature}" has the selector ${right}, expected ${selector}`,
      });
  }
});

const schema = object({
  chains: list(chain, REGISTRY_LIMITS.chains).optional(),
  methods: methods.optional(),
  protocols: list(protocol, REGISTRY_LIMITS.protocols).optional(),
}) as z.ZodType<RegistryData>;
