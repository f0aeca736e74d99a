/** What the rule commands ask of a running Weir, over its HTTP API. */
import { ServiceUnavailable, UserError } from "../../ops/errors.ts";
import type { Finding } from "../../sandbox/finding.ts";
import type { ParameterDeclaration, ParameterType, ParameterValue } from "../../sandbox/parameters.ts";
import { loadConfiguration } from "../configuration.ts";
import { readRunToken } from "../runToken.ts";

export interface Api {
  /** Without a slash at its end. */
  readonly url: string;
  /** @throws ServiceUnavailable when nobody answers */
  ask(path: string, init?: RequestInit): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  /** problem+json where status is 400 and more */
  readonly body: unknown;
}

/** Parameters of a version in the API's answers. */
export interface ParametersAnswer {
  readonly rule: string;
  readonly version: number;
  readonly runs: "live" | "shadow" | null;
  readonly parameters: readonly ParameterAnswer[];
}

export interface ParameterAnswer extends Omit<ParameterDeclaration, "type"> {
  readonly name: string;
  /** null: it cannot be changed. */
  readonly type: ParameterType | null;
  readonly value: ParameterValue;
}

/** A rule in the API's answers, as far as it is shown here. */
export interface RuleAnswer {
  readonly name: string;
  /** That runs, or would. */
  readonly version: number;
  readonly newest_version: number;
  readonly live_version: number | null;
  readonly shadow_version: number | null;
  readonly state: string;
  readonly size: number;
  readonly manifest: { readonly description?: string };
  /** Of an upload. */
  readonly carried?: { readonly state: "kept" | "reset"; readonly why: string };
}

const TIMEOUT_MS = 60_000;

/** @param url default: the address that this configuration serves the API at  @param token default: WEIR_TOKEN, or that of the run */
export function openApi({ url, token }: { url?: string | undefined; token?: string | undefined }): Api {
  const { config } = loadConfiguration();
  const { api } = config;
  const base = (url ?? `${api.tls ? "https" : "http"}://127.0.0.1:${api.port}`).replace(/\/$/, "");
  const authorization = token ?? api.token ?? (url === undefined ? readRunToken(config) : undefined);
  return {
    url: base,
    async ask(path, init = {}) {
      const headers = new Headers(init.headers);
      if (authorization !== undefined) headers.set("authorization", `Bearer ${authorization}`);
      let response: Response;
      try {
        response = await fetch(base + path, { ...init, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      } catch (error) {
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
        throw new ServiceUnavailable(`Cannot reach the API at "${base}": ${cause.message}`, {
          next: "npx weir start serves it; --api URL names another one",
        });
      }
      const text = await response.text();
      try {
        return { status: response.status, body: JSON.parse(text) };
      } catch {
        throw new UserError(
          `Cannot understand "${base}${path}": ${response.status} and no JSON, expected the API of Weir`,
        );
      }
    },
  };
}

/** @throws UserError with the API's own words unless the answer is one of success */
export function expectSuccess<T>(action: string, { status, body }: Answer): T {
  if (status < 300) return body as T;
  const { detail, title } = body as { detail?: string; title?: string };
  const next =
    status === 401
      ? "WEIR_TOKEN, or --token, must be the token that the engine was started with, or an API key"
      : undefined;
  const words = `Cannot ${action}: ${detail ?? title ?? `the API answered ${status}`}`;
  throw status >= 500 ? new ServiceUnavailable(words) : new UserError(words, next === undefined ? {} : { next });
}

/** The findings of an answer that refuses a module, if it is one. */
export function findingsOf({ status, body }: Answer): readonly Finding[] | undefined {
  return status === 422 ? (body as { findings?: readonly Finding[] }).findings : undefined;
}
