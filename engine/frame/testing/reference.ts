import {
  FIELD_WIDTH,
  FIELDS,
  type Field,
  HEADER_SIZE,
  MAX_RECORD_BYTES,
  OFFSET,
  type Optional,
  PRESENT,
} from "../schema.ts";

/**
 * The decoder again, written the plain way on JSON.parse, regular expressions and BigInt: what decodeJson is tested against.
 * Shares nothing with it but the schema.
 */
export interface Reference {
  /** Header, input, access list and logs; `size` and `extraLength` are left 0. */
  readonly bytes: Buffer;
  /** Extra with every string in its normal spelling (see normalExtra). */
  readonly extra: string;
}

/** A JSON value with the text of what JSON.parse loses. */
interface Node {
  readonly raw: string;
  readonly value: unknown;
  readonly members?: Map<string, { readonly rawKey: string; readonly node: Node }>;
  readonly items?: Node[];
}

class Refused extends Error {}

function refuse(why: string): never {
  throw new Refused(why);
}

/** The transaction's parts, or the reason why it is refused. */
export function referenceDecode(source: Uint8Array): Reference | string {
  try {
    if (source.length > MAX_RECORD_BYTES) refuse("too large");
    const json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(source);
    JSON.parse(json);
    return build(parse(json));
  } catch (error) {
    if (error instanceof Refused || error instanceof SyntaxError || error instanceof TypeError) return error.message;
    throw error;
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[^\s,:[\]{}"]+|[[\]{},:]/gs;

/** Valid JSON → tree; refuses duplicate keys and more than 256 levels. */
function parse(json: string): Node {
  const tokens = json.match(TOKEN)!;
  let i = 0;
  const node = (depth: number): Node => {
    const from = i;
    const token = tokens[i++]!;
    if (token !== "{" && token !== "[") return { raw: token, value: JSON.parse(token) };
    if (depth === 256) refuse("too deep");
    const members = new Map<string, { rawKey: string; node: Node }>();
    const items: Node[] = [];
    while (tokens[i] !== "}" && tokens[i] !== "]") {
      if (tokens[i] === ",") i++;
      if (token === "[") items.push(node(depth + 1));
      else {
        const rawKey = tokens[i]!;
        const key = JSON.parse(rawKey);
        i += 2;
        if (members.has(key)) refuse(`duplicate key ${key}`);
        members.set(key, { rawKey, node: node(depth + 1) });
      }
    }
    i++;
    const to = i;
    const text = {
      get raw() {
        return tokens.slice(from, to).join(""); // few are asked for it
      },
    };
    return Object.assign(text, token === "[" ? { value: [], items } : { value: {}, members });
  };
  return node(0);
}

const get = (object: Node | undefined, key: string) => {
  const node = object?.members?.get(key)?.node;
  return node?.value === null ? undefined : node;
};

function hex(node: Node, bytes?: number): Buffer {
  if (typeof node.value !== "string" || !/^0x([0-9a-fA-F]{2})*$/.test(node.value)) refuse(`no hex: ${node.raw}`);
  const data = Buffer.from((node.value as string).slice(2), "hex");
  return bytes === undefined || data.length === bytes ? data : refuse(`not ${bytes} bytes: ${node.raw}`);
}

function quantity(node: Node, width: number): bigint {
  const matches = typeof node.value === "string" && /^0x[0-9a-fA-F]+$/.test(node.value);
  if (!matches || (node.value as string).length > 2 + 2 * width) refuse(`no quantity: ${node.raw}`);
  return BigInt(node.value as string);
}

function scalar(field: Field, node: Node): bigint {
  const width = FIELD_WIDTH[field.type];
  const isNumber = typeof node.value === "number";
  if (field.name === "seenAt") {
    if (isNumber && !/^\d+(\.\d{1,3})?$/.test(node.raw)) refuse("no milliseconds");
    const [ms, decimals = ""] = node.raw.split(".");
    const micros = isNumber ? BigInt(ms + decimals.padEnd(3, "0")) : quantity(node, 8) * 1000n;
    return micros < 2n ** 53n ? micros : refuse("seenAt too large");
  }
  const mayBeNumber = field.name === "chainId" || field.name === "blockTransactionCount";
  if (isNumber && !(mayBeNumber && /^\d+$/.test(node.raw))) refuse(`number: ${node.raw}`);
  const value = isNumber ? BigInt(node.raw) : quantity(node, width);
  if (value >= 2n ** BigInt(8 * width)) refuse("too large");
  if ((field.name === "chainId" || field.name === "blockNumber") && value >= 2n ** 53n) refuse("too large");
  if (field.name === "chainId" && value === 0n) refuse("chain 0");
  if (field.name === "status" && value > 1n) refuse("status");
  return value;
}

function build(root: Node): Reference {
  if (!root.members) refuse("no object");
  const header = Buffer.alloc(HEADER_SIZE);
  let present = 0;
  const block = part(root, "block");
  const receipt = part(root, "receipt");
  if (block) present |= PRESENT.block;
  if (receipt) present |= PRESENT.receipt;

  for (const field of FIELDS as readonly (Field & { name: keyof typeof OFFSET })[]) {
    if (!field.json) continue;
    const path = field.json.split(".");
    const nodes = [get(path.length === 1 ? root : part(root, path[0]!), path.at(-1)!)];
    if (field.name === "blockNumber") nodes.push(get(block, "number"));
    if (field.name === "blockHash") nodes.push(get(block, "hash"));
    const given = nodes.filter((node) => node !== undefined);
    if (given.length === 0 && field.required) refuse(`missing ${field.json}`);
    const values = given.map((node) => encode(field, node));
    if (values.length === 2 && !values[0]!.equals(values[1]!)) refuse(`${field.name} differs`);
    if (values[0]) {
      values[0].copy(header, OFFSET[field.name]);
      present |= PRESENT[field.name as Optional] ?? 0;
    }
  }
  const both = PRESENT.transactionIndex | PRESENT.blockTransactionCount;
  const index = header.readUInt32LE(OFFSET.transactionIndex);
  if ((present & both) === both && index >= header.readUInt32LE(OFFSET.blockTransactionCount)) refuse("index");

  const inputNode = get(root, "input") ?? get(root, "data") ?? refuse("missing input");
  const input = hex(inputNode);
  const accessList = list(root, "accessList");
  const logs = list(receipt, "logs");
  if (accessList) present |= PRESENT.accessList;
  if (logs) present |= PRESENT.logs;
  const accessPart = Buffer.concat((accessList ?? []).map(accessEntry));
  const logsPart = Buffer.concat((logs ?? []).map(log));
  header.writeUInt16LE(1, 0);
  header.writeUInt16LE(HEADER_SIZE, 2);
  header.writeUInt32LE(input.length, OFFSET.inputLength);
  header.writeUInt32LE(accessPart.length, OFFSET.accessListLength);
  header.writeUInt32LE(logsPart.length, OFFSET.logsLength);
  header.writeUInt32LE(accessList?.length ?? 0, OFFSET.accessListCount);
  header.writeUInt32LE(logs?.length ?? 0, OFFSET.logCount);
  header.writeUInt32LE(present, OFFSET.present);
  const bytes = Buffer.concat([header, pad(input), accessPart, logsPart]);
  const dataIsInput = get(root, "input") === undefined;
  const extra = [
    ...unknown(root, "", dataIsInput),
    ...unknown(block, "block.", false),
    ...unknown(receipt, "receipt.", false),
  ].join();
  if (bytes.length + pad(Buffer.from(extra)).length > MAX_RECORD_BYTES) refuse("frame too large");
  return { bytes, extra: normalExtra(extra) };
}

function part(root: Node, name: string): Node | undefined {
  const node = get(root, name);
  return node === undefined || node.members ? node : refuse(`${name} is no object`);
}

function list(object: Node | undefined, name: string): Node[] | undefined {
  const node = get(object, name);
  return node === undefined || node.items ? node?.items : refuse(`${name} is no array`);
}

function encode(field: Field, node: Node): Buffer {
  const width = FIELD_WIDTH[field.type];
  if (field.type.startsWith("bytes")) return hex(node, width);
  return Buffer.from(
    scalar(field, node)
      .toString(16)
      .padStart(2 * width, "0"),
    "hex",
  ).reverse();
}

function need(object: Node, key: string): Node {
  return get(object, key) ?? refuse(`missing ${key}`);
}

function log(node: Node): Buffer {
  if (!node.members) refuse("log is no object");
  const topics = list(node, "topics") ?? refuse("missing topics");
  if (topics.length > 4) refuse("topics");
  const data = hex(need(node, "data"));
  const head = Buffer.alloc(16);
  const body = [hex(need(node, "address"), 20), Buffer.alloc(4), ...topics.map((topic) => hex(topic, 32)), pad(data)];
  head.writeUInt32LE(16 + body.reduce((sum, { length }) => sum + length, 0), 0);
  head.writeUInt32LE(data.length, 4);
  head.writeUInt32LE(Number(quantity(need(node, "logIndex"), 4)), 8);
  head.writeUInt32LE(topics.length, 12);
  return Buffer.concat([head, ...body]);
}

function accessEntry(node: Node): Buffer {
  if (!node.members) refuse("access list entry is no object");
  const keys = list(node, "storageKeys") ?? refuse("missing storageKeys");
  const head = Buffer.alloc(8);
  const body = [hex(need(node, "address"), 20), Buffer.alloc(4), ...keys.map((key) => hex(key, 32))];
  head.writeUInt32LE(8 + 24 + 32 * keys.length, 0);
  head.writeUInt32LE(keys.length, 4);
  return Buffer.concat([head, ...body]);
}

function pad(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

const KNOWN = new Set([
  ...(FIELDS as readonly Field[]).flatMap(({ json }) => (json ? [json] : [])),
  ...["input", "accessList", "block", "receipt", "block.number", "block.hash", "receipt.logs"],
]);

function unknown(object: Node | undefined, prefix: string, withoutData: boolean): string[] {
  const members: string[] = [];
  for (const [key, { rawKey, node }] of object?.members ?? []) {
    if (KNOWN.has(prefix + key) && (prefix !== "" || !key.includes("."))) continue;
    if (prefix === "" && /^(block|receipt)\./.test(key)) refuse(`reserved ${key}`);
    if (prefix === "" && key === "data" && (withoutData || node.value === null)) continue;
    members.push(`"${prefix}${rawKey.slice(1)}:${node.raw}`);
  }
  return members;
}

/** Extra text with each string as JSON.stringify writes it. */
export function normalExtra(extra: string): string {
  return extra.replace(/"(?:[^"\\]|\\.)*"/gs, (string) => JSON.stringify(JSON.parse(string)));
}
