import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeJson } from "./decodeJson.ts";
import { lastError } from "./describeError.ts";
import { frameToJson } from "./frameToJson.ts";
import { createFrameWriter } from "./frameWriter.ts";
import { extraAt, extraText, frameSize } from "./readFrame.ts";
import { HEADER_SIZE, OFFSET } from "./schema.ts";
import { mainnetLines } from "./testing/mainnet.ts";
import { mutate, mutations } from "./testing/mutate.ts";
import { shuffled, transaction } from "./testing/records.ts";
import { normalExtra, referenceDecode } from "./testing/reference.ts";
import { validateFrame } from "./validateFrame.ts";
import type { TransactionRecord } from "./writeFrame.ts";

// In CI, 100,000 runs: FUZZ_RUNS=100000 FUZZ_SEED=7 npx vitest run engine/frame/decodeJson.fuzz.test.ts
const runs = Number(process.env.FUZZ_RUNS ?? 20_000);
const seed = Number(process.env.FUZZ_SEED ?? 20_240_901);
const few = Math.ceil(runs / 100);

const writer = createFrameWriter();
const again = createFrameWriter();
const mainnet = mainnetLines();

/** Decodes with both and compares: "" if they agree, else how they differ. */
function disagreement(source: Uint8Array): { accepted: boolean; difference: string } {
  writer.reset();
  const code = decodeJson(source, 0, source.length, writer);
  const reference = referenceDecode(source);
  const accepted = code === 0;
  if (typeof reference === "string") {
    if (accepted) return { accepted, difference: `accepted, but the reference says: ${reference}` };
    if (writer.end !== 0 || writer.count !== 0) return { accepted, difference: "refused, but the writer has moved" };
    const { at } = lastError();
    return { accepted, difference: at >= 0 && at <= source.length ? "" : `error at byte ${at} of ${source.length}` };
  }
  if (!accepted) return { accepted, difference: `refused, but the reference accepts: ${lastError().message}` };
  const body = Buffer.from(writer.bytes.subarray(0, extraAt(writer, 0)));
  body.writeUInt32LE(0, OFFSET.size);
  body.writeUInt32LE(0, OFFSET.extraLength);
  if (!body.equals(reference.bytes)) return { accepted, difference: "header, input, access list or logs differ" };
  const extra = normalExtra(extraText(writer, 0));
  if (extra !== reference.extra) return { accepted, difference: `extra: ${extra} ≠ ${reference.extra}` };
  return { accepted, difference: validateFrame(writer, 0, writer.end) === writer.end ? "" : "fails validateFrame" };
}

/** JSON → frame → JSON → frame: "" if the second frame's bytes are the first's, else what is not. */
function roundTripDifference(): string {
  const json = frameToJson(writer, 0);
  if (json.includes("\n")) return "a line feed in the JSON";
  const bytes = Buffer.from(json);
  again.reset();
  if (decodeJson(bytes, 0, bytes.length, again) !== 0) return `its JSON is refused: ${lastError().message}`;
  const [first, second] = [writer, again].map(({ bytes, end }) => bytes.subarray(0, end));
  if (Buffer.compare(first!, second!) !== 0) return "the frames differ";
  return frameToJson(again, 0) === json ? "" : "the JSONs differ";
}

function sourceOf(record: unknown, space?: number): Buffer {
  return Buffer.from(JSON.stringify(record, null, space));
}

test("any transaction survives JSON → frame → JSON → frame bit for bit, in any order of its members", () => {
  fc.assert(
    fc.property(transaction, fc.nat(), fc.constantFrom(undefined, 1), (record, order, space) => {
      expect(disagreement(sourceOf(shuffled(record, order), space))).toEqual({ accepted: true, difference: "" });
      expect(roundTripDifference()).toBe("");
    }),
    { seed, numRuns: Math.max(few, 500) },
  );
});

test("all mainnet transactions decode, agree with the reference on every field and survive the round trip", () => {
  for (const line of mainnet) {
    const { accepted, difference } = disagreement(line);
    expect(accepted ? difference || roundTripDifference() : "refused").toBe("");
  }
  if (mainnet.length > 0) expect(mainnet.length).toBe(11_850);
});

test("mutations of valid records agree with the reference on accept or reject and on every field", () => {
  const synthetic = fc.sample(transaction, { seed, numRuns: 400 }).map((record) => sourceOf(record));
  const real = mainnet.filter((line, i) => line.length < 3000 && i % 40 === 0);
  const bases = [...synthetic, ...real].map((base) => base.toString("latin1"));
  let accepted = 0;
  fc.assert(
    fc.property(fc.nat(bases.length - 1), fc.nat(bases.length - 1), mutations, (base, other, changes) => {
      const source = Buffer.from(mutate(bases[base]!, bases[other]!, changes), "latin1");
      const result = disagreement(source);
      if (result.difference !== "") throw new Error(`${result.difference}\n${source.toString("latin1")}`);
      if (result.accepted) {
        accepted++;
        if (accepted % 10 === 0) expect(roundTripDifference()).toBe("");
      }
    }),
    { seed, numRuns: runs },
  );
  // Both outcomes are well tried.
  expect(accepted).toBeGreaterThan(runs * 0.1);
  expect(accepted).toBeLessThan(runs * 0.9);
});

test("a mutated packed frame is refused, or is a frame that its JSON gives again", () => {
  const frames = fc.sample(transaction, { seed, numRuns: 200 }).map((record: TransactionRecord) => {
    const source = sourceOf(record);
    writer.reset();
    expect(decodeJson(source, 0, source.length, writer)).toBe(0);
    return writer.bytes.slice(0, frameSize(writer, 0));
  });
  let valid = 0;
  const change = fc.tuple(fc.nat(2 ** 31 - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 32, 255)), fc.boolean());
  fc.assert(
    fc.property(
      fc.nat(frames.length - 1),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.nat(40),
      (base, changes, cut) => {
        const frame = frames[base]!;
        const available = cut < 4 ? Math.floor((frame.length * cut) / 4) : frame.length;
        writer.reset();
        writer.bytes.fill(0xa5, 0, 8192); // what lies behind must not matter
        writer.bytes.set(frame.subarray(0, available));
        for (const [at, byte, inHeader] of changes) {
          const size = inHeader ? 48 : available;
          if (size <= available && size > 0) writer.bytes[at % size] = byte;
        }
        const size = validateFrame(writer, 0, available);
        if (size < 0) return;
        valid++;
        writer.commit(size, 0);
        expect(size).toBeLessThanOrEqual(available);
        expect(roundTripDifference()).toBe("");
      },
    ),
    { seed, numRuns: Math.max(few * 10, 1000) },
  );
  expect(valid).toBeGreaterThan(100);
});

test("memory stays linear in the text, whatever it is", () => {
  const size = 1 << 18;
  const valid = sourceOf(fc.sample(transaction, { seed, numRuns: 1 })[0])
    .toString()
    .slice(1);
  const many = (item: (i: number) => string, length: number) =>
    Array.from({ length: size / length }, (_, i) => item(i)).join();
  const hostile: Record<string, string> = {
    "unknown keys": `{${many((i) => `"${i}":0`, 9)},${valid}`,
    "the same unknown key": `{${many(() => '"a":0', 6)},${valid}`,
    "escaped keys": `{${many((i) => `"\\u0061${i}":0`, 15)},${valid}`,
    "nested objects of many keys": `{"x":{${many((i) => `"${i}":{"a":{}}`, 18)}},${valid}`,
    "open brackets": `{"x":${"[".repeat(size)}`,
    "open braces": '{"x":'.repeat(size / 5),
    "empty logs": `{"receipt":{"logs":[${many(() => "{}", 3)}]},${valid}`,
    spaces: `{${" ".repeat(size)}${valid}`,
    digits: `{"chainId":${"1".repeat(size)},${valid}`,
    "hex digits": `{"hash":"0x${"1".repeat(size)}",${valid}`,
    quotes: '"'.repeat(size),
    backslashes: `{"${"\\".repeat(size)}`,
  };
  for (const [name, json] of Object.entries(hostile)) {
    const source = Buffer.from(json);
    const fresh = createFrameWriter({ capacity: 1024 });
    const accepted = decodeJson(source, 0, source.length, fresh) === 0;
    // extra can be 17 / 6 of the text: "receipt." before each key of an empty name; growing doubles
    expect(fresh.bytes.length, name).toBeLessThan(2 * (3 * source.length + HEADER_SIZE + 512));
    expect(accepted, name).toBe(typeof referenceDecode(source) !== "string");
  }
});
