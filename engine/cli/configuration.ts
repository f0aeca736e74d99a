import { type LoadedConfig, loadConfig } from "../ops/config.ts";

/** The configuration of this process: environment before `.env` before defaults. @throws ConfigError with every mistake */
export function loadConfiguration(flags: Parameters<typeof loadConfig>[0] = {}): LoadedConfig {
  return loadConfig({ env: process.env, envFile: ".env", ...flags });
}
