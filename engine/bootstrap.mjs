// What `npm start`, `npm test` and `npm run bench` do first: plain JavaScript without dependencies, since it installs them.
// A second run finds everything done and goes straight on.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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
  process.exit(test());
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

/** All tests, and the one line that says how they went. */
function test() {
  const folder = mkdtempSync(join(tmpdir(), "weir-test-"));
  const report = join(folder, "report.json");
  const status = node(
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...args,
  );
  if (!existsSync(report)) {
    console.log("0 passed, 1 failed");
    return status || 1;
  }
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  rmSync(folder, { recursive: true });
  // A file that could not even be loaded has no tests to fail.
  const broken = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((each) => each.status === "failed"),
  );
  for (const { name, message } of broken) console.log(`failed to load: ${name}\n${message}`);
  // Nor does a run that ended before its first test.
  const failed = numFailedTests + broken.length || (numPassedTests === 0 ? 1 : 0);
  console.log(`${numPassedTests} passed, ${failed} failed${numPendingTests > 0 ? `, ${numPendingTests} skipped` : ""}`);
  return failed > 0 ? 1 : status;
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
