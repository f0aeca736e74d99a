/**
 * Requests to addresses that users name. They reach the open internet alone: a name is resolved once, what it resolves to is checked, and that address is
 * the one connected to, so that a second answer of its name server cannot lead elsewhere. Redirects are not followed.
 */
import { lookup } from "node:dns";
import http from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isWithin, type Range } from "../../engine/access/ranges.ts";
import { isPublic } from "./address.ts";
import { SendError } from "./sendError.ts";

export interface HttpRequest {
  readonly method: "POST" | "PATCH";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless the headers say otherwise. */
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Its first 8 KiB: what a receipt keeps, and where services say why they refuse. */
  readonly body: string;
}

/** Sends and reads the answer. @throws SendError when there is none */
export type Outbound = (request: HttpRequest) => Promise<HttpAnswer>;

export interface OutboundOptions {
  /** Ranges besides the open internet that may be reached. */
  readonly allowed?: readonly Range[];
  /** For all of a request, in ms. */
  readonly timeoutMs?: number;
}

const MAX_ANSWER = 8 * 1024;

/** What is wrong with an address to send to, undefined if nothing; its name is not looked up yet. */
export function urlProblem(url: string): string | undefined {
  if (!URL.canParse(url) || url.length > 2_048) return "it is no URL of up to 2,048 characters";
  const { protocol, username, password } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return `its scheme is "${protocol.slice(0, -1)}"`;
  if (username || password) return "it has a user or a password in it";
  return undefined;
}

export function createOutbound({ allowed = [], timeoutMs = 10_000 }: OutboundOptions = {}): Outbound {
  const mayReach = (address: string): boolean => isPublic(address) || isWithin(address, allowed);
  const refused = (host: string, address: string): SendError =>
    new SendError(
      `Cannot send to "${host}": ${address === host ? "it" : address} is no address of the open internet, expected one, or one that WEIR_NOTIFY_ALLOWED_RANGES has`,
      { permanent: true },
    );

  const checkedLookup: LookupFunction = (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      const bad = error ? undefined : addresses.find(({ address }) => !mayReach(address));
      if (error) done(error, "", 0);
      else if (bad) done(refused(host, bad.address), "", 0);
      else if (options.all) done(null, addresses);
      else done(null, addresses[0]!.address, addresses[0]!.family);
    });
  };

  return async ({ method, url, headers, body }) => {
    const problem = urlProblem(url);
    if (problem)
      throw new SendError(`Cannot send to "${url}": ${problem}, expected http or https`, { permanent: true });
    const { protocol, hostname, host } = new URL(url);
    const literal = hostname.replace(/^\[|\]$/g, "");
    if (isIP(literal) && !mayReach(literal)) throw refused(host, host); // an address is connected to without a look-up
    const client = protocol === "https:" ? https : http;
    const signal = AbortSignal.timeout(timeoutMs);
    return new Promise<HttpAnswer>((resolve, reject) => {
      const fail = (error: Error): void => {
        const reason = signal.aborted ? `no answer within ${timeoutMs / 1_000} s` : error.message || String(error);
        const told = new SendError(`Cannot send to "${host}": ${reason}, expected an answer`, { cause: error });
        reject(error instanceof SendError ? error : told);
      };
      const request = client.request(
        url,
        {
          method,
          headers: {
            "content-type": "application/json",
            "user-agent": "weir",
            ...headers,
            "content-length": Buffer.byteLength(body),
          },
          lookup: checkedLookup,
          agent: false, // a connection that stays open would outlive the check of its address
          signal,
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          const answer = (): void =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).subarray(0, MAX_ANSWER).toString("utf8"),
            });
          response.on("data", (chunk: Buffer) => {
            chunks.push(chunk);
            size += chunk.length;
            if (size < MAX_ANSWER) return;
            answer(); // the rest is of no interest
            request.destroy();
          });
          response.on("end", answer);
          response.on("error", fail);
        },
      );
      request.on("error", fail);
      request.end(body);
    });
  };
}
