/** Credentials that need no control store; users, sessions and keys are in auth.test.ts. */
import { expect, test } from "vitest";
import { createAccess } from "../../engine/access/access.ts";
import { openControl } from "../../engine/control/open.ts";
import { createWhoIs, credentialIn } from "./whoIs.ts";

const access = createAccess({ control: openControl({ folder: "/nowhere" }), secret: "a secret for tests only" });
const ADDRESS = "192.0.2.7";

test("a credential is a bearer token or an API key, the token first", () => {
  expect(credentialIn({})).toBeUndefined();
  expect(credentialIn({ authorization: "Bearer abc" })).toBe("abc");
  expect(credentialIn({ authorization: "bearer  abc" })).toBe("abc");
  expect(credentialIn({ "x-api-key": "k" })).toBe("k");
  expect(credentialIn({ authorization: "Bearer abc", "x-api-key": "k" })).toBe("abc");
  expect(credentialIn({ "x-api-key": "" })).toBeUndefined();
  // something was shown, and it is no credential: not the same as nothing
  for (const authorization of ["Basic abc", "Bearer ", "Bearer", "Bearer a b", `Bearer ${"x".repeat(4097)}`])
    expect(credentialIn({ authorization })).toBe("");
});

test("the token is the operator's, configured keys are users, and nothing else is anybody", async () => {
  const whoIs = createWhoIs({ access, token: "the-token-of-this-weir", apiKeys: ["first-key", "second-key"] });
  const ask = (credential: string | undefined) => whoIs({ credential, address: ADDRESS });
  expect(await ask("the-token-of-this-weir")).toEqual({
    principal: { name: "api token", role: "admin", kind: "token", via: "token", id: "token", userId: null },
  });
  const [first, second] = await Promise.all(["first-key", "second-key"].map(ask));
  expect(first).toMatchObject({ principal: { role: "user", kind: "key", name: expect.stringMatching(/^configured key [0-9a-f]{8}$/) } }); // biome-ignore format: one line
  expect(second).not.toEqual(first);
  for (const wrong of [
    "",
    "the-token-of-this-wei",
    "the-token-of-this-weir ",
    "THE-TOKEN-OF-THIS-WEIR",
    "first-key,second-key",
    "a.b.c",
    "' OR 1=1 --",
  ])
    expect(await ask(wrong), wrong).toMatchObject({
      status: 401,
      refused: expect.stringMatching(/^Invalid API key or token/),
    });
  expect(await ask(undefined)).toMatchObject({
    status: 401,
    refused: expect.stringMatching(/^Missing API key\. Provide X-API-Key header\./),
  });
});

test("who shows nothing is anonymous only where that is configured; a wrong credential never is", async () => {
  const whoIs = createWhoIs({ access, anonymous: "viewer" });
  expect(await whoIs({ credential: undefined, address: ADDRESS })).toEqual({
    principal: { name: "anonymous", role: "viewer", kind: "anonymous", via: null, id: `ip ${ADDRESS}`, userId: null },
  });
  expect(await whoIs({ credential: "wrong", address: ADDRESS })).toMatchObject({ status: 401 });
});
