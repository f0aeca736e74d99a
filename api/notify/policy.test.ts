import { expect, test } from "vitest";
import type { Severity } from "../../engine/sandbox/manifest.ts";
import type { AlertFacts } from "./message.ts";
import { concerns, decide, dedupKey, endOfQuiet, type Policy, policySchema } from "./policy.ts";

const policy = (own: object = {}): Policy => policySchema.parse(own);
const alert = (own: Partial<AlertFacts> = {}): AlertFacts => ({
  ...{ id: "00", rule: "whale-transfer", rule_version: 1, severity: "high" as Severity, chain_id: "1" },
  ...{ tx_hash: "0x01", block_number: null, block_hash: null, from_address: "0xaa", to_address: "0xbb" },
  ...{ message: "300 ETH moved", detected_at: "2026-01-01T00:00:00Z", correlation_id: "tx_raw/0/7/0", ...own },
});
const now = new Date("2026-01-05T22:30:10Z"); // a Monday
const fresh = { lastOf: () => undefined, inBurst: 0 };

test("a channel hears of its rules, chains and severities", () => {
  expect(concerns(policy(), alert())).toBe(true);
  expect(concerns(policy({ min_severity: "critical" }), alert())).toBe(false);
  expect(concerns(policy({ chains: ["10"] }), alert())).toBe(false);
  expect(concerns(policy({ rules: ["whale*"] }), alert())).toBe(true);
  expect(concerns(policy({ rules: ["whale"] }), alert())).toBe(false);
});

test("an alert of the same key is not sent again within the window, whatever number stands in its message", () => {
  const own = policy({ dedup_seconds: 60 });
  expect(dedupKey(own, alert({ message: "301 ETH moved", tx_hash: "0x02" }))).toBe(dedupKey(own, alert()));
  expect(dedupKey(own, alert({ from_address: "0xcc" }))).not.toBe(dedupKey(own, alert()));
  const before = (ms: number) => ({ ...fresh, lastOf: () => now.getTime() - ms });
  expect(decide(own, alert(), before(59_999), [], now)).toEqual({
    send: "never",
    why: "sent already, within dedup_seconds",
  });
  expect(decide(own, alert(), before(60_000), [], now)).toEqual({ send: "now" });
});

test("digest, burst and quiet hours gather alerts, and critical ones go out at once", () => {
  const gathered = (own: object, recent = fresh) => decide(policy(own), alert(), recent, [], now);
  expect(gathered({ digest_seconds: 300 })).toEqual({
    send: "together",
    why: "digest",
    at: new Date("2026-01-05T22:35:00Z"),
  });
  expect(gathered({ burst: { alerts: 5, seconds: 60 } }, { ...fresh, inBurst: 4 })).toEqual({ send: "now" });
  expect(gathered({ burst: { alerts: 5, seconds: 60 } }, { ...fresh, inBurst: 5 })).toMatchObject({ why: "burst" });
  const quiet = { from: "22:00", to: "07:00" };
  expect(gathered({ quiet })).toEqual({ send: "together", why: "quiet hours", at: new Date("2026-01-06T07:00:00Z") });
  expect(decide(policy({ quiet }), alert({ severity: "critical" }), fresh, [], now)).toEqual({ send: "now" });
  const strict = policy({ quiet, critical_bypasses: false });
  expect(decide(strict, alert({ severity: "critical" }), fresh, [], now)).toMatchObject({ send: "together" });
});

test("quiet hours: over midnight, in a time zone, of the day they begin on", () => {
  const quiet = (own: object) => policy({ quiet: { from: "22:00", to: "07:00", ...own } }).quiet!;
  const at = (time: string, own: object = {}) => endOfQuiet(quiet(own), new Date(time))?.toISOString() ?? null;
  expect(at("2026-01-06T06:59:59Z")).toBe("2026-01-06T07:00:00.000Z");
  expect(at("2026-01-06T07:00:00Z")).toBeNull();
  expect(at("2026-01-06T21:59:59Z")).toBeNull();
  expect(at("2026-01-06T21:30:00Z", { time_zone: "Europe/Zurich" })).toBe("2026-01-07T06:00:00.000Z");
  expect(at("2026-01-06T03:00:00Z", { days: [1] })).toBe("2026-01-06T07:00:00.000Z"); // began on Monday
  expect(at("2026-01-06T23:00:00Z", { days: [1] })).toBeNull();
  expect(at("2026-01-06T12:30:00Z", { from: "12:00", to: "13:00" })).toBe("2026-01-06T13:00:00.000Z");
});

test("a silence holds what it names, critical or not", () => {
  const silence = { id: 7, rules: ["whale*"], chains: [], addresses: ["0xbb"] };
  const critical = alert({ severity: "critical" });
  expect(decide(policy(), critical, fresh, [silence], now)).toEqual({ send: "never", why: "silence 7" });
  expect(decide(policy(), alert({ to_address: "0xdd" }), fresh, [silence], now)).toEqual({ send: "now" });
});

test("what no policy can be is refused with its place", () => {
  const issues = (own: object) => policySchema.safeParse(own).error!.issues.map(({ path }) => path.join("."));
  expect(issues({ quiet: { from: "25:00", to: "07:00", time_zone: "Nowhere" } })).toEqual([
    "quiet.from",
    "quiet.time_zone",
  ]);
  expect(issues({ dedup_key: ["amount"], burst: { alerts: 0, seconds: 1 } })).toEqual(["dedup_key.0", "burst.alerts"]);
  expect(issues({ min_severity: "huge", unknown: 1 })).toEqual(["min_severity", ""]);
});
