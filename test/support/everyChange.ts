/** Every operation of the API that changes something, once, so that it succeeds: each makes what the next needs. */
import type { House } from "../../engine/cli/house.ts";
import { notifications } from "../../engine/control/schema.ts";
import { testModule } from "../../engine/sandbox/testModule.ts";
import { until } from "./engineProcess.ts";

export interface Change {
  readonly params?: Readonly<Record<string, string | number>>;
  /** Sent as JSON unless it is text or bytes. */
  readonly body?: unknown;
  /** Of a body that is no JSON. */
  readonly type?: string;
  /** An access token; the run's own otherwise. */
  readonly as?: string;
}

/** Asks an operation of the document (`post /api/v1/rules`), which must succeed. @returns its body */
// biome-ignore lint/suspicious/noExplicitAny: bodies of all kinds
export type AskChange = (operation: string, change?: Change) => Promise<any>;

const ADDRESS = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d";
const PASSWORD = "correct horse battery";
/** It has a parameter, so that there is something to set. */
const RULE = {
  name: "changed",
  parameters: { least: { type: "integer", default: "1" } },
  conditions: { value_gte: { param: "least" } },
  actions: { send_alert: true, severity: "low" },
};

export async function changeEverything(ask: AskChange, house: House, alert: string): Promise<void> {
  await changeRules(ask, house);
  await ask("put /api/v1/lists/{name}", { params: { name: "changed" }, body: ADDRESS, type: "text/plain" });
  await ask("patch /api/v1/lists/{name}", { params: { name: "changed" }, body: { remove: [ADDRESS] } });
  await ask("delete /api/v1/lists/{name}", { params: { name: "changed" } });
  const label = { chain_id: 1, address: ADDRESS };
  await ask("post /api/v1/labels", { body: [{ address: ADDRESS, name: "Router" }] });
  await ask("put /api/v1/labels/{chain_id}/{address}", { params: label, body: { name: "Router 2" } });
  await ask("delete /api/v1/labels/{chain_id}/{address}", { params: label });
  await ask("put /api/v1/owners/{owner}/quota", { params: { owner: "alice" }, body: { max_rules: 5 } });
  await changeNotifications(ask, house, alert);
  await changeExports(ask);
  await changeUsers(ask);
  await ask("post /graphql", { body: { query: "{ rules { name } }" } });
}

async function changeRules(ask: AskChange, house: House): Promise<void> {
  const params = { name: "changed" };
  await ask("put /api/v1/rules/{name}", { params: { name: "module" }, body: testModule({ manifest: '{"name":"module"}' }), type: "application/wasm" }); // biome-ignore format: one line
  const { version } = await ask("post /api/v1/rules", { body: RULE });
  await ask("post /api/v1/rules/{name}/disable", { params });
  await ask("post /api/v1/rules/{name}/enable", { params });
  await ask("put /api/v1/rules/{name}/parameters", { params, body: { least: "2" } });
  await ask("patch /api/v1/rules/{name}/parameters", { params: { ...params, state: "shadow" }, body: { least: "3" } });
  const promoted = await ask("post /api/v1/rules/{name}/promote", { params });
  await ask("post /api/v1/rules/{name}/rollback", { params: { ...params, version } });
  await house.catalogue.changeEach([{ name: "changed", action: "throttle", version, reason: "too much" }], "engine");
  await ask("post /api/v1/rules/{name}/release", { params });
  if (promoted.version === version) throw new Error("Cannot roll back: the parameters made no version of their own");
}

async function changeNotifications(ask: AskChange, { control }: House, alert: string): Promise<void> {
  const path = "/api/v1/notifications";
  const params = { name: "changed" };
  await ask(`post ${path}/preview`, { body: { text: "{{ alert.rule }}" } });
  const settings = { url: "https://192.0.2.1/hook", secrets: [`whsec_${"a".repeat(32)}`] }; // of no network: refused, whoever asks
  await ask(`post ${path}/channels`, { body: { ...params, kind: "webhook", settings } });
  await ask(`patch ${path}/channels/{name}`, { params, body: { enabled: false } });
  await ask(`post ${path}/channels/{name}/test`, { params });
  const [delivery] = await rowsOnce<{ id: number }>(() => ask(`get ${path}/deliveries`, { params: { state: "dead" } }), "a delivery that was given up"); // biome-ignore format: one line
  await ask(`post ${path}/deliveries/{id}/redeliver`, { params: { id: delivery.id } });
  const told = {
    channel: 1,
    recipient: "",
    kind: "alert",
    subject: alert,
    dedupKey: alert,
    state: "delivered" as const,
  };
  const at = new Date();
  await control.change((tx) => tx.insert(notifications).values({ ...told, together: false, dueAt: at, createdAt: at }));
  await ask("post /api/v1/alerts/{id}/acknowledge", { params: { id: alert } });
  await ask(`delete ${path}/channels/{name}`, { params });
  const silence = await ask(`post ${path}/silences`, { body: { ends_at: "2100-01-01T00:00:00Z", comment: "quiet" } });
  await ask(`delete ${path}/silences/{id}`, { params: { id: silence.id } });
}

async function changeExports(ask: AskChange): Promise<void> {
  const made = await ask("post /api/v1/exports/{format}", { params: { format: "csv" }, body: { dataset: "alerts" } });
  await ask("delete /api/v1/exports/{id}", { params: { id: made.id } });
  const schedule = await ask("post /api/v1/export-schedules", { body: { format: "csv", frequency: "daily", dataset: "alerts" } }); // biome-ignore format: one line
  await ask("delete /api/v1/export-schedules/{id}", { params: { id: schedule.id } });
}

async function changeUsers(ask: AskChange): Promise<void> {
  const { id } = await ask("post /api/v1/users", { body: { username: "changed", password: PASSWORD, role: "user" } });
  const login = (password: string) => ask("post /api/v1/auth/login", { body: { username: "changed", password } });
  const first = await login(PASSWORD);
  const refreshed = await ask("post /api/v1/auth/refresh", { body: { refresh_token: first.refresh_token } });
  const as = refreshed.access_token as string;
  await ask("post /api/v1/auth/ticket", { as });
  const key = await ask("post /api/v1/auth/api-keys", { as, body: { name: "one" } });
  await ask("delete /api/v1/auth/api-keys/{id}", { as, params: { id: key.id } });
  const other = await ask("post /api/v1/auth/api-keys", { as, body: { name: "two" } });
  await ask("delete /api/v1/users/{id}/api-keys/{key}", { params: { id, key: other.id } });
  const password = `${PASSWORD} 2`;
  await ask("post /api/v1/auth/password", { as, body: { current_password: PASSWORD, new_password: password } });
  const [second, third, fourth] = [await login(password), await login(password), await login(password)];
  const sessionOf = async ({ access_token }: { access_token: string }): Promise<string> => {
    const [, payload] = access_token.split(".");
    return JSON.parse(Buffer.from(payload!, "base64url").toString()).sid;
  };
  await ask("delete /api/v1/auth/sessions/{id}", { as: second.access_token, params: { id: await sessionOf(third) } });
  await ask("delete /api/v1/users/{id}/sessions/{session}", { params: { id, session: await sessionOf(fourth) } });
  await ask("post /api/v1/auth/logout", { as: second.access_token });
  await ask("patch /api/v1/users/{id}", { params: { id }, body: { role: "viewer" } });
  await ask("delete /api/v1/users/{id}", { params: { id } });
}

async function rowsOnce<Row>(read: () => Promise<Row[]>, what: string): Promise<Row[]> {
  let rows: Row[] = [];
  await until(
    async () => (rows = await read()).length > 0,
    () => `there is no ${what}`,
  );
  return rows;
}
