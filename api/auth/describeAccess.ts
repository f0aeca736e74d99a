import type { OpenApiDocument, Operation } from "../docs.ts";
import { UNCOUNTED } from "../limits/rateLimits.ts";
import { permissionOf } from "./permissions.ts";

const SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "An access token of POST /api/v1/auth/login, an API key, or the token of this Weir (WEIR_TOKEN)",
  },
  apiKey: { type: "apiKey", in: "header", name: "X-API-Key", description: "An API key" },
} as const;

const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});
const UNAUTHORIZED = problem("Nothing was shown, or it is wrong, or not valid any more");
const FORBIDDEN = problem("The role does not allow it, or requests are not answered from there or for that host");

const WRONG = problem("Wrong parameters");
const TOO_MANY = problem("Too many requests: the header Retry-After says when the next is answered");

/** Writes into the document what the table of permissions says, so that it is said once. */
export function describeAccess(document: OpenApiDocument): void {
  document.components = { ...document.components, securitySchemes: SCHEMES };
  for (const [path, item] of Object.entries(document.paths ?? {}))
    for (const [method, each] of Object.entries(item)) {
      const permission = permissionOf(`${method.toUpperCase()} ${path}`);
      if (!UNCOUNTED.has(`${method.toUpperCase()} ${path}`)) (each as Operation).responses["429"] ??= TOO_MANY;
      const operation = each as Operation;
      if ((operation.parameters ?? []).length > 0) operation.responses["400"] ??= WRONG;
      if (permission === "open") continue;
      operation.security = [{ bearer: [] }, { apiKey: [] }];
      operation["x-least-role"] = permission === "local" ? "viewer, but on this machine" : permission;
      operation.responses["401"] ??= UNAUTHORIZED;
      operation.responses["403"] = FORBIDDEN;
    }
}
