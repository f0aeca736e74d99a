// Makes the native half of @confluentinc/kafka-javascript loadable: `npm run kafka:build`.
//
// The house installs packages with their scripts off, so this package arrives as sources only. Its own install script
// downloads a ready binary or compiles librdkafka for minutes; we do the same once per Node ABI and keep the result in
// the user's cache folder. It is put where the `bindings` package looks per ABI, so Node 20 and Node 24 share a checkout:
//
//   node_modules/@confluentinc/kafka-javascript/lib/binding/
//     node-v115-linux-x64/confluent-kafka-javascript.node    runpath $ORIGIN/../deps
//     deps/librdkafka.so.1  librdkafka++.so.1                same for every ABI
//
// A build of our own reads records in batches, gives back memory that the package keeps, and waits less (engine/kafka/native/). With a
// ready binary everything works, at a third of the rate and with that loss; `npm run kafka:build -- --compile` leaves it aside.
//
// Plain JavaScript without dependencies: it runs before anything else is ready.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CHANGES } from "../../engine/kafka/native/changes.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const nodeModules = join(root, "node_modules");
const packageFolder = join(nodeModules, "@confluentinc", "kafka-javascript");
const abi = `node-v${process.versions.modules}-${process.platform}-${process.arch}`;
const ourMethod = join(root, "engine", "kafka", "native", "consumeBatch.h");
const mustCompile = process.argv.includes("--compile");
const libraries = /^(confluent-kafka-javascript\.node|librdkafka(\+\+)?(\.so\.1|\.1\.dylib))$/;
/** What librdkafka links to, and what compiles it. */
const debianPackages = [
  ...["build-essential", "python3"],
  ...["zlib1g-dev", "libssl-dev", "libcurl4-openssl-dev", "libzstd-dev", "libsasl2-dev", "liblz4-dev"],
];

const say = (text) => process.stderr.write(`kafka:build  ${text}\n`);

class StepError extends Error {}

/** Loads the package in a process of its own (a bad binary may crash it); null when it works, else the reason. */
function loadError() {
  const script = `const kafka = require('@confluentinc/kafka-javascript');
    const consumer = new kafka.KafkaConsumer({ 'group.id': 'none' }, {});
    console.log(typeof consumer.getClient().consumeBatch)`;
  const child = spawnSync(process.execPath, ["-e", script], { cwd: root, encoding: "utf8" });
  if (child.status !== 0)
    return child.stderr.split("\n").find((line) => /Error/.test(line)) ?? `exit ${child.status ?? child.signal}`;
  return mustCompile && child.stdout.trim() !== "function" ? "it is a ready binary" : null;
}

/** Which sources a build is of: other changes are another build. */
const stamp = createHash("sha256")
  .update(readFileSync(ourMethod))
  .update(JSON.stringify(CHANGES))
  .digest("hex")
  .slice(0, 12);
const stampFile = join(packageFolder, "lib", "binding", abi, "built-of");

/** Changes a copy of the package's sources. */
function changeSources(folder) {
  cpSync(ourMethod, join(folder, "src", "consumeBatch.h"));
  for (const [file, place, text] of CHANGES) {
    const path = join(folder, file);
    const source = readFileSync(path, "utf8");
    if (!source.includes(place))
      throw new StepError(
        `Cannot change the Kafka client's sources: ${file} has no lines ${JSON.stringify(place)}, expected the sources of the version in package-lock.json`,
      );
    writeFileSync(path, source.replace(place, text));
  }
}

/** Copies `{bin,deps}` from a build or the cache to where `bindings` looks; renames, as another process may have the old file mapped. */
function install(from) {
  const target = join(packageFolder, "lib", "binding");
  for (const [source, folder] of [
    ["deps", "deps"],
    ["bin", abi],
  ]) {
    mkdirSync(join(target, folder), { recursive: true });
    for (const name of existsSync(join(from, source)) ? readdirSync(join(from, source)) : []) {
      const scratch = join(target, folder, `${name}.${process.pid}`);
      cpSync(join(from, source, name), scratch);
      renameSync(scratch, join(target, folder, name));
    }
  }
  writeFileSync(stampFile, stamp);
}

/** Keeps a build: `folder` appears whole or not at all, whoever else builds at the same time. */
function keep(build, folder) {
  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  for (const [source, target] of [
    ["Release", "bin"],
    ["deps", "deps"],
  ]) {
    mkdirSync(join(scratch, target));
    const names = existsSync(join(build, source)) ? readdirSync(join(build, source)) : [];
    for (const name of names.filter((name) => libraries.test(name))) {
      cpSync(join(build, source, name), join(scratch, target, name), { dereference: true });
    }
  }
  rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(scratch, folder);
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error; // the other builder's copy is as good
  }
}

/**
 * The headers of the running Node: beside its binary (Debian, tarballs), else from npm's platform package of that version
 * (`npx node@24` deletes its copy). Undefined when neither is there: node-gyp then downloads them from nodejs.org.
 */
function headersFolder(scratch) {
  const { version, platform, arch } = process;
  const [major] = version.slice(1).split(".");
  const fits = (folder) => {
    const file = join(folder, "include", "node", "node_version.h");
    return existsSync(file) && readFileSync(file, "utf8").includes(`#define NODE_MAJOR_VERSION ${major}\n`);
  };
  const prefix = dirname(dirname(process.execPath));
  if (fits(prefix)) return prefix;

  const name = `node-${platform}-${arch}`;
  say(`fetching the headers of Node ${version} (npm package ${name})`);
  const quiet = { cwd: scratch, stdio: "ignore" };
  spawnSync("npm", ["pack", `${name}@${version.slice(1)}`, "--silent"], quiet);
  spawnSync("tar", ["-xzf", `${name}-${version.slice(1)}.tgz`, "package/include"], quiet);
  const folder = join(scratch, "package");
  return fits(folder) ? folder : undefined;
}

/** Runs the package's own install script in `folder`; its output is returned. */
function runInstallScript(folder, args, headers) {
  const preGyp = createRequire(join(packageFolder, "package.json")).resolve("@mapbox/node-pre-gyp/bin/node-pre-gyp");
  const env = {
    ...process.env,
    CKJS_LINKING: "dynamic",
    PATH: dirname(process.execPath) + delimiter + process.env.PATH,
  };
  delete env.npm_config_nodedir; // npm hands on the user's setting, which belongs to the Node that npm was installed with
  if (headers) env.npm_config_nodedir = headers;
  return spawnSync(process.execPath, [preGyp, "install", ...args], {
    cwd: folder,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
}

function missingDebianPackages() {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
  const status = ["-W", "-f", "${Status}"];
  const installed = (name) =>
    spawnSync("dpkg-query", [...status, name], { encoding: "utf8" }).stdout?.endsWith(" installed");
  return debianPackages.filter((name) => !installed(name));
}

/** Installs the compiler and headers where we may (root on Debian), else throws the exact command to run. */
function provideCompiler() {
  if (!existsSync("/etc/debian_version")) {
    say(
      `not Debian: cannot check for a C++ compiler, make, python3 and the headers of zlib, OpenSSL, curl, zstd, SASL, lz4`,
    );
    return;
  }
  const missing = missingDebianPackages();
  if (missing.length === 0) return;
  const command = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0) {
    throw new StepError(
      `Cannot build the Kafka client: ${missing.length} system packages are missing, expected them installed\n  Run: sudo sh -c '${command}'\n  Then: npm run kafka:build`,
    );
  }
  say(`installing ${missing.join(" ")}`);
  const child = spawnSync("sh", ["-c", command], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (child.status !== 0) {
    throw new StepError(
      `Cannot install the build packages: apt-get ended with ${child.status}, expected 0\n  Run: ${command}`,
    );
  }
}

/** Downloads or compiles in a scratch copy beside the package (it must resolve `nan`), so that nobody sees half a build. */
function build(cache) {
  const scratch = mkdtempSync(join(nodeModules, ".kafka-build-"));
  const stop = () => {
    rmSync(scratch, { recursive: true, force: true });
    process.exit(130);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const skipped = ["build", join("lib", "binding")].map((name) => join(packageFolder, name));
    cpSync(packageFolder, scratch, { recursive: true, filter: (path) => !skipped.includes(path) });
    if (!mustCompile) say("looking for a ready binary");
    if (!mustCompile && runInstallScript(scratch, []).status === 0) {
      say(
        "a ready binary: reads at a third of the rate, commits 10 ms later, and loses 500 bytes for each partition of each commit",
      );
      say("Run, for one that does none of it: npm run kafka:build -- --compile");
    } else {
      provideCompiler();
      changeSources(scratch);
      say("compiling librdkafka (2 to 4 minutes, once per Node ABI)");
      const started = Date.now();
      const child = runInstallScript(scratch, ["--build-from-source"], headersFolder(scratch));
      if (child.status !== 0) {
        const tail = `${child.stdout}${child.stderr}`.split("\n").slice(-30).join("\n");
        throw new StepError(
          `${tail}\nCannot compile the Kafka client: node-gyp ended with ${child.status ?? child.signal}, expected 0\n  The last lines of its output are above. Needed: ${debianPackages.join(" ")}`,
        );
      }
      say(`compiled in ${Math.round((Date.now() - started) / 1000)} s`);
    }
    keep(join(scratch, "build"), cache);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function main() {
  if (!existsSync(packageFolder)) {
    throw new StepError(
      `Cannot build the Kafka client: ${packageFolder} is missing, expected the optional package to be installed\n  Run: npm install --include=optional`,
    );
  }
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp && loadError() === null) {
    say(`ready for Node ${process.versions.node}`);
    return;
  }
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8"));
  const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const cache = join(
    ...[cacheHome, "weir"],
    `kafka-javascript-${version}-abi${process.versions.modules}-${process.platform}-${process.arch}-${stamp}`,
  );
  if (existsSync(cache)) {
    install(cache);
    const reason = loadError();
    if (reason === null) {
      say(`taken from ${cache}`);
      return;
    }
    say(`the cached build does not load (${reason}): building again`);
  }
  build(cache);
  install(cache);
  const reason = loadError();
  if (reason !== null) {
    throw new StepError(
      `Cannot load the Kafka client after building it: ${reason}, expected it to load\n  Remove ${cache} and run: npm run kafka:build`,
    );
  }
  say(`built, kept in ${cache}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
