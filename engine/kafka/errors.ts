/**
 * What the caller can do about an error, decided once for every code of librdkafka:
 *
 * - `retry`: nothing is wrong with the request; the broker or the network is not there now.
 * - `rebalance`: the group has moved on. Drop the partitions' work; retry only if the ownership epoch is unchanged.
 * - `fenced`: someone else runs under our transactional id or group instance id. Stop; never retry.
 * - `abort`: the open transaction cannot be committed. Abort it and do its work again.
 * - `configuration`: an operator must act (address, credentials, permissions, topic, limits of the broker).
 * - `record`: would fail again on the same record or offset (too large, malformed).
 * - `fatal`: the client is unusable; close it and start a new one.
 */
export type KafkaErrorKind = "retry" | "rebalance" | "fenced" | "abort" | "configuration" | "record" | "fatal";

/**
 * Broker's code for a second member with our instance id: one of the two must go. A producer that was fenced is another matter:
 * frozen for longer than its transaction may last, it begins anew.
 */
export const INSTANCE_TAKEN = 82;

/** An error of the Kafka client. `code` is librdkafka's (negative: its own, positive: the broker's). */
export class KafkaError extends Error {
  override readonly name = "KafkaError";
  readonly kind: KafkaErrorKind;
  readonly code: number;

  constructor(message: string, kind: KafkaErrorKind, code: number) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** What the binding throws and calls back with: not an Error, and the flags only come from transactional calls. */
export type NativeError = {
  message: string;
  code: number;
  isFatal?: boolean;
  isRetriable?: boolean;
  isTxnRequiresAbort?: boolean;
};

/** Codes as in rdkafkacpp.h; a code that is in no list is `fatal`. */
const codesByKind: [KafkaErrorKind, number[]][] = [
  // another producer with our transactional id (47, 90, 52), another member with our instance id (82), fenced (-144)
  ["fenced", [-144, 47, 52, 82, 90]],
  // illegal generation, unknown member, rebalance in progress, assignment lost, max.poll.interval, member epochs
  ["rebalance", [22, 25, 27, 79, 110, 113, -142, -147]],
  [
    "retry",
    [
      ...[
        -195, -194, -192, -187, -185, -184, -183, -182, -180, -178, -177, -166, -164, -163, -158, -153, -152, -151,
        -197, -137,
      ],
      ...[5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 60, 70, 71, 72, 74, 75, 77, 78, 80, 83, 88, 89, 100, 129],
    ],
  ],
  [
    "configuration",
    [
      ...[-193, -190, -188, -186, -181, -179, -176, -171, -170, -169, -165, -145, -140],
      ...[
        3, 17, 21, 23, 24, 26, 29, 30, 31, 33, 34, 35, 36, 37, 38, 39, 40, 42, 43, 44, 50, 53, 54, 58, 69, 73, 76, 81,
        111, 112,
      ],
    ],
  ],
  ["record", [-199, -198, -162, -161, -138, 1, 2, 4, 10, 12, 18, 28, 32, 87]],
  ["abort", [48, 49, 59, 45, 46, 55]],
];

const kindByCode = new Map(codesByKind.flatMap(([kind, codes]) => codes.map((code) => [code, kind] as const)));

/** The kind of a native error. Its flags win over its code, except that a fatal error which fences stays `fenced`. */
export function classify(error: NativeError): KafkaErrorKind {
  const byCode = kindByCode.get(error.code) ?? "fatal";
  if (byCode === "fenced") return "fenced";
  if (error.isFatal) return "fatal";
  if (error.isTxnRequiresAbort) return "abort";
  if (error.isRetriable) return "retry";
  return byCode;
}

/**
 * Makes a KafkaError of whatever the binding threw or called back with.
 * `action` completes the sentence `Cannot <action>: …`, for example `commit the transaction "alerts-0"`.
 */
export function kafkaError(action: string, cause: unknown): KafkaError {
  if (cause instanceof KafkaError) return cause;
  const native = cause as Partial<NativeError> | null;
  const code = typeof native?.code === "number" ? native.code : -1;
  const message = native?.message ?? String(cause);
  return new KafkaError(`Cannot ${action}: ${message} (${code})`, classify({ ...native, message, code }), code);
}
