import { expect, test } from "vitest";
import { mixRules } from "../bench/load/ruleMix.ts";
import { isRight } from "../bench/report.ts";
import { comparePeers } from "../bench/scenarios/peers.ts";
import { sharedBrokers } from "./support/sharedKafka.ts";

test("peers in one run: Weir and an index in plain JavaScript count by rule what brute force counts", async () => {
  const context = { runs: 1, minutes: 1, quick: true, say: () => {} };
  const sizes = { distinct: 200, copies: 1, warmUps: 0 };
  const rules = mixRules("dense", 500);
  const named = comparePeers("", { ...context, only: "weir,jawa" }, sizes, rules);
  await expect(named).rejects.toThrow('Cannot run "jawa": expected a part of limits, Weir, Java consumer');
  for (const only of ["weir", "plain js"]) {
    const { checks, figures } = await comparePeers(await sharedBrokers(), { ...context, only }, sizes, rules);
    expect(checks.filter((check) => !isRight(check))).toEqual([]);
    expect(checks.find(({ name }) => name.endsWith(": matches"))!.expected).toBeGreaterThan(10);
    expect(figures[0]).toMatchObject({
      unit: "tx/s",
      runs: 1,
      load: expect.stringMatching(/^6\d\d B, \d+\.\d\d matches/),
    });
  }
});
