/** TLS by configuration; with authorities of clients, mutual. */
import { readFileSync } from "node:fs";
import { createServer, type ServerOptions } from "node:https";
import { ConfigError } from "../engine/ops/config.ts";

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Each client must have a certificate of one of these authorities. */
  readonly clientCa?: string | undefined;
}

/** What createAdaptorServer() makes a server of: https where files are given. @throws ConfigError */
export function serverOf(files: TlsFiles | undefined) {
  if (files === undefined) return { serverOptions: {} };
  const { cert, key, clientCa } = files;
  const serverOptions: ServerOptions = {
    cert: read("WEIR_TLS_CERT", cert),
    key: read("WEIR_TLS_KEY", key),
    minVersion: "TLSv1.2",
    ...(clientCa === undefined
      ? {}
      : { ca: read("WEIR_TLS_CLIENT_CA", clientCa), requestCert: true, rejectUnauthorized: true }),
  };
  return { createServer, serverOptions };
}

function read(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const problem = `it cannot be read: ${(error as Error).message}`;
    throw new ConfigError([{ variable, value: file, problem, expected: "a PEM file" }]);
  }
}
