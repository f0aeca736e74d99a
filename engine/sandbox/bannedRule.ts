/** What stands in for a rule that ended the threads it ran in: everything it is shown is a failure of its own. */
import type { Rule } from "./rule.ts";

/** @param reason what became of the threads, as in `its thread did not answer within 30000 ms` */
export function createBannedRule(reason: string): Rule {
  return {
    run: (_frames, indices, count) => ({
      matches: [],
      failures: Array.from(indices.subarray(0, count), (transaction) => ({
        transaction,
        code: "thread_lost",
        message: `Cannot run the rule: ${reason}`,
      })),
      evaluations: count,
      fuel: 0,
    }),
  };
}
