import { expect, test } from "vitest";
import { createSecrets } from "./secrets.ts";

const [old, current] = ["a".repeat(32), "b".repeat(32)] as [string, string];

test("what is sealed opens again, also with an older key behind the current one, and says nothing", () => {
  const secrets = createSecrets([old]);
  const sealed = secrets.seal("xoxb-token é");
  expect(secrets.open(sealed)).toBe("xoxb-token é");
  expect(secrets.seal("xoxb-token é")).not.toBe(sealed);
  expect(Buffer.from(sealed.split(".")[2]!, "base64url").toString("latin1")).not.toContain("token");
  const rotated = createSecrets([current, old]);
  expect(rotated.open(sealed)).toBe("xoxb-token é");
  expect(createSecrets([current]).open(rotated.seal("new"))).toBe("new");
});

test("a key that is gone, and a text that was altered, are refused", () => {
  const sealed = createSecrets([old]).seal("plain");
  expect(() => createSecrets([current]).open(sealed)).toThrow(
    /^Cannot decrypt a secret: it was sealed with the key [0-9a-f]{8}/,
  );
  const altered = `${sealed.slice(0, -2)}${sealed.endsWith("AA") ? "BB" : "AA"}`;
  expect(() => createSecrets([old]).open(altered)).toThrow();
  expect(() => createSecrets([old]).open("plain")).toThrow("Cannot decrypt a secret");
});
