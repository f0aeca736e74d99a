/** The index against plain JavaScript over the records' JSON: every field and operator, any nesting, any number of rules. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attachFacts } from "../chain/facts/attachFacts.ts";
import type { TransactionFacts } from "../chain/facts/factsOf.ts";
import { FACT_FLAG, type FactFlag } from "../chain/facts/schema.ts";
import { someFacts } from "../chain/facts/testing/someFacts.ts";
import type { Condition, Predicate } from "../condition/condition.ts";
import { RULE_FIELDS, type RuleField } from "../condition/fields.ts";
import { parseCondition } from "../condition/parseCondition.ts";
import { createFrameWriter } from "../frame/frameWriter.ts";
import { OFFSET } from "../frame/schema.ts";
import { mainnetLines } from "../frame/testing/mainnet.ts";
import { transaction as plainTransaction } from "../frame/testing/records.ts";
import { type TransactionRecord, writeFrame } from "../frame/writeFrame.ts";
import { buildList, type ListTable } from "../world/listTable.ts";
import { createAmendableIndex } from "./amendedIndex.ts";
import { createRuleIndex, type RuleIndex } from "./ruleIndex.ts";

const writer = createFrameWriter();

/** Of the records that have some. */
const FACTS = new WeakMap<TransactionRecord, TransactionFacts>();

function withFacts(record: TransactionRecord, facts: TransactionFacts | undefined): TransactionRecord {
  if (facts) FACTS.set(record, facts);
  return record;
}

const transaction = fc
  .tuple(plainTransaction, fc.option(someFacts, { nil: undefined }))
  .map(([record, facts]) => withFacts({ ...record }, facts));

/** Transactions by rule. Every second rule, and then the others, are only counted as well, and must come to as many. */
function selected(records: readonly TransactionRecord[], conditions: readonly Condition[]): number[][] {
  writer.reset();
  for (const record of records) writeFrame(writer, record);
  const { bytes, u32: words, offsets, count: written } = writer;
  const facts = new Map(records.flatMap((record, i) => (FACTS.has(record) ? [[i, FACTS.get(record)!] as const] : [])));
  const { shown, ...memory } = attachFacts({ bytes, words, frames: offsets, count: written }, facts);
  const frames = { ...memory, offsets: shown, count: written };
  const index = createRuleIndex(conditions);
  const lists = listsOf(records);
  index.select(frames, new Map([...lists].map(([name, { bytes }]) => [name, buildList(bytes, 0).done()])));
  // the second time must not know of the first
  const { rules, matched, starts, transactions, count } = index.select(frames, lists);
  const found: number[][] = conditions.map(() => []);
  for (let r = 0; r < matched; r++) found[rules[r]!] = [...transactions.subarray(starts[r], starts[r + 1])];
  expect(count).toBe(found.flat().length);
  for (const odd of [0, 1]) {
    const counted = conditions.map((_, rule) => rule % 2 === odd);
    const some = odd === 0 ? createRuleIndex(conditions, counted) : amendedIndex(conditions, counted);
    some.select(frames, lists);
    const { rules, matched, counts, starts, transactions } = some.select(frames, lists);
    const numbers = conditions.map(() => 0);
    for (let r = 0; r < matched; r++) {
      numbers[rules[r]!] = counts[r]!;
      if (!counted[rules[r]!]) expect([...transactions.subarray(starts[r], starts[r + 1])]).toEqual(found[rules[r]!]);
    }
    expect(numbers).toEqual(found.map(({ length }) => length));
  }
  return found;
}

/** The same index, out of one that knows a third of them and another rule, in two steps. */
function amendedIndex(conditions: readonly Condition[], counted: readonly boolean[]): RuleIndex {
  const numbers = [...conditions.keys()];
  let known = [-1, ...numbers.filter((i) => i % 3 === 1)];
  const conditionsOf = (some: number[]): Condition[] => some.map((i) => conditions[i] ?? { and: [] });
  const countedOf = (some: number[]): boolean[] => some.map((i) => counted[i] ?? false);
  let index = createAmendableIndex(conditionsOf(known), countedOf(known));
  for (const next of [numbers.filter((i) => i % 3 !== 2), numbers]) {
    const places = Int32Array.from(next, (i) => known.indexOf(i));
    index = index.amended(conditionsOf(next), countedOf(next), places);
    known = next;
  }
  return index;
}

/** Of each width a list that has every other of the records' values, by the name that has its bytes. */
function listedValues(records: readonly TransactionRecord[]): Map<string, Set<string>> {
  return new Map(
    [4, 20, 32].map((bytes) => {
      const fields = RULE_FIELDS.filter(
        (field) => "bytes" in field && field.kind !== "factName" && field.bytes === bytes,
      );
      const values = new Set(fields.flatMap((field) => records.flatMap((record) => valuesOf(record, field))));
      return [`list-${bytes}`, new Set([...values].sort().filter((_, i) => i % 2 === 0))];
    }),
  );
}

const listsOf = (records: readonly TransactionRecord[]): Map<string, ListTable> =>
  new Map(
    [...listedValues(records)].map(([name, values]) => {
      const builder = buildList(Number(name.slice(5)), values.size);
      builder.add(Uint8Array.from(Buffer.from([...values].map((hex) => hex.slice(2)).join(""), "hex")));
      return [name, builder.done()];
    }),
  );

/** Every value that the record has for a field, as canonical text: none when it is absent, several for logs. */
function valuesOf(record: TransactionRecord, field: RuleField): string[] {
  const { name, kind } = field;
  const { block, receipt } = record;
  const facts = FACTS.get(record);
  if ("section" in field)
    return (facts?.entries[field.section] ?? []).flatMap((entry) => {
      const value = entry[name.slice(field.section.length + 1)];
      return value === undefined ? [] : [String(value)];
    });
  if (field.kind === "factFlag") {
    const [flag] = (Object.keys(FACT_FLAG) as FactFlag[]).filter((each) => FACT_FLAG[each] === field.flag);
    return [String(facts?.flags.has(flag!) ?? false)];
  }
  const logs = receipt?.logs ?? [];
  const some = (value: unknown): string[] =>
    value == null ? [] : [kind === "integer" ? String(BigInt(value as string)) : String(value)];
  const topic = /^topic(\d)$/.exec(name);
  if (topic) return logs.flatMap(({ topics }) => topics[Number(topic[1])] ?? []);
  switch (name) {
    case "logAddress": return logs.map(({ address }) => address);
    case "selector": return record.input.length >= 10 ? [record.input.slice(0, 10)] : [];
    case "input": return [record.input];
    case "inputLength": return [String((record.input.length - 2) / 2)];
    case "logCount": return receipt?.logs == null ? [] : [String(logs.length)];
    case "pending": return [String(record.blockNumber == null)];
    case "created": return [String(record.to == null)];
    case "swapCount": return [String(facts?.entries.swap.length ?? 0)];
    case "risk": return [String(facts?.risk ?? 0)];
    case "seenPendingFor": {
      if (record.seenAt == null || block?.timestamp == null) return [];
      const ms = Math.floor((Number(block.timestamp) * 1e6 - Math.round(Number(record.seenAt) * 1_000)) / 1_000);
      return [String(Math.min(Math.max(ms, 0), Number.MAX_SAFE_INTEGER))];
    }
    case "seenAt": return some(record.seenAt == null ? null : Math.floor(Math.round(Number(record.seenAt) * 1_000) / 1_000));
    case "blockParentHash": return some(block?.parentHash);
    case "blockTimestamp": return some(block?.timestamp);
    case "miner": return some(block?.miner);
    case "blockGasUsed": return some(block?.gasUsed);
    case "blockGasLimit": return some(block?.gasLimit);
    case "baseFeePerGas": return some(block?.baseFeePerGas);
    case "blockTransactionCount": return some(block?.transactionCount);
    case "status": case "gasUsed": case "cumulativeGasUsed": case "effectiveGasPrice": case "contractAddress":
      return some(receipt?.[name]);
    default: return some((record as unknown as Record<string, unknown>)[name]);
  } // biome-ignore format: a table
}

const FIELD = new Map(RULE_FIELDS.map((field) => [field.name, field]));

/** What a comparison means, said once more, without the index. */
function passes(record: TransactionRecord, condition: Condition, lists: ReadonlyMap<string, Set<string>>): boolean {
  if ("and" in condition) return condition.and.every((each) => passes(record, each, lists));
  if ("or" in condition) return condition.or.some((each) => passes(record, each, lists));
  if ("not" in condition) return !passes(record, condition.not, lists);
  if ("match" in condition) throw new Error("arguments of events have a test of their own: abiConditions.test.ts");
  const { operator, value } = condition;
  const field = FIELD.get(condition.field)!;
  const values = valuesOf(record, field);
  const any = (test: (own: string) => boolean): boolean => values.some(test);
  const text = String(value);
  switch (operator) {
    case "eq": return any((own) => own === text);
    case "ne": return !any((own) => own === text);
    case "gt": return any((own) => BigInt(own) > BigInt(text));
    case "gte": return any((own) => BigInt(own) >= BigInt(text));
    case "lt": return any((own) => BigInt(own) < BigInt(text));
    case "lte": return any((own) => BigInt(own) <= BigInt(text));
    case "in": return any((own) => (value as string[]).includes(own));
    case "not_in": return !any((own) => (value as string[]).includes(own));
    case "in_list": return any((own) => lists.get(text)!.has(own));
    case "not_in_list": return !any((own) => lists.get(text)!.has(own));
    case "starts_with": return any((own) => own.startsWith(text));
    case "contains": return any((own) => (own.slice(2).match(/../g) ?? []).some((_, i) => own.slice(2 + 2 * i).startsWith(text.slice(2))));
    case "regex": return any((own) => new RegExp(text).test(own));
    case "exists": return any((own) => own !== "0x") === value;
  } // biome-ignore format: a table
}

/** Comparisons with the records' own values, or values beside them: others would never match. */
function predicateFor(
  records: readonly TransactionRecord[],
  fields: readonly RuleField[] = RULE_FIELDS,
): fc.Arbitrary<Predicate> {
  return fc.constantFrom(...fields).chain((field): fc.Arbitrary<Predicate> => {
    const own = [...new Set(records.flatMap((record) => valuesOf(record, field)))];
    const of = (operators: readonly Predicate["operator"][], value: fc.Arbitrary<Predicate["value"]>) =>
      fc
        .tuple(fc.constantFrom(...operators), value)
        .map(([operator, chosen]) => ({ field: field.name, operator, value: chosen }));
    const exists = of(["exists"], fc.boolean());
    if (isBoolean(field)) return of(["eq", "ne"], fc.boolean());
    if (field.kind === "factName") {
      const name = fc.constantFrom(...own, field.choices?.[0] ?? "nobody");
      const many = of(["in", "not_in"], fc.array(name, { minLength: 1, maxLength: 3 }).map(unique));
      return fc.oneof({ weight: 2, arbitrary: of(["eq", "ne"], name) }, many, exists);
    }
    if (isNumber(field)) {
      const number = fc
        .tuple(fc.constantFrom(...(own.length > 0 ? own : ["7"])), fc.constantFrom(-1n, 0n, 0n, 1n, 2n ** 60n))
        .map(([value, beside]) => String(BigInt.asUintN(256, BigInt(value) + beside)));
      const one = of(["eq", "ne", "gt", "gte", "lt", "lte"], number);
      const many = of(["in", "not_in"], fc.array(number, { minLength: 1, maxLength: 4 }).map(unique));
      return fc.oneof({ weight: 4, arbitrary: one }, many, exists);
    }
    const none = field.kind === "input" ? "0x1234" : `0x${"00".repeat(field.bytes)}`;
    const flip = (hex: string): string => hex.slice(0, -1) + (Number.parseInt(hex.at(-1)!, 16) ^ 1).toString(16);
    const whole = fc
      .tuple(fc.constantFrom(...own, none), fc.nat(4))
      .map(([hex, i]) => (i === 0 && hex.length > 2 ? flip(hex) : hex));
    const part = fc.tuple(whole, fc.nat(6), fc.nat(6)).map(([hex, from, length]) => {
      const bytes = hex.slice(2).match(/../g) ?? ["00"];
      const start = Math.min(from, bytes.length - 1);
      return `0x${bytes.slice(start, start + length + 1).join("")}`;
    });
    const start = fc
      .tuple(whole, fc.nat(8))
      .map(([hex, length]) => (hex.length > 2 ? hex.slice(0, 4 + 2 * length) : "0x00"));
    const pattern = part.map((hex) => `${hex.slice(2, 4)}.*${hex.slice(-2)}$`);
    const member = field.kind !== "input" ? [of(["in_list", "not_in_list"], fc.constant(`list-${field.bytes}`))] : [];
    return fc.oneof(
      ...member.map((arbitrary) => ({ weight: 3, arbitrary })),
      { weight: 3, arbitrary: of(["eq", "ne"], whole) },
      { weight: 2, arbitrary: of(["in", "not_in"], fc.array(whole, { minLength: 1, maxLength: 4 }).map(unique)) },
      of(["contains"], part),
      of(["starts_with"], start),
      of(["regex"], pattern),
      exists,
    );
  });
}

const isBoolean = ({ kind }: RuleField): boolean => kind === "boolean" || kind === "factFlag";
const NUMBERS: readonly RuleField["kind"][] = ["integer", "elapsed", "factNumber", "factCount"];
const isNumber = (field: RuleField): field is Exclude<RuleField, { bytes: number } | { kind: "input" }> =>
  NUMBERS.includes(field.kind);

const unique = (values: string[]): string[] => [...new Set(values)].sort();

function conditionFor(records: readonly TransactionRecord[]): fc.Arbitrary<Condition> {
  return fc.letrec<{ any: Condition; leaf: Condition }>((tie) => ({
    leaf: predicateFor(records),
    any: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      { weight: 2, arbitrary: tie("leaf") },
      { weight: 2, arbitrary: fc.array(tie("any"), { maxLength: 4 }).map((and) => ({ and })) },
      fc.array(tie("any"), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
      tie("any").map((not) => ({ not })),
    ),
  })).any;
}

function plain(records: readonly TransactionRecord[], conditions: readonly Condition[]): number[][] {
  const lists = listedValues(records);
  return conditions.map((condition) => records.flatMap((record, i) => (passes(record, condition, lists) ? [i] : [])));
}

describe("createRuleIndex()", () => {
  test("selects what plain JavaScript selects, of any transactions, for any conditions", () => {
    const input = fc
      .array(transaction, { minLength: 1, maxLength: 10 })
      .chain((records) => fc.tuple(fc.constant(records), fc.array(conditionFor(records), { maxLength: 12 })));
    let [hits, misses] = [0, 0];
    fc.assert(
      fc.property(input, ([records, conditions]) => {
        const expected = plain(records, conditions);
        hits += expected.flat().length;
        misses += conditions.length * records.length - expected.flat().length;
        expect(selected(records, conditions)).toEqual(expected);
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 10_000) / 20 },
    );
    expect(Math.min(hits, misses)).toBeGreaterThan(200); // of conditions that always or never match, anything is true
  }); // 5,000 runs before a release take a minute

  test("what people write comes to the same as its canonical form", () => {
    const input = fc
      .array(transaction, { minLength: 1, maxLength: 5 })
      .chain((records) => fc.tuple(fc.constant(records), conditionFor(records)));
    fc.assert(
      fc.property(input, ([records, condition]) => {
        const parsed = parseCondition(JSON.parse(JSON.stringify(condition)));
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
        expect(selected(records, [parsed.condition])).toEqual(plain(records, [condition]));
        const again = parseCondition(parsed.condition);
        expect(again).toEqual(parsed);
      }),
      { numRuns: 300 },
    );
  });

  test("1,500 rules on mainnet transactions", (context) => {
    const lines = mainnetLines();
    if (lines.length === 0) context.skip("no mainnet data beside the checkout");
    const facts = fc.sample(someFacts, { numRuns: 100, seed: 12 });
    const records = lines
      .slice(0, 400)
      .map((line, i) => withFacts(JSON.parse(line.toString()), i % 4 === 0 ? facts[i / 4] : undefined));
    const conditions = fc.sample(conditionFor(records.slice(0, 40)), { numRuns: 1_500, seed: 11 });
    const expected = plain(records, conditions);
    expect(selected(records, conditions)).toEqual(expected);
    expect(expected.filter((found) => found.length > 0 && found.length < records.length).length).toBeGreaterThan(300);
  });

  test("numbers of several fields, let through by few and by many of a batch", () => {
    const records = fc.sample(transaction, { numRuns: 400, seed: 3 });
    const numbers = RULE_FIELDS.filter((field) => isNumber(field) || isBoolean(field));
    const some = fc.array(predicateFor(records, numbers), { minLength: 2, maxLength: 4 });
    const either = fc.tuple(some, some).map(([a, b]) => ({ or: [{ and: a }, { and: b }] }));
    const conditions = fc.sample(
      fc.oneof(
        some.map((and): Condition => ({ and })),
        some.map((or): Condition => ({ not: { or } })),
        either,
      ),
      { numRuns: 300, seed: 4 },
    );
    const expected = plain(records, conditions);
    expect(selected(records, conditions)).toEqual(expected);
    const [few, many] = [(found: number) => found > 0 && found < 60, (found: number) => found > 120 && found < 400];
    for (const so of [few, many]) expect(expected.filter(({ length }) => so(length)).length).toBeGreaterThan(20);
  });

  const [record] = fc.sample(transaction, { numRuns: 1, seed: 1 });

  test("numbers that only their last bit tells apart, beyond what a double holds", () => {
    const near = 2n ** 200n;
    const records = [-1n, 0n, 1n].map((by) => ({ ...record!, value: `0x${(near + by).toString(16)}` }));
    const to = record!.to ?? `0x${"1".repeat(40)}`;
    const all = records.map((each) => ({ ...each, to }));
    const value = (operator: Predicate["operator"], by: bigint): Condition => ({
      field: "value",
      operator,
      value: String(near + by),
    });
    const keyed = (condition: Condition): Condition => ({
      and: [{ field: "to", operator: "eq", value: to }, condition],
    });
    const bounds = [
      value("gt", 0n),
      value("gte", 0n),
      value("lt", 0n),
      value("lte", 0n),
      value("eq", 0n),
      value("gt", -1n),
    ];
    const expected = [[2], [1, 2], [0], [0, 1], [1], [1, 2]];
    expect(selected(all, bounds)).toEqual(expected);
    expect(selected(all, bounds.map(keyed))).toEqual(expected);
  });

  test("input that is shorter than a selector has none, also when its bytes are those of a selector of zeros", () => {
    const records = ["0x", "0x00", "0x000000", "0x00000000", "0x0000000001"].map((input) => ({ ...record!, input }));
    expect(selected(records, [{ field: "selector", operator: "eq", value: "0x00000000" }])).toEqual([[3, 4]]);
  });

  test("data of a log without topics is not a topic", () => {
    const topic = `0x${"ab".repeat(32)}`;
    const log = { address: `0x${"1".repeat(40)}`, logIndex: "0x0" };
    const logs = [
      { ...log, topics: [], data: topic },
      { ...log, topics: [`0x${"0".repeat(64)}`], data: topic },
    ];
    const records = [logs, [{ ...log, topics: [topic], data: "0x" }]].map((all) => ({
      ...record!,
      receipt: { logs: all },
    }));
    expect(selected(records, [{ field: "topic0", operator: "eq", value: topic }])).toEqual([[1]]);
  });

  test("a contract creation is not a call of the zero address", () => {
    const zero = `0x${"0".repeat(40)}`;
    const records = [
      { ...record!, to: null },
      { ...record!, to: zero },
    ];
    const is = (operator: Predicate["operator"]): Condition => ({ field: "to", operator, value: zero });
    expect(selected(records, [is("eq"), is("ne")])).toEqual([[1], [0]]);
  });

  test("keys whose hashes are the same are told apart", () => {
    // 200,000 keys and 100,000 recipients that are none of them: of 2^32 hashes some 4 or 5 are shared, 0 in one of 100 runs
    const [keys, recipients] = [200_000, 100_000];
    const addressOf = (i: number): string => `0x${(i * 0x9e3779b1).toString(16).padStart(40, "0")}`;
    const conditions = Array.from(
      { length: keys / 1_000 },
      (_, r): Condition => ({
        field: "to",
        operator: "in",
        value: Array.from({ length: 1_000 }, (_, i) => addressOf(1 + r * 1_000 + i)),
      }),
    );
    const writer = createFrameWriter();
    writeFrame(writer, { ...record!, to: addressOf(0), input: "0x", receipt: null, accessList: [] });
    const size = writer.end >> 2;
    const words = new Uint32Array(size * recipients);
    const offsets = new Uint32Array(recipients);
    for (let i = 0; i < recipients; i++) {
      words.set(writer.u32.subarray(0, size), i * size);
      const to = Buffer.from(addressOf(1 + keys + i).slice(2), "hex");
      words.set(new Uint32Array(Uint8Array.from(to).buffer), i * size + (OFFSET.to >> 2));
      offsets[i] = i * size * 4;
    }
    const frames = { bytes: new Uint8Array(words.buffer), words, offsets, count: recipients };
    expect(createRuleIndex(conditions).select(frames).count).toBe(0);
  });

  test("10,000 rules that name ten lists look a transaction up ten times, and ten times where a key is found", () => {
    const records = fc
      .sample(transaction, { numRuns: 40, seed: 3 })
      .map((each) => ({ ...each, to: each.to ?? each.from }));
    const conditions = Array.from({ length: 10_000 }, (_, i): Condition => {
      const named: Condition = { field: "from", operator: i % 3 ? "in_list" : "not_in_list", value: `ten-${i % 10}` };
      const to: Condition = { field: "to", operator: "eq", value: records[i % 4]!.to };
      return { and: [named, { field: "value", operator: "gte", value: String(i) }, ...(i % 2 ? [to] : [])] };
    });
    const writer = createFrameWriter();
    for (const record of records) writeFrame(writer, record);
    const frames = { bytes: writer.bytes, words: writer.u32, offsets: writer.offsets, count: writer.count };
    const own = listsOf(records).get("list-20")!;
    let asked = 0;
    const has: ListTable["has"] = (words, at) => {
      asked++;
      return own.has(words, at);
    };
    const lists = new Map(Array.from({ length: 10 }, (_, i) => [`ten-${i}`, { ...own, has }]));
    expect(createRuleIndex(conditions).select(frames, lists).count).toBeGreaterThan(1_000);
    expect(asked).toBeLessThanOrEqual(2 * 10 * records.length); // once for those without keys, once for those with
  });

  test("of an index that is amended, what asked a list that is gone is not asked", () => {
    const named: Condition = { field: "from", operator: "in_list", value: "gone" };
    const all: Condition = { and: [] };
    const amended = createAmendableIndex([named, all], [false, false]).amended([all], [false], Int32Array.of(1));
    writer.reset();
    writeFrame(writer, record!);
    const frames = { bytes: writer.bytes, words: writer.u32, offsets: writer.offsets, count: 1 };
    expect(amended.select(frames, new Map()).count).toBe(1);
  });

  test("no rules, no transactions, a rule for all", () => {
    expect(selected([record!], [])).toEqual([]);
    expect(selected([], [{ and: [] }])).toEqual([[]]);
    expect(selected([record!, record!], [{ and: [] }, { not: { and: [] } }])).toEqual([[0, 1], []]);
  });

  test("more combinations of fields than are hashed together, and many alternatives multiplied out", () => {
    const records = fc
      .sample(transaction, { numRuns: 30, seed: 5 })
      .map((each) => ({ ...each, to: each.to ?? `0x${"2".repeat(40)}` }));
    const fields = ["hash", "from", "to", "selector", "blockHash", "miner", "contractAddress"];
    const conditions = Array.from({ length: 2 ** fields.length - 1 }, (_, bits): Condition => {
      const chosen = fields.filter((_, i) => ((bits + 1) >> i) & 1);
      const of = records[bits % records.length]!;
      return {
        and: chosen.flatMap((name): Predicate[] => {
          const [value] = valuesOf(of, FIELD.get(name)!);
          return value === undefined ? [] : [{ field: name, operator: "eq", value }];
        }),
      };
    });
    const either: Condition = { or: [conditions[0]!, conditions[1]!, conditions[2]!] };
    const product: Condition = { and: [either, either, either, either, either] }; // 3^5 alternatives
    expect(selected(records, [...conditions, product])).toEqual(plain(records, [...conditions, product]));
  });
});
