// What `npm start`, `npm test` and `npm run bench` do first: plain JavaScript without dependencies, since it installs them.
// A second run finds everything done and goes straight on.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [command, ...args] = process.argv.slice(2);

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Cannot run on Node ${process.versions.node}: expected 20.19 or later`);
  process.exit(3);
}

installDependencies();
if (command === "start") {
  node("--import", "tsx", "rules-as/cli/buildExamples.ts");
  process.exit(node("engine/weir.mjs", "start", ...args));
} else if (command === "bench") {
  requireKafkaBinding();
  must(node("--import", "tsx", "rules-as/cli/buildExamples.ts"));
  process.exit(node("--import", "tsx", "bench/main.ts", ...args));
} else if (command === "test") {
  requireKafkaBinding();
  must(node("--import", "tsx", "rules-as/cli/buildExamples.ts"));
  process.exit(node("--import", "tsx", "test/main.ts", ...args));
} else {
  console.error(`Cannot run "${command}": expected start, test or bench`);
  process.exit(2);
}

/**
 * Installs what package-lock.json says, unless that is what was installed last. Not by `npm ci`: it refuses a lock in which
 * optional packages of some other platform are missing, as they are on registries that do not mirror all of them.
 */
function installDependencies() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const mark = join(root, "node_modules/.weir-installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  console.error("installing dependencies …");
  must(
    run(process.platform === "win32" ? "npm.cmd" : "npm", ["install", "--no-save", "--no-audit", "--no-fund"], {
      stdio: ["ignore", 2, 2],
    }),
  );
  writeFileSync(mark, lock);
  console.error("✓ dependencies");
}

/** Tests and benchmarks talk to a real broker through the real client. */
function requireKafkaBinding() {
  must(node("test/support/buildKafkaBinding.mjs"));
}

function node(...argv) {
  return run(process.execPath, argv, { stdio: "inherit" });
}

function run(program, argv, options) {
  const { status, signal, error } = spawnSync(program, argv, { cwd: root, ...options });
  if (error) console.error(`Cannot run ${program}: ${error.message}`);
  return status ?? (signal === "SIGINT" ? 130 : 70);
}

function must(status) {
  if (status !== 0) process.exit(status);
}
