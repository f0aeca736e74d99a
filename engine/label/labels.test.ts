import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CONTROL_KINDS, type ControlStore, emptyControl } from "../../test/support/controlStores.ts";
import { sql } from "../control/drizzle.ts";
import { migrateControl } from "../control/migrate.ts";
import type { Control } from "../control/open.ts";
import { LABEL_LIMITS, type Label } from "./label.ts";
import { createLabelStore, LabelConflict } from "./labels.ts";

const address = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
const label = (n: number, name: string, chainId = 99): Label => ({
  ...{ chainId, address: address(n), name, symbol: null, decimals: null },
});

describe.each(CONTROL_KINDS.filter(({ skip }) => skip === undefined))(
  "labels in the control store, $kind",
  ({ start }) => {
    let store: ControlStore;
    let control: Control;
    beforeAll(async () => {
      store = await start();
    });
    beforeEach(async () => {
      control = await emptyControl(store.options);
      await migrateControl(control);
    });
    afterEach(() => control.close());
    afterAll(() => store.remove());

    test("a user's label comes before the bundled one; several thousand are said and found at once", async () => {
      const labels = createLabelStore(control);
      const usdc = { ...label(0, "mine", 1), address: "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48" };
      const many = Array.from({ length: 4_500 }, (_, i) => label(i, `N${i}`));
      expect((await labels.find([usdc])).get(`1 ${usdc.address}`)).toMatchObject({ name: "USDC", source: "bundled" });
      expect(await labels.set([usdc, ...many], "me")).toEqual({ added: 4_501, changed: 0 });
      expect(await labels.set([usdc, label(9_999, "new")], "me")).toEqual({ added: 1, changed: 1 });
      const found = await labels.find([usdc, ...many, label(0, "", 98)]);
      expect(found.size).toBe(4_501);
      expect(found.get(`1 ${usdc.address}`)).toMatchObject({ name: "mine", source: "user", owner: "me" });
      expect(found.get(`99 ${address(4_499)}`)).toMatchObject({ name: "N4499" });
    });

    test("one too many changes nothing; what is there may be said again", async () => {
      const labels = createLabelStore(control);
      await control.change((tx) =>
        tx.execute(
          sql`INSERT INTO labels (chain_id, address, name, owner) SELECT 99, decode(lpad(to_hex(n), 40, '0'), 'hex'), 'N', 'me' FROM generate_series(1, ${sql.raw(String(LABEL_LIMITS.labels))}) AS n`,
        ),
      );
      const refused = labels.set([label(1, "other"), label(0, "one more")], "me");
      await expect(refused).rejects.toThrow(LabelConflict);
      await expect(refused).rejects.toThrow("there would be 100001, expected at most 100000");
      expect((await labels.find([label(1, ""), label(0, "")])).get(`99 ${address(1)}`)).toMatchObject({ name: "N" });
      expect(await labels.audit(label(1, ""), 10)).toEqual([]);
      expect(await labels.set([label(1, "other")], "me")).toEqual({ added: 0, changed: 1 });
    });
  },
);
