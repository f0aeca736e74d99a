import { expect, test } from "vitest";
import type { AlertFacts } from "./message.ts";
import { DEFAULT_TEXT, DEFAULT_TITLE, parseTemplate, renderTemplate, type TemplateContext } from "./template.ts";

const alert: AlertFacts = {
  ...{ id: "00", rule: "whale-transfer", rule_version: 1, severity: "high", chain_id: "1", tx_hash: "0x01" },
  ...{ block_number: "7", block_hash: "0xb", from_address: "0xaa", to_address: null, message: "300 ETH moved" },
  ...{ detected_at: "2026-01-01T00:00:00Z", correlation_id: "tx_raw/0/7/0" },
};
const context = (own: Partial<TemplateContext> = {}): TemplateContext => ({
  ...{ kind: "alert", channel: "ops", count: 1, alerts: [alert], alert, severity: "high", trouble: undefined, ...own },
});

test("the texts as they come say what happened, for each kind of message", async () => {
  const both = async (own: Partial<TemplateContext>) => [
    await renderTemplate("title", DEFAULT_TITLE, context(own)),
    await renderTemplate("text", DEFAULT_TEXT, context(own)),
  ];
  const line = "300 ETH moved\nrule whale-transfer (high), chain 1, transaction 0x01, block 7";
  expect(await both({})).toEqual(["HIGH: whale-transfer", line]);
  const many = Array.from({ length: 60 }, () => alert);
  const [title, text] = await both({ kind: "digest", count: 60, alerts: many });
  expect(title).toBe("60 alerts, the worst high");
  expect(text!.split("300 ETH").length - 1).toBe(50);
  expect(text).toContain("and 10 more");
  expect((await both({ kind: "retraction" }))[1]).toContain("this has not happened");
  const none = { count: 0, alerts: [], alert: undefined };
  expect(await both({ ...none, kind: "trouble", trouble: "dead" })).toEqual(["Messages do not get through", "dead"]);
});

test("a template sees the message's facts, no files, no prototypes, and ends", async () => {
  const render = (source: string) => renderTemplate("text", source, context());
  expect(await render("{{ alert.message | upcase }}")).toBe("300 ETH MOVED");
  expect(await render("{{ alert.constructor }}{{ alerts.__proto__ }}{{ process }}")).toBe("");
  await expect(render("{% include '/etc/passwd' %}")).rejects.toThrow('Cannot render the template "text"');
  await expect(render("{{ alert | nonsense }}")).rejects.toThrow("nonsense");
  await expect(
    render("{% for a in (1..100000000) %}{% for b in (1..100000000) %}{% endfor %}{% endfor %}"),
  ).rejects.toThrow("limit");
  expect(() => parseTemplate("title", "{% if %}")).toThrow(/^Cannot use the template "title": .*expected Liquid$/s);
});
