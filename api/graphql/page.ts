/** A page to try operations on. Ours, not GraphiQL's: that would load its program from another host, and hand it the reader's token. */
import { createHash } from "node:crypto";
import type { Context } from "hono";

const SCRIPT = `
const by = (id) => document.getElementById(id);
by("token").value = sessionStorage.getItem("token") ?? "";
const ask = async (operation) => {
  sessionStorage.setItem("token", by("token").value);
  const headers = { "content-type": "application/json", ...(by("token").value && { authorization: "Bearer " + by("token").value }) };
  const answer = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(operation) });
  return answer.json();
};
const show = (value) => { by("answer").textContent = JSON.stringify(value, null, 2); };
by("run").onclick = async () => {
  try {
    const variables = JSON.parse(by("variables").value || "{}");
    show(await ask({ query: by("query").value, variables }));
  } catch (error) { show({ error: String(error) }); }
};
by("types").onclick = async () => {
  const fields = "fields { name description type { ...t } args { name description type { ...t } } }";
  const { data, errors } = await ask({ query: "{ __schema { types { kind name " + fields + " enumValues { name } } } } fragment t on __Type { name ofType { name ofType { name ofType { name } } } }" });
  if (errors) return show(errors);
  const nameOf = (type) => type.name ?? nameOf(type.ofType);
  const lines = data.__schema.types.filter(({ kind, name }) => kind === "OBJECT" && !name.startsWith("__")).map(({ name, fields }) =>
    name + "\\n" + fields.map((each) => "  " + each.name + (each.args.length ? "(" + each.args.map((arg) => arg.name + ": " + nameOf(arg.type)).join(", ") + ")" : "") + ": " + nameOf(each.type) + (each.description ? "   # " + each.description : "")).join("\\n"));
  by("answer").textContent = lines.join("\\n\\n");
};
`;

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Weir: GraphQL</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; padding: 1rem }
textarea, pre, input { width: 100%; box-sizing: border-box; font: 13px ui-monospace, monospace }
pre { overflow: auto; max-height: 90vh; margin: 0 }
</style>
<main>
<section>
<label>Token or API key <input id="token" type="password" autocomplete="off"></label>
<label>Operation <textarea id="query" rows="22">{
  alerts(first: 5) {
    totalCount
    nodes { rule severity message detected_at transaction { tx_hash value risk } }
    pageInfo { endCursor hasNextPage }
  }
}</textarea></label>
<label>Variables <textarea id="variables" rows="4">{}</textarea></label>
<button id="run">Run</button> <button id="types">Types</button>
</section>
<pre id="answer"></pre>
</main>
<script>${SCRIPT}</script>
</html>`;

const POLICY = [
  "default-src 'none'",
  "connect-src 'self'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${createHash("sha256").update(SCRIPT).digest("base64")}'`,
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

export const queryPage = (c: Context): Response => c.html(PAGE, 200, { "content-security-policy": POLICY }) as Response;
