import { expect, test } from "vitest";
import { StoreUnavailable } from "../clickhouse/storeErrors.ts";
import { ControlUnavailable } from "./control/errors.ts";
import { needsPerson } from "./needsPerson.ts";
import { UserError, WeirError } from "./ops/errors.ts";

test("what only a person can mend ends the engine, what is away does not", () => {
  expect(needsPerson(new UserError('Cannot run the rule set "x": the control store does not have it'))).toBe(true);
  expect(needsPerson(new WeirError("Cannot finish what was begun in another world"))).toBe(true);
  expect(needsPerson(new ControlUnavailable("Cannot open the control store: its process ended with SIGKILL"))).toBe(
    false,
  );
  expect(needsPerson(new StoreUnavailable("away", { operation: "insert" } as never))).toBe(false);
  expect(needsPerson(new Error("anything else"))).toBe(false);
});
