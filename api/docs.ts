/** /docs: the OpenAPI document as one page. No script, nothing from elsewhere: it works offline and under a strict policy. */

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly format?: string;
  readonly const?: unknown;
}

export interface Operation {
  readonly summary?: string;
  readonly description?: string;
  security?: readonly unknown[];
  /** Least role; describeAccess() says it. */
  "x-least-role"?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema?: Schema;
    example?: unknown;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Record<string, { description: string; content?: Readonly<Record<string, { schema?: Schema }>> }>;
}

export interface OpenApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  components?: {
    readonly schemas?: Readonly<Record<string, unknown>>;
    securitySchemes?: Readonly<Record<string, unknown>>;
  };
}

/** @returns HTML */
export function docsPage({ info, paths = {}, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? "other"))];
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => (operation.tags?.[0] ?? "other") === tag);
    return `<h2>${escapeHtml(tag)}</h2>${own.map(operationHtml).join("")}`;
  });
  const schemas = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="schema-${escapeHtml(name)}"><summary><b>${escapeHtml(name)}</b></summary>${fieldsHtml(schema as Schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(info.title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>
<p>${escapeHtml(info.description ?? "")}</p>
<p>Machine-readable: <a href="/openapi.json">/openapi.json</a></p>
${sections.join("\n")}
<h2>schemas</h2>${schemas.join("\n")}
</main></body></html>`;
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const { summary = "", description = "", parameters = [], requestBody, responses, security } = operation;
  const { "x-least-role": role = "" } = operation;
  const id = `${method}-${path}`.replace(/[^a-z0-9]+/gi, "-");
  const verb = method.toUpperCase();
  const rows = parameters.map(
    ({ name, in: where, required, description: about, schema, example }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? " *" : ""}</td><td>${where}</td><td>${typeHtml(schema)}</td>
<td>${escapeHtml(about ?? "")}${example === undefined ? "" : ` <i>e.g. <code>${escapeHtml(String(example))}</code></i>`}</td></tr>`,
  );
  const answers = Object.entries(responses).map(([status, { description: about, content = {} }]) => {
    const types = Object.entries(content).map(([type, { schema }]) => `${escapeHtml(type)} ${typeHtml(schema)}`);
    return `<tr><td>${status}</td><td>${escapeHtml(about)}</td><td>${types.join(", ")}</td></tr>`;
  });
  return `<details id="${id}"><summary><code class="${method}">${verb}</code> <code>${escapeHtml(path)}</code> ${escapeHtml(summary)}${security ? " 🔒" : ""}</summary>
${description && `<p>${escapeHtml(description)}</p>`}
${security ? `<p>Needs <code>Authorization: Bearer …</code> or <code>X-API-Key: …</code> of ${escapeHtml(role)}.</p>` : ""}
<pre>${escapeHtml(curl(verb, path, requestBody ? Object.keys(requestBody.content)[0] : undefined, security !== undefined))}</pre>
${method === "get" && !path.includes("{") ? `<p><a href="${escapeHtml(path)}">Open ${escapeHtml(path)}</a></p>` : ""}
${rows.length > 0 ? `<table><tr><th>parameter</th><th>in</th><th>type</th><th></th></tr>${rows.join("")}</table>` : ""}
<table><tr><th>status</th><th></th><th>body</th></tr>${answers.join("")}</table></details>`;
}

function curl(verb: string, path: string, bodyType: string | undefined, token: boolean): string {
  const parts = ["curl", ...(verb === "GET" ? [] : [`-X ${verb}`]), `"$WEIR${path}"`];
  if (token) parts.push('-H "Authorization: Bearer $WEIR_TOKEN"');
  if (bodyType) parts.push(`-H "Content-Type: ${bodyType}" --data-binary @rule.wasm`);
  return parts.join(" ");
}

function fieldsHtml({ properties = {}, allOf = [] }: Schema): string {
  const rows = Object.entries(properties).map(
    ([name, schema]) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${typeHtml(schema)}</td><td>${escapeHtml(schema.description ?? "")}</td></tr>`,
  );
  const bases = allOf.map((base) => (base.$ref ? `<p>All of ${typeHtml(base)}, and:</p>` : fieldsHtml(base)));
  return `${bases.join("")}${rows.length > 0 ? `<table>${rows.join("")}</table>` : ""}`;
}

/** A type in a few words: `integer | null`, `array of Transaction`. */
function typeHtml(schema: Schema | undefined): string {
  if (!schema) return "";
  if (schema.$ref) {
    const name = escapeHtml(schema.$ref.split("/").at(-1)!);
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.anyOf) return schema.anyOf.map(typeHtml).join(" | ");
  if (schema.enum) return schema.enum.map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(" | ");
  if (schema.items) return `array of ${typeHtml(schema.items)}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : String(schema.type ?? "any");
  const inner = Object.entries(schema.properties ?? {}).map(([name, each]) => `${escapeHtml(name)}: ${typeHtml(each)}`);
  return `${escapeHtml(type)}${schema.format ? ` (${escapeHtml(schema.format)})` : ""}${inner.length > 0 ? ` { ${inner.join(", ")} }` : ""}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
main { max-width: 70rem; margin: 0 auto; padding: 1rem }
details { border: 1px solid #8884; border-radius: 6px; margin: .4rem 0; padding: .3rem .8rem }
summary { cursor: pointer }
code, pre { font: 13px ui-monospace, monospace }
pre { background: #8882; padding: .6rem; overflow-x: auto }
table { border-collapse: collapse; margin: .6rem 0; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .15rem .8rem .15rem 0; border-bottom: 1px solid #8883 }
.get { color: #1a7f37 } .put, .post { color: #bc4c00 }`;
