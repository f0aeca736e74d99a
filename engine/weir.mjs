#!/usr/bin/env node
// The command line without a build step: registers the TypeScript loader (inherited by worker threads), then runs cli.ts.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS } from "./nodeFlags.mjs";

const cli = fileURLToPath(new URL("./cli.ts", import.meta.url));
const child = spawn(
  process.execPath,
  [...NODE_FLAGS, ...process.execArgv, "--import", import.meta.resolve("tsx"), cli, ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
// A terminal sends Ctrl-C to the whole group; anything else (kill, a supervisor) reaches only us and is passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
child.on("exit", (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  else process.exit(code ?? 70);
});
