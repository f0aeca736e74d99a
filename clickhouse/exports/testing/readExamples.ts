/** A reader of TFRecord that shares nothing with the writer: bit by bit, front to back, every checksum compared. */

type Value = string | number | (string | number)[];

/** Each record's features; a list of one is its value. @throws Error for a wrong checksum, or bytes that are no Example */
export function readExamples(file: Buffer): Record<string, Value>[] {
  const examples: Record<string, Value>[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    check(file.subarray(at, at + 8), file.readUInt32LE(at + 8));
    const body = file.subarray(at + 12, at + 12 + length);
    check(body, file.readUInt32LE(at + 12 + length));
    examples.push(exampleOf(body));
    at += 16 + length;
  }
  return examples;
}

function check(bytes: Buffer, masked: number): void {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  const value = ~crc >>> 0;
  const expected = ((((value >>> 15) | (value << 17)) >>> 0) + 0xa282ead8) % 2 ** 32;
  if (expected !== masked) throw new Error(`The checksum is ${masked}, expected ${expected}`);
}

/** Fields of a message that all have lengths. */
function fields(message: Buffer): [field: number, bytes: Buffer][] {
  const found: [number, Buffer][] = [];
  for (let at = 0; at < message.length; ) {
    const tag = message[at++]!;
    if ((tag & 7) !== 2) throw new Error(`Wire type ${tag & 7}, expected 2`);
    const [length, next] = varint(message, at);
    found.push([tag >> 3, message.subarray(next, next + Number(length))]);
    at = next + Number(length);
  }
  return found;
}

function varint(bytes: Buffer, from: number): [value: bigint, next: number] {
  let value = 0n;
  let at = from;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++]!;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [BigInt.asIntN(64, value), at];
  }
}

const only = (message: Buffer, field: number): Buffer => {
  const [[found, bytes] = [0, message], ...more] = fields(message);
  if (found !== field || more.length > 0) throw new Error(`Field ${found}, expected ${field} alone`);
  return bytes;
};

function exampleOf(message: Buffer): Record<string, Value> {
  const entries = fields(only(message, 1)).map(([, entry]) => {
    const [[, key], [, feature]] = fields(entry) as [[number, Buffer], [number, Buffer]];
    return [key.toString("utf8"), featureOf(feature)] as const;
  });
  return Object.fromEntries(entries);
}

function featureOf(feature: Buffer): Value {
  const [[kind, list]] = fields(feature) as [[number, Buffer]];
  const values: (string | number)[] = [];
  for (const [, value] of fields(list)) {
    if (kind === 1) values.push(value.toString("utf8"));
    else if (kind === 2) for (let at = 0; at < value.length; at += 4) values.push(value.readFloatLE(at));
    else
      for (let at = 0; at < value.length; ) {
        const [number, next] = varint(value, at);
        values.push(Number(number));
        at = next;
      }
  }
  return values.length === 1 ? values[0]! : values;
}
