/**
 * PostgreSQL's protocol as far as a server in front of one backend must know it: where a message ends, and where a unit does,
 * which is what the backend must be given whole and undisturbed.
 *
 *     startup   int32 length, int32 code, …           length counts itself; no type byte
 *     message   byte type, int32 length, …            length counts itself and not the type
 *     unit      Q  |  Parse, Bind, … Execute, Sync     ends with Q or S
 */

/** A startup message holds a user, a database and settings. */
const MAX_STARTUP_BYTES = 10_000;
/** A statement with a batch of modules in it is 8 MiB. */
export const MAX_UNIT_BYTES = 64 << 20;

export type Received =
  /** Wants TLS or GSSAPI: answered with N, and the startup follows. */
  | { readonly kind: "encryption" }
  /** To be given to the backend as it is. */
  | { readonly kind: "unit"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

const ENCRYPTION = new Set([80_877_103, 80_877_104]);
const CANCEL = 80_877_102;
const PROTOCOL_3 = 196_608;

const ENDS_UNIT = new Set(["Q", "S"]);
const IN_UNIT = new Set(["P", "B", "D", "E", "C"]);

/** Cuts what a client sends into units. @throws Error on what is no protocol 3, on COPY and on units beyond the limit */
export function createUnits(): (bytes: Uint8Array) => Received[] {
  let pending = Buffer.alloc(0);
  /** Behind `pending`: put together only once that gets us further, since a unit comes in hundreds of pieces. */
  let pieces: Uint8Array[] = [];
  let arrived = 0;
  /** So much of `pending` is needed to go on. */
  let needed = 8;
  let started = false;
  /** Where in `pending` the next message begins: those before it belong to the unit that is not whole yet. */
  let next = 0;

  function startup(): Received | undefined {
    needed = 8;
    if (pending.length < needed) return undefined;
    const length = pending.readInt32BE(0);
    const code = pending.readInt32BE(4);
    if (length < 8 || length > MAX_STARTUP_BYTES)
      throw new Error(`Cannot read a startup message of ${length} bytes: expected 8 to ${MAX_STARTUP_BYTES}`);
    needed = length;
    if (pending.length < needed) return undefined;
    const bytes = pending.subarray(0, length);
    pending = pending.subarray(length);
    if (ENCRYPTION.has(code)) return { kind: "encryption" };
    if (code === CANCEL) return { kind: "end" }; // there is one backend, and nobody may cancel another's statement
    if (code !== PROTOCOL_3) throw new Error(`Cannot speak protocol ${code}: expected ${PROTOCOL_3} (3.0)`);
    started = true;
    return { kind: "unit", bytes };
  }

  function unit(): Received | undefined {
    for (needed = next + 5; pending.length >= needed; needed = next + 5) {
      const type = String.fromCharCode(pending[next]!);
      const length = pending.readInt32BE(next + 1);
      const end = next + 1 + length;
      if (length < 4 || end > MAX_UNIT_BYTES)
        throw new Error(`Cannot take a statement of more than ${MAX_UNIT_BYTES} bytes: expected smaller ones`);
      if (type === "X") return { kind: "end" };
      if (!ENDS_UNIT.has(type) && !IN_UNIT.has(type))
        throw new Error(`Cannot take a message of type "${type}": expected statements`);
      needed = end;
      if (pending.length < needed) return undefined;
      next = end;
      if (!ENDS_UNIT.has(type)) continue;
      const bytes = pending.subarray(0, end);
      pending = pending.subarray(end);
      next = 0;
      return { kind: "unit", bytes };
    }
    return undefined;
  }

  return (bytes) => {
    pieces.push(bytes);
    arrived += bytes.length;
    if (pending.length + arrived < needed) return [];
    pending = Buffer.concat([pending, ...pieces]);
    pieces = [];
    arrived = 0;
    const received: Received[] = [];
    for (let one = started ? unit() : startup(); one; one = started ? unit() : startup()) {
      received.push(one);
      if (one.kind === "end") break;
    }
    return received;
  };
}

/** FATAL, as a server says it before it hangs up. */
export const fatal = (code: string, message: string): Buffer =>
  encode("E", `SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);

/** A unit of one statement without parameters. */
export const simpleQuery = (sql: string): Buffer => encode("Q", `${sql}\0`);

function encode(type: string, body: string): Buffer {
  const message = Buffer.from(`${type}\0\0\0\0${body}`);
  message.writeInt32BE(message.length - 1, 1);
  return message;
}
