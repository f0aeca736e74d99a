import { expect, test } from "vitest";
import { createTokens } from "../../engine/access/tokens.ts";
import type { Principal } from "./principal.ts";
import { createTickets } from "./ticket.ts";

const ALICE: Principal = {
  name: "alice",
  role: "user",
  kind: "key",
  via: "key weir_1",
  id: "key 1",
  userId: 7,
  keyId: 1,
};

test("a ticket is its principal's, once, for 30 seconds, here alone unless nodes share what was used", async () => {
  let time = Date.parse("2030-01-01T00:00:00Z");
  const now = () => new Date(time);
  const tokens = createTokens("a secret for tests only", now);
  const tickets = createTickets(tokens, now);
  const { ticket, expires_in } = await tickets.issue(ALICE);
  expect(expires_in).toBe(30);
  expect(await tickets.redeem(ticket)).toEqual(ALICE);
  expect(await tickets.redeem(ticket)).toBeUndefined();

  const late = await tickets.issue(ALICE);
  time += 29_000;
  const { ticket: second } = await tickets.issue(ALICE);
  time += 1_000;
  expect(await tickets.redeem(late.ticket)).toBeUndefined();
  expect(await tickets.redeem(second)).toEqual(ALICE);
  for (const wrong of ["", "x", `${second}x`, "x".repeat(5_000), await tokens.access("s", 7)])
    expect(await tickets.redeem(wrong)).toBeUndefined();

  const used = new Set<string>();
  const once = (id: string) => !used.has(id) && !!used.add(id);
  const [one, two] = [createTickets(tokens, now, once), createTickets(tokens, now, once)];
  const { ticket: third } = await one.issue(ALICE);
  expect([await two.redeem(third), await one.redeem(third)]).toEqual([ALICE, undefined]);
  const both = await one.issue(ALICE);
  const answers = await Promise.all([one.redeem(both.ticket), two.redeem(both.ticket)]);
  expect(answers.filter(Boolean)).toEqual([ALICE]);
});
