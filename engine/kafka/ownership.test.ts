import { expect, test } from "vitest";
import { createOwnership } from "./ownership.ts";

const at = (partition: number, epoch?: number) => ({ topic: "tx_raw", partition, ...(epoch && { epoch }) });

test("a partition is read while owned, still ours while it is revoked, and another's after it", () => {
  const ownership = createOwnership();
  ownership.take([at(0), at(1)]);
  expect(ownership.reads(at(0))).toBe(true);
  expect(ownership.revoking([at(0), at(7)])).toEqual([at(0)]);
  expect([ownership.reads(at(0)), ownership.reads(at(1))]).toEqual([false, true]);
  ownership.assertOwned([at(0)]);
  expect(ownership.drop([at(0)])).toEqual([at(0)]);
  expect(ownership.drop([at(0)])).toEqual([]);
  expect(ownership.owned()).toEqual([at(1)]);
  expect(() => ownership.assertOwned([at(0)])).toThrow('Cannot commit "tx_raw/0": it is not assigned to this consumer');
});

test("a partition that comes back has a new epoch, and work of the old one is refused", () => {
  const ownership = createOwnership();
  ownership.take([at(3)]);
  const old = ownership.epoch(at(3))!;
  ownership.drop([at(3)]);
  expect(ownership.epoch(at(3))).toBeNull();
  ownership.take([at(3)]);
  const now = ownership.epoch(at(3))!;
  expect(now).toBeGreaterThan(old);
  ownership.assertOwned([at(3, now)]);
  expect(() => ownership.assertOwned([at(3, old)])).toThrow(`its ownership epoch is ${now}, expected epoch ${old}`);
});
