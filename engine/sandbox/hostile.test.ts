/** Every hostile guest: its exact error, and that the rules beside it notice nothing. */
import { describe, expect, it } from "vitest";
import { admit } from "./admit.ts";
import { bytesOf, CONTAINED, REFUSED, TRANSACTIONS } from "./hostileGuests.ts";
import { RUN_LIMITS } from "./limits.ts";
import { createRule, type Rule } from "./rule.ts";
import { all, appendRecord, COUNTER, op, testFrames, testModule } from "./testModule.ts";

function ruleOf(bytes: Uint8Array): Rule {
  const admitted = admit(bytes);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.findings));
  return createRule(new WebAssembly.Module(admitted.module));
}

/** Alerts on every transaction, from memory and a global that a neighbour could spoil. */
const honest = () =>
  ruleOf(
    testModule({
      onTx: [...op.get(COUNTER), ...op.i32(7), ...op.equal, ...op.when(appendRecord(1, 8, 0x64636261, 0x68676665))],
    }),
  );
const evaluate = (rule: Rule) => rule.run(testFrames(TRANSACTIONS), all(TRANSACTIONS), TRANSACTIONS);
const matching = (message: string | RegExp) => (typeof message === "string" ? message : expect.stringMatching(message));

describe("refused when it is uploaded", () => {
  it.each(REFUSED)("$name", async (guest) => {
    const admitted = admit(await bytesOf(guest));
    expect(admitted.ok ? "admitted" : admitted.findings[0]).toMatchObject({
      code: guest.code,
      message: matching(guest.message),
    });
  });
});

describe("contained when it runs", () => {
  it.each(CONTAINED)("$name", async (guest) => {
    const [before, hostile, after] = [honest(), ruleOf(await bytesOf(guest)), honest()];
    const alone = evaluate(honest());
    for (let batch = 0; batch < 3; batch++) {
      expect(evaluate(before)).toEqual(alone);
      const run = evaluate(hostile);
      expect(run.failures).toEqual(
        Object.entries(guest.failures).map(([n, [code, message]]) => ({
          transaction: Number(n),
          code,
          message: matching(message),
        })),
      );
      expect(run.matches.map(({ transaction }) => transaction)).toEqual(guest.alerts);
      expect(run.fuel).toBeLessThanOrEqual(TRANSACTIONS * RUN_LIMITS.fuel);
      expect(evaluate(after)).toEqual(alone);
    }
    expect(alone.matches).toHaveLength(TRANSACTIONS);
  });
});
