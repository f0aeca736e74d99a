import { describe, expect, test } from "vitest";
import { StoreRefused, StoreUnavailable } from "../../clickhouse/storeErrors.ts";
import { KafkaError } from "../kafka/errors.ts";
import { ConfigError } from "./config.ts";
import { describeError, exitCodeOf, ServiceUnavailable, stripCredentials, UsageError, UserError } from "./errors.ts";

test.each([
  [new UserError("x"), 1],
  [new UsageError("x"), 2],
  [new ConfigError([]), 3],
  [new ServiceUnavailable("x"), 4],
  [new StoreUnavailable("x"), 4],
  [new StoreRefused("x"), 1],
  [new KafkaError("x", "retry", -195), 4],
  [new KafkaError("x", "configuration", 3), 3],
  [new KafkaError("x", "fatal", -150), 70],
  [new Error("x"), 70],
  [null, 70],
  ["x", 70],
])("%o exits with %i", (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

describe("describeError()", () => {
  test("says what, where, next step and cause, without a stack", () => {
    const error = new UserError('Cannot read "a": no such file, expected a recording', {
      where: "line 12",
      next: "weir record --help",
      cause: new Error("ENOENT"),
    });
    expect(describeError(error)).toBe(
      'weir: Cannot read "a": no such file, expected a recording\n  where  line 12\n  next   weir record --help\n  cause  ENOENT',
    );
    expect(describeError(error, { stack: true })).toContain("errors.test.ts");
  });

  test("shows the stack of a bug, and its causes when asked", () => {
    const bug = new TypeError("x is undefined", { cause: "y" });
    expect(describeError(bug)).toMatch(/^weir: A bug: x is undefined\n.*report/);
    expect(describeError(bug)).toContain("errors.test.ts");
    expect(describeError(bug, { stack: true })).toMatch(/cause {2}y$/);
  });

  test("hides credentials in URLs", () => {
    const error = new ServiceUnavailable("Cannot reach http://me:pw@ch:8123/: refused", {
      where: "postgresql://a:b@c@d/e",
    });
    expect(describeError(error)).not.toMatch(/pw|a:b|c@d/);
  });
});

test("stripCredentials() leaves mail addresses and plain URLs alone", () => {
  const text = "write to me@example.com about http://example.com/a@b?c@d";
  expect(stripCredentials(text)).toBe(text);
});
