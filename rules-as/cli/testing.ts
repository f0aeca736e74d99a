/** What a rule's `NAME.test.ts` imports: `import { assert, test, tryRule } from "@weir/rules/testing"`. */
import assert from "node:assert/strict";

export { test } from "node:test";
export { mined, sampleTransaction, type TriedRule, tryModule, tryRule, type Verdict } from "./tryRule.ts";
export { assert };
