import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, ServiceUnavailable, UserError } from "../../ops/errors.ts";
import { backoffMs } from "./backoff.ts";
import { createBreaker } from "./breaker.ts";
import { type Connection, createConnection, RpcError } from "./connection.ts";
import { costOf, type EndpointHealth, observed, UNKNOWN } from "./endpointHealth.ts";
import { LyingNode } from "./verifyBlock.ts";

/** One node of a chain, with what is known of it. */
export interface Endpoint {
  /** Host; for messages. */
  readonly name: string;
  readonly request: Connection["request"];
  readonly subscribe: Connection["subscribe"];
  /** The newest block that it named; -1 before the first. */
  head(): number;
  setHead(number: number): void;
}

/** For `/health` and logs. */
export interface EndpointState extends EndpointHealth {
  readonly name: string;
  readonly state: "closed" | "open" | "half_open" | "set_aside";
  /** Why it is not asked, or what failed last. */
  readonly reason: string | undefined;
}

/** Nodes of one chain that stand in for each other. */
export interface Endpoints {
  readonly chainId: number;
  /**
   * Does a piece of work with the best endpoint; where that fails with the next, and when all have failed again after a while.
   * What one unit reads comes from one node. @throws the last error when attempts are used up
   */
  use<T>(work: (endpoint: Endpoint) => Promise<T>): Promise<T>;
  /** Asks all of them, answers when the first has: the newest block that any usable one has named. */
  readHead(): Promise<number>;
  newest(): number;
  /** Those that may be used now, best first. */
  usable(): Endpoint[];
  states(): EndpointState[];
  close(): Promise<void>;
}

/** What is measured; labels are bounded: endpoints are `primary`, `backup_1`, … in the order of the configuration. */
export interface RpcMeters {
  latency(endpoint: string, method: string, seconds: number): void;
  error(type: string): void;
}

export interface EndpointsOptions {
  readonly urls: readonly string[];
  /** What they must be of; default: the chain of the first that answers. */
  readonly chainId?: number | undefined;
  /** For one call; default 30,000 ms. */
  readonly timeoutMs?: number | undefined;
  /** Further rounds through all endpoints after an error that may pass; default 3. */
  readonly retries?: number | undefined;
  /** Waits until a call may be made. */
  readonly pace?: (() => Promise<void>) | undefined;
  readonly meters?: RpcMeters | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, for breakers and set-asides. */
  readonly now?: () => number;
  readonly random?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
}

export const MAX_URLS = 16;
/** A node that lied may be mended, or have been asked in an unlucky moment. One of another chain stays out. */
const ASIDE_MS = 10 * 60_000;

/** Work found that the node does not have a block: it lags, or has pruned it. */
export class NotThere extends ServiceUnavailable {
  /** It had said that it does: that counts as a failure. */
  readonly promised: boolean;

  constructor(message: string, { promised }: { promised: boolean }) {
    super(message);
    this.promised = promised;
  }
}

type Entry = Endpoint & {
  readonly connection: Connection;
  readonly breaker: ReturnType<typeof createBreaker>;
  health: EndpointHealth;
  asideUntil: number;
  /** What failed last; undefined after a success. */
  error: unknown;
  checked: boolean;
  askingHead: boolean;
};

/**
 * @throws UserError for URLs that are none; LyingNode or RpcError when no endpoint answers with the chain
 */
export async function openEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  const { urls, timeoutMs = 30_000, retries = 3, pace, meters, signal } = options;
  const { now = () => performance.now(), random = Math.random } = options;
  const { wait = (ms: number) => sleep(ms, undefined, { signal: signal! }).catch(() => undefined) } = options;
  if (urls.length === 0 || urls.length > MAX_URLS)
    throw new UserError(`Cannot connect to a node: ${urls.length} RPC URLs given, expected 1 to ${MAX_URLS}`);
  let { chainId } = options;
  const entries = urls.map((url, index) => createEntry(createConnection({ url, timeoutMs }), index));

  function createEntry(connection: Connection, index: number): Entry {
    const label = index === 0 ? "primary" : `backup_${index}`;
    const entry: Entry = {
      name: connection.name,
      connection,
      subscribe: connection.subscribe,
      breaker: createBreaker({ now }),
      health: UNKNOWN,
      asideUntil: 0,
      error: undefined,
      checked: false,
      askingHead: false,
      head: () => entry.health.head,
      setHead(number) {
        entry.health = { ...entry.health, head: number };
      },
      async request(method, params) {
        await pace?.();
        const began = now();
        let ok = false;
        try {
          const result = await connection.request(method, params);
          ok = true;
          return result as never;
        } catch (error) {
          ok = error instanceof RpcError && error.unsupported; // it answered
          meters?.error(error instanceof RpcError ? error.kind : "connection");
          throw error;
        } finally {
          entry.health = observed(entry.health, now() - began, ok);
          meters?.latency(label, method, (now() - began) / 1000);
        }
      },
    };
    return entry;
  }

  const newest = () => Math.max(-1, ...entries.filter(isUsable).map(({ health }) => health.head));
  const isUsable = (entry: Entry) => now() >= entry.asideUntil && entry.breaker.state() !== "open";
  function ranked(): Entry[] {
    const head = newest();
    return entries.filter(isUsable).sort((one, other) => costOf(one.health, head) - costOf(other.health, head));
  }

  /** Runs work with one endpoint and keeps what that says of it. */
  async function attempt<T>(entry: Entry, work: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    try {
      if (!entry.checked) await checkChain(entry);
      const result = await work(entry);
      entry.breaker.success();
      entry.error = undefined;
      return result;
    } catch (error) {
      const answered =
        (error instanceof RpcError && error.unsupported) || (error instanceof NotThere && !error.promised);
      if (answered) entry.breaker.success();
      else entry.breaker.failure();
      entry.error = error;
      if (error instanceof LyingNode) {
        meters?.error(`lie_${error.lie}`);
        entry.asideUntil = error.lie === "chain_id" ? Infinity : now() + ASIDE_MS;
      }
      throw error;
    }
  }

  async function checkChain(entry: Entry): Promise<void> {
    const answer = Number(await entry.request<string>("eth_chainId"));
    if (!Number.isSafeInteger(answer) || answer < 1)
      throw new LyingNode(entry.name, "chain_id", `eth_chainId is not a number, expected hex like "0x1"`);
    chainId ??= answer;
    if (answer !== chainId)
      throw new LyingNode(entry.name, "chain_id", `it is of chain ${answer}, expected one of chain ${chainId}`);
    entry.checked = true;
  }

  async function use<T>(work: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    let last: unknown;
    for (let round = 0; ; round++) {
      const failed: unknown[] = [];
      for (const entry of ranked()) {
        if (signal?.aborted) throw last ?? signal.reason;
        if (!entry.breaker.allows()) continue;
        try {
          return await attempt(entry, work);
        } catch (error) {
          if (!(error instanceof ServiceUnavailable)) throw error;
          failed.push(error);
          last = error;
        }
      }
      const unsupported = failed.length > 0 && failed.every((error) => error instanceof RpcError && error.unsupported);
      const wrongChain = entries.every(({ asideUntil }) => asideUntil === Infinity);
      if (unsupported || wrongChain || round >= retries || signal?.aborted) throw last ?? noneUsable();
      await wait(backoffMs(round, random()));
    }
  }

  const reasonOf = ({ error }: Entry) => (error === undefined ? undefined : messageOf(error));

  function noneUsable(): unknown {
    // All are of another chain, for good.
    if (entries.every(({ asideUntil }) => asideUntil === Infinity)) return entries[0]!.error;
    return new ServiceUnavailable(
      `Cannot ask a node of chain ${chainId ?? "(unknown)"}: none of ${entries.length} is usable now, expected one: ` +
        entries.map((entry) => `${entry.name}: ${reasonOf(entry) ?? "not tried"}`).join("; "),
    );
  }

  const endpoints: Omit<Endpoints, "chainId"> = {
    use,
    newest,
    usable: ranked,
    async readHead() {
      const asked = ranked()
        .filter((entry) => !entry.askingHead && entry.breaker.allows())
        .map(async (entry) => {
          entry.askingHead = true;
          try {
            const head = await attempt(entry, () => entry.request<string>("eth_blockNumber"));
            entry.setHead(Number(head));
          } finally {
            entry.askingHead = false;
          }
        });
      // All have failed, or are being asked still: `use` waits, tries again and says what is wrong.
      await Promise.any(asked).catch(() =>
        use(async (entry) => entry.setHead(Number(await entry.request<string>("eth_blockNumber")))),
      );
      return newest();
    },
    states: () =>
      entries.map((entry) => ({
        ...{ name: entry.name, ...entry.health, reason: reasonOf(entry) },
        state: now() < entry.asideUntil ? "set_aside" : entry.breaker.state(),
      })),
    async close() {
      await Promise.all(entries.map(({ connection }) => connection.close()));
    },
  };
  try {
    await endpoints.readHead();
  } catch (error) {
    await endpoints.close().catch(() => undefined); // the first error is the one to report
    throw error;
  }
  return { ...endpoints, chainId: chainId! };
}
