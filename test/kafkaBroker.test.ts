import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const startBroker = fileURLToPath(new URL("./support/kafkaBroker.ts", import.meta.url));

/** Runs a script in a process of its own; resolves with its first line of output, or the whole of its errors if it ends first. */
function start(script: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = new Promise<string>((resolve) => {
    let [output, errors] = ["", ""];
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (output.includes("\n")) resolve(output.trim());
    });
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.once("close", () => resolve(errors));
  });
  return { child, said };
}

/** Whether a broker runs from this data folder: its path is on Java's command line. */
async function brokerRuns(dataDir: string): Promise<boolean> {
  const child = spawn("pgrep", ["-f", join(dataDir, "server.properties")]);
  return new Promise((resolve) => child.once("close", (code) => resolve(code === 0)));
}

test("a broker goes with the process that started it, even if that is killed", async (context) => {
  if (process.env.KAFKA_BROKERS) context.skip("KAFKA_BROKERS is set: the broker is not ours");
  const { child, said } = start(
    `const { startBroker } = await import(${JSON.stringify(startBroker)});
     const broker = await startBroker();
     console.log(broker.dataDir);
     setInterval(() => {}, 1000);`,
  );
  const dataDir = await said;
  expect(existsSync(join(dataDir, "server.properties")), dataDir).toBe(true);
  expect(await brokerRuns(dataDir)).toBe(true);
  child.kill("SIGKILL");
  while ((await brokerRuns(dataDir)) || existsSync(dataDir)) await new Promise((resolve) => setTimeout(resolve, 50));
});

test("KAFKA_BROKERS is used as it is, and such a broker cannot be stopped", async () => {
  const { said } = start(
    `const { startBroker } = await import(${JSON.stringify(startBroker)});
     const broker = await startBroker();
     await broker.close();
     console.log(JSON.stringify([broker.brokers, broker.dataDir, await broker.stop().catch((error) => error.message)]));`,
    { KAFKA_BROKERS: "kafka.example:9092" },
  );
  expect(JSON.parse(await said)).toEqual([
    "kafka.example:9092",
    null,
    expect.stringContaining('Cannot stop the broker "kafka.example:9092": it comes from KAFKA_BROKERS'),
  ]);
});

test("without Maven, jars or brokers the error says what to do", async () => {
  const empty = await mkdtemp(join(tmpdir(), "weir-no-maven-"));
  const { said } = start(`const { startBroker } = await import(${JSON.stringify(startBroker)}); await startBroker();`, {
    KAFKA_BROKERS: "",
    XDG_CACHE_HOME: empty,
    PATH: empty,
  });
  const message = await said;
  await rm(empty, { recursive: true });
  expect(message).toContain('Cannot run "mvn": it is not installed');
  expect(message).toContain("KAFKA_BROKERS=host:port");
});
