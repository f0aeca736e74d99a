#!/usr/bin/env node
// The command line without a build step: bundles what has changed, then runs cli.ts with the flags that an engine wants.
import { spawn } from "node:child_process";
import { runnable } from "./bundle.mjs";
import { NODE_FLAGS, nodeEnvironment } from "./nodeFlags.mjs";

const maps = process.env.LOG_LEVEL === "debug" ? ["--enable-source-maps"] : [];
const child = spawn(
  process.execPath,
  [...NODE_FLAGS, ...maps, ...process.execArgv, ...(await runnable("engine/cli")), ...process.argv.slice(2)],
  { env: nodeEnvironment(process.env), stdio: "inherit" },
);
// A terminal sends Ctrl-C to the whole group; anything else (kill, a supervisor) reaches only us and is passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
child.on("exit", (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  else process.exit(code ?? 70);
});
