/** What stands in for a rule that ended the threads it ran in: everything it is shown is a failure of its own. */
import type { Rule } from "./rule.ts";
import { RuleRun } from "./ruleRun.ts";

/** @param reason what became of the threads, as in `its thread did not answer within 30000 ms` */
export function createBannedRule(reason: string): Rule {
  const lost = { code: "thread_lost", message: `Cannot run the rule: ${reason}` } as const;
  return {
    run(_frames, indices, count, _scene, first = 0, run = new RuleRun()) {
      run.clear();
      run.evaluations = count;
      for (let i = first; i < first + count; i++) run.fail(indices[i]!, lost);
      return run;
    },
  };
}
