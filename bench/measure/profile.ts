/** A CPU profile as V8's inspector gives it, of which we need this much. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Node ids, one a sample, and the µs that each took. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** Where a file belongs on the main thread, the first that fits. */
const ROOMS: readonly (readonly [room: string, files: RegExp])[] = [
  ["publish", /engine\/(kafka\/producer|sink\/kafkaLedger|sink\/topicRecords|sink\/ledger)/],
  ["insert", /engine\/sink\/storeRound|clickhouse\//],
  ["consume", /engine\/(kafka\/consumer|source\/)|kafka-javascript\//],
  ["dispatch", /engine\/(dispatch\/|engine\.ts)|piscina\//],
  ["insert", /^node:internal\/(streams|webstreams)|^node:(net|http|_http_|_stream|internal\/stream_base)/],
];

/**
 * Seconds of the profiled thread by what it worked for: the innermost room on the stack of each sample; `idle` and `gc` as V8
 * says; `native` what ran without JavaScript on the stack (here the Kafka client's binding making messages); `other` the rest.
 */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): Record<string, number> {
  const parent = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parent.set(child, node);
  const roomOf = (node: ProfileNode): string => {
    const { functionName } = node.callFrame;
    if (functionName === "(idle)") return "idle";
    if (functionName === "(garbage collector)") return "gc";
    if (functionName === "(program)") return "native";
    for (let at: ProfileNode | undefined = node; at; at = parent.get(at.id)) {
      const { url } = at.callFrame;
      const room = ROOMS.find(([, files]) => files.test(url));
      if (room) return room[0];
    }
    return "other";
  };
  const rooms = new Map(nodes.map((node) => [node.id, roomOf(node)]));
  const seconds: Record<string, number> = {};
  for (const [i, id] of samples.entries()) {
    const room = rooms.get(id)!;
    seconds[room] = (seconds[room] ?? 0) + Math.max(0, timeDeltas[i]!) / 1e6;
  }
  return seconds;
}
