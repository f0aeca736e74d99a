/** Conditions on events and calls, as people write them, through the index: against viem's decoding of each log and plain JavaScript. */
import fc from "fast-check";
import {
  decodeEventLog,
  decodeFunctionData,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  parseAbi,
  toEventSelector,
  toHex,
} from "viem";
import { describe, expect, test } from "vitest";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { mainnetLines } from "../frame/testing/mainnet.ts";
import { type TransactionRecord, writeFrame } from "../frame/writeFrame.ts";
import { buildList } from "../world/listTable.ts";
import type { Lists } from "../world/world.ts";
import { explain, firstFailure } from "./explain.ts";
import { parseJsonRule, parseJsonRuleText } from "./jsonRule.ts";
import { createRuleIndex } from "./ruleIndex.ts";

const SIGNATURES = [
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event Approval(address indexed owner, address indexed spender, uint256 value)",
  "event Sync(uint112 reserve0, uint112 reserve1)",
  "event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick)",
  "function transfer(address to, uint256 amount)",
  "function swapExactETHForTokens(uint256 amountOutMin, address[] path, address to, uint256 deadline)",
  "function swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)",
] as const;
const ABI = parseAbi(SIGNATURES);

const conditionOf = (conditions: unknown, abi: unknown = SIGNATURES) => {
  const parsed = parseJsonRule({ name: "a", abi, conditions });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  // what is kept of it must come to the same
  const again = parseJsonRuleText(parsed.rule.text);
  expect(again).toEqual(parsed);
  return parsed.rule.condition;
};
const problemsOf = (conditions: unknown, abi: unknown = SIGNATURES): string[] => {
  const parsed = parseJsonRule({ name: "a", abi, conditions });
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

/** Every eighth. */
const mainnetRecords = (): TransactionRecord[] =>
  mainnetLines()
    .filter((_, i) => i % 8 === 0)
    .map((line) => JSON.parse(line.toString()) as TransactionRecord);

function framesOf(records: readonly TransactionRecord[]) {
  const writer = createFrameWriter();
  for (const record of records) writeFrame(writer, record);
  return { bytes: writer.bytes, words: writer.u32, offsets: writer.offsets, count: writer.count };
}

/** Transactions by rule. */
function selected(records: readonly TransactionRecord[], conditions: readonly unknown[], lists?: Lists): number[][] {
  const index = createRuleIndex(conditions.map((each) => conditionOf(each)));
  const frames = framesOf(records);
  index.select(framesOf(records.slice(-1)), lists); // the second time must not know of the first
  const { rules, matched, starts, transactions } = index.select(frames, lists);
  const found: number[][] = conditions.map(() => []);
  for (let r = 0; r < matched; r++) found[rules[r]!] = [...transactions.subarray(starts[r], starts[r + 1])];
  return found;
}

type Arguments = Readonly<Record<string, unknown>>;
/** What viem makes of a transaction: for each name, its logs' or its call's arguments. */
type Decoded = ReadonlyMap<string, readonly Arguments[]>;

function decode({ input, receipt }: TransactionRecord): Decoded {
  const found = new Map<string, Arguments[]>();
  const add = (name: string, args: Arguments): void => void found.set(name, [...(found.get(name) ?? []), args]);
  for (const { address, topics, data } of receipt?.logs ?? []) {
    const log = tried(() => decodeEventLog({ abi: ABI, topics: topics as [Hex], data: data as Hex, strict: true }));
    if (log) add(`event.${log.eventName}`, { ...log.args, address });
  }
  const call = tried(() => decodeFunctionData({ abi: ABI, data: input as Hex }));
  const item = ABI.find((each) => each.type === "function" && each.name === call?.functionName);
  if (call && item)
    add(`call.${call.functionName}`, Object.fromEntries(item.inputs.map((input, i) => [input.name, call.args[i]])));
  return found;
}

/** undefined where viem finds no such event or call. */
function tried<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

/** One comparison with a value that occurs, or one beside it. */
interface Comparison {
  readonly name: string;
  readonly operator: string;
  readonly value: string | string[];
}
const COMPARE: Readonly<Record<string, (own: bigint, value: bigint) => boolean>> = {
  eq: (own, value) => own === value,
  ne: (own, value) => own !== value,
  gt: (own, value) => own > value,
  gte: (own, value) => own >= value,
  lt: (own, value) => own < value,
  lte: (own, value) => own <= value,
};

function valueAt(args: Arguments, name: string): unknown {
  const [, path, index] = /^(\w+)(?:\[(-?\d+)\])?$/.exec(name)!;
  const own = args[path!];
  return index === undefined ? own : (own as unknown[]).at(Number(index));
}

function passes(args: Arguments, { name, operator, value }: Comparison): boolean {
  const found = valueAt(args, name);
  if (found === undefined) return operator === "ne" || operator === "not_in";
  const own = BigInt(found as bigint);
  if (operator === "in") return (value as string[]).some((each) => BigInt(each) === own);
  if (operator === "not_in") return !(value as string[]).some((each) => BigInt(each) === own);
  return COMPARE[operator]!(own, BigInt(value as string));
}

/** Of one event or call: all of `and`, and one of `or`, if there are any. */
interface Group {
  readonly source: string;
  readonly and: readonly Comparison[];
  readonly or: readonly Comparison[];
  readonly negated: boolean;
}

const holds = (decoded: Decoded, { source, and, or, negated }: Group): boolean =>
  (decoded.get(source) ?? []).some(
    (args) => and.every((each) => passes(args, each)) && (or.length === 0 || or.some((each) => passes(args, each))),
  ) !== negated;

/** As people write it: comparisons flat in the rule's `and`, where they find each other again. */
function written({ source, and, or, negated }: Group): unknown[] {
  const one = ({ name, operator, value }: Comparison) => ({ [`${source}.${name}_${operator}`]: value });
  const parts = [...and.map(one), ...(or.length > 0 ? [{ or: or.map(one) }] : [])];
  return negated ? [{ not: { and: parts } }] : parts;
}

const INDEXES: Readonly<Record<string, readonly string[]>> = { path: ["path[0]", "path[-1]", "path[2]"] };

function groupFor(source: string, seen: readonly Arguments[]): fc.Arbitrary<Group> {
  const names = Object.keys(seen[0]!).flatMap((name) => INDEXES[name] ?? [name]);
  const comparison = fc.constantFrom(...names).chain((name): fc.Arbitrary<Comparison> => {
    const values = seen.map((args) => valueAt(args, name)).filter((value) => value !== undefined);
    const own = fc.constantFrom(...(values as (string | bigint)[]));
    if (typeof values[0] === "string") {
      const few = fc.array(own.map(String), { minLength: 1, maxLength: 3 });
      return fc.oneof(
        fc.record({ name: fc.constant(name), operator: fc.constantFrom("eq", "ne"), value: own.map(String) }),
        fc.record({ name: fc.constant(name), operator: fc.constantFrom("in", "not_in"), value: few }),
      );
    }
    const value = fc.tuple(own, fc.constantFrom(-1n, 0n, 0n, 1n)).map(([found, beside]) => {
      const number = BigInt(found) + beside;
      return String((number < 0n && BigInt(found) >= 0n) || number === 2n ** 256n ? BigInt(found) : number);
    });
    return fc.record({ name: fc.constant(name), operator: fc.constantFrom(...Object.keys(COMPARE)), value });
  });
  const usually = { weight: 5, arbitrary: fc.constant(false) };
  return fc.record({
    source: fc.constant(source),
    and: fc.array(comparison, { minLength: 1, maxLength: 3 }),
    or: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(comparison, { minLength: 1, maxLength: 3 })),
    negated: fc.oneof(usually, fc.constant(true)),
  });
}

describe("conditions on events and calls", () => {
  test("1,000 rules on mainnet transactions select what viem and plain JavaScript do", (context) => {
    const lines = mainnetLines();
    if (lines.length === 0) context.skip("no mainnet data beside the checkout");
    const records = lines.filter((_, i) => i % 8 === 0).map((line) => JSON.parse(line.toString()) as TransactionRecord);
    const decoded = records.map(decode);
    const seen = new Map<string, Arguments[]>();
    for (const each of decoded)
      for (const [source, args] of each) seen.set(source, [...(seen.get(source) ?? []), ...args]);
    expect([...seen.keys()].sort()).toEqual(
      ABI.map(({ type, name }) => `${type === "event" ? "event" : "call"}.${name}`).sort(),
    );
    const group = fc.constantFrom(...seen.keys()).chain((source) => groupFor(source, seen.get(source)!));
    const rules = fc.sample(fc.uniqueArray(group, { selector: ({ source }) => source, minLength: 1, maxLength: 2 }), {
      numRuns: 1_000,
      seed: 7,
    });
    const expected = rules.map((groups) =>
      decoded.flatMap((each, i) => (groups.every((group) => holds(each, group)) ? [i] : [])),
    );
    expect(
      selected(
        records,
        rules.map((groups) => ({ and: groups.flatMap(written) })),
      ),
    ).toEqual(expected);
    expect(expected.filter((found) => found.length > 0 && found.length < records.length).length).toBeGreaterThan(400);
  });

  test("hundreds of thresholds of one argument, beside what else is asked of it", (context) => {
    const records = mainnetRecords();
    if (records.length === 0) context.skip("no mainnet data beside the checkout");
    const decoded = records.map(decode);
    for (const [source, name, other] of [
      ["event.Transfer", "value", "to"],
      ["call.transfer", "amount", "to"],
    ] as const) {
      const seen = decoded.flatMap((each) => each.get(source) ?? []);
      const rules = fc.sample(
        fc.tuple(fc.constantFrom(...seen), fc.constantFrom("gte", "gt", "eq"), fc.constantFrom(-1n, 0n, 1n), fc.nat(2)),
        { numRuns: 300, seed: 5 },
      );
      const groups = rules.map(([args, operator, beside, more]): Group => {
        const found = args[name] as bigint;
        const value = String(BigInt.asUintN(256, found + beside));
        const and = [
          { name, operator, value },
          { name: other, operator: "ne", value: String(args[other]) },
        ];
        return { source, and: and.slice(0, more === 0 ? 1 : 2), or: [], negated: false };
      });
      const expected = groups.map((group) => decoded.flatMap((each, i) => (holds(each, group) ? [i] : [])));
      expect(
        selected(
          records,
          groups.map((group) => ({ and: written(group) })),
        ),
      ).toEqual(expected);
      expect(expected.filter((found) => found.length > 0).length).toBeGreaterThan(150);
    }
  });

  const [A, B, TOKEN] = ["a", "b", "c"].map((digit) => `0x${digit.repeat(40)}`) as [Hex, Hex, Hex];
  const word = (value: bigint | Hex): string => toHex(BigInt(value), { size: 32 });
  const TRANSFER = toEventSelector("Transfer(address,address,uint256)");
  const transferLog = (from: Hex, to: Hex, data: string, address = TOKEN) => ({
    ...{ address, data, logIndex: "0x0", topics: [TRANSFER, word(from), word(to)] },
  });
  const withLogs = (...logs: object[]): TransactionRecord =>
    ({
      ...BLANK,
      receipt: { logs: logs.map((log, i) => ({ ...log, logIndex: toHex(i) })) },
    }) as unknown as TransactionRecord;
  const BLANK = {
    ...{ chainId: 1, hash: word(7n), from: A, to: TOKEN, nonce: "0x0", value: "0x0", gas: "0x5208", input: "0x" },
  };
  const holdsFor = (record: TransactionRecord, ...conditions: unknown[]): boolean[] =>
    selected([record], conditions).map((found) => found.length === 1);

  test("comparisons of one event are of one log; a not says that no log is so", () => {
    const record = withLogs(transferLog(A, B, word(5n)), transferLog(B, A, word(50n)));
    const [from, much] = [{ "event.Transfer.from": A }, { "event.Transfer.value_gte": 50 }];
    expect(holdsFor(record, from, much, { and: [from, much] }, { ...from, ...much })).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(holdsFor(record, { and: [from, { and: [much, { chain_id: 1 }] }] })).toEqual([false]);
    expect(holdsFor(record, { and: [from, { or: [much, { "event.Transfer.to": A }] }] })).toEqual([false]);
    expect(holdsFor(record, { and: [from, { or: [much, { "event.Transfer.to": B }] }] })).toEqual([true]);
    expect(holdsFor(record, { or: [{ and: [from, much] }, { and: [much, { chain_id: 1 }] }] })).toEqual([true]);
    // ne is of the log, not is of all of them
    expect(holdsFor(record, { "event.Transfer.to_ne": A }, { not: { "event.Transfer.to": A } })).toEqual([true, false]);
    expect(holdsFor(record, { and: [much, { not: from }] }, { and: [much, { "event.Transfer.from_ne": A }] })).toEqual([
      ...[false, true],
    ]);
    expect(holdsFor(withLogs(), { "event.Transfer.to_ne": A }, { not: { "event.Transfer.to": A } })).toEqual([
      false,
      true,
    ]);
  });

  test("what could be of the same log or of another is refused", () => {
    const or = { or: [{ "event.Transfer.to": A }, { chain_id: 1 }] };
    expect(problemsOf({ and: [{ "event.Transfer.from": A }, or] })).toEqual([
      expect.stringContaining('conditions: Cannot tell whether an "or" that names event Transfer('),
    ]);
    expect(problemsOf({ and: [or, or] })).toHaveLength(1);
    expect(
      problemsOf({ and: [{ "call.transfer.to": A }, { or: [{ "call.transfer.amount": 1 }, { chain_id: 1 }] }] }),
    ).toEqual([]);
    expect(problemsOf({ and: [{ "event.Sync.reserve0": 1 }, { not: or }, or] })).toEqual([]);
  });

  test("an event is there or not, by all its topics; its contract is its address", () => {
    const nft = { ...transferLog(A, B, "0x"), topics: [TRANSFER, word(A), word(B), word(7n)] };
    const conditions = [
      { "event.Transfer_exists": true },
      { "event.Transfer_exists": false },
      { "event.Transfer.value": null },
    ];
    expect(holdsFor(withLogs(nft), ...conditions)).toEqual([false, true, true]);
    expect(holdsFor(withLogs(transferLog(A, B, word(1n))), ...conditions)).toEqual([true, false, false]);
    expect(holdsFor(withLogs(transferLog(A, B, "0x01")), ...conditions)).toEqual([true, false, true]);
    expect(
      holdsFor(withLogs(transferLog(A, B, "0x01")), { "event.Transfer.value_ne": 1 }, { "event.Transfer.value_lt": 9 }),
    ).toEqual([true, false]);
    const by = (address: Hex) => ({ "event.Transfer.address": address, "event.Transfer.from": A });
    expect(holdsFor(withLogs(transferLog(A, B, word(1n))), by(TOKEN), by(B))).toEqual([true, false]);
  });

  test("lists, signed numbers, calls with structs, text", () => {
    const abi = [
      "function put((uint256 amount, string note) params, bool yes)",
      {
        type: "event",
        name: "Moved",
        inputs: [
          { name: "by", type: "int24" },
          { name: "tag", type: "bytes4", indexed: true },
        ],
      },
    ];
    const input = encodeFunctionData({
      abi: parseAbi([abi[0] as "function put((uint256 amount, string note) params, bool yes)"]),
      args: [{ amount: 5n, note: "hello wörld" }, true],
    });
    const moved = {
      address: TOKEN,
      data: encodeAbiParameters([{ type: "int24" }], [-5]),
      topics: [toEventSelector("Moved(int24,bytes4)"), "0x12345678".padEnd(66, "0")],
    };
    const record = { ...withLogs(moved), input } as TransactionRecord;
    const holding = (conditions: unknown, given: TransactionRecord = record): boolean => {
      const builder = buildList(4, 1);
      builder.add(Buffer.from("12345678", "hex"));
      const index = createRuleIndex([conditionOf(conditions, abi)]);
      return index.select(framesOf([given]), new Map([["tags", builder.done()]])).count === 1;
    };
    for (const conditions of [
      { "event.Moved.by": -5 },
      { "event.Moved.by_lt": "-4", "event.Moved.by_gt": "-6" },
      { "event.Moved.by_lt": 0, "event.Moved.tag_in_list": "tags" },
      { "event.Moved.by_in": [1, -5] },
      { "call.put.params.amount_gte": "5", "call.put.yes": true },
      { "call.put.params.note_contains": "wör", "call.put.params.note_starts_with": "hello" },
      { "call.put.params.note_regex": "^hello w.rld$" },
      { "call.put((uint256,string),bool).params.note_in": ["hello wörld", "x"] },
    ]) {
      expect([conditions, holding(conditions)]).toEqual([conditions, true]);
      expect(holding({ not: conditions })).toBe(false);
    }
    for (const conditions of [
      { "event.Moved.by_gt": 0 },
      { "event.Moved.tag_not_in_list": "tags" },
      { "call.put.yes": false },
      { "call.put.yes_ne": true },
      { "call.put.params.note": "hello" },
    ])
      expect([conditions, holding(conditions)]).toEqual([conditions, false]);
    // cut short anywhere but in the padding behind the text, the text is not there, and nothing throws
    for (let cut = 2; cut < input.length - 40; cut += 6)
      expect(
        holding({ "call.put.params.note_contains": "wör" }, {
          ...record,
          input: input.slice(0, cut),
        } as TransactionRecord),
      ).toBe(false);
  });

  test("a transaction with 10,000 logs that all lead to a rule is walked once a rule", () => {
    const logs = Array.from({ length: 10_000 }, () => transferLog(A, B, word(5n)));
    const rules = Array.from({ length: 50 }, (_, i) => ({ "event.Transfer.value_gte": 6 + i }));
    const started = process.cpuUsage();
    expect(selected([withLogs(...logs)], rules).flat()).toEqual([]);
    const { user } = process.cpuUsage(started); // 10,000 × 10,000 × 50 comparisons would take minutes
    expect(user / 1e6).toBeLessThan(20);
  });

  test("wrong names are told with what was meant", () => {
    expect(problemsOf({ "event.Transfr.value_gte": 1 })).toEqual([
      'conditions.event.Transfr.value_gte: Unknown event "Transfr": expected one of Transfer, Approval, Sync, Swap. Did you mean "Transfer"?',
    ]);
    expect(problemsOf({ and: [{ field: "event.Transfer.vaule", operator: "gte", value: 1 }] })).toEqual([
      'conditions.and.0.field: Unknown argument "vaule" of the event Transfer(address,address,uint256): expected one of from, to, value, address. Did you mean "value"?',
    ]);
    expect(problemsOf({ "call.transfer.too": A })[0]).toContain(
      'of the call of transfer(address,uint256): expected one of to, amount. Did you mean "to"?',
    );
    expect(problemsOf({ "call.swapExactETHForTokens.path": A })[0]).toContain(
      "path is an array (address[]): expected path[0], path[-1] or path.length",
    );
    expect(problemsOf({ "call.transfer.to[0]": A })[0]).toContain("to is address: expected nothing behind it");
    expect(problemsOf({ "event.Transfer.value_contains": "0x12" })[0]).toContain(
      '"contains" cannot be asked of event.Transfer.value',
    );
    expect(problemsOf({ "event.Transfer": true })[0]).toContain(
      '"eq" cannot be asked of event.Transfer: expected one of exists',
    );
    expect(problemsOf({ "event.Transfer.value": -1 })[0]).toContain("Expected a whole number");
    expect(problemsOf({ "event.Swap.tick": 2 ** 24 })[0]).toContain("Expected at most 2^23 - 1, got 16777216");
    expect(problemsOf({ "event.Swap.tick": -(2 ** 24) })[0]).toContain("Expected at least -2^23, got -16777216");
    expect(JSON.stringify(parseJsonRule({ name: "a", conditions: { "event.Transfer.value": 1 } }))).toContain(
      "expected a rule with",
    );
    expect(problemsOf({ value: 1 })[0]).toContain("abi: No condition names an event or a function of it");
    const twice = [
      ...SIGNATURES,
      "event Transfer(address from, address to, uint256 value)",
      "function transfer(uint256 id)",
    ];
    expect(problemsOf({ "event.Transfer.value": 1 }, twice)[0]).toContain("several events Transfer: leave one out");
    expect(problemsOf({ "call.transfer.to": A }, twice)[0]).toContain(
      "name it call.transfer(address,uint256), call.transfer(uint256)",
    );
    expect(problemsOf({ "call.transfer(uint256).id": 1 }, twice)).toEqual([]);
  });

  test("explain shows the log that is so, or comes nearest", () => {
    const frames = framesOf([withLogs(transferLog(A, B, word(5n)), transferLog(B, A, word(50n)))]);
    const explained = (conditions: unknown) =>
      explain(conditionOf(conditions), { bytes: frames.bytes, u32: frames.words }, 0);
    const leaf = (name: string, operator: string, value: string, actual: string, holds: boolean) => ({
      ...{ field: `event.Transfer.${name}`, operator, value, actual, holds },
    });
    expect(explained({ "event.Transfer.to": A, "event.Transfer.value_gt": 40 })).toEqual({
      ...{ holds: true, match: SIGNATURES[0], log_index: 1 },
      where: { holds: true, and: [leaf("to", "eq", A, A, true), leaf("value", "gt", "40", "50", true)] },
    });
    const not = explained({ "event.Transfer.to": A, "event.Transfer.value_gt": 60 });
    expect(not).toMatchObject({
      holds: false,
      log_index: 1,
      where: { and: [{ holds: true }, { holds: false, actual: "50" }] },
    });
    expect(firstFailure(not)).toEqual(leaf("value", "gt", "60", "50", false));
    expect(explained({ "event.Sync.reserve0": 1 })).toMatchObject({
      holds: false,
      log_index: null,
      where: { actual: null },
    });
  });
});
