/** A real PostgreSQL server for a test file, where one is installed: in a folder of its own, on a Unix socket, with no port. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface PostgresServer {
  /** A new, empty database. */
  newUrl(): Promise<string>;
  stop(): Promise<void>;
}

/** Where Debian and others put a version's binaries. */
const HOMES = ["/usr/lib/postgresql", "/usr/local/pgsql"];

function binaries(): string | undefined {
  const folders = HOMES.filter(existsSync).flatMap((home) => [
    join(home, "bin"),
    ...readdirSync(home).map((version) => join(home, version, "bin")),
  ]);
  return folders.find((folder) => existsSync(join(folder, "initdb")));
}

/** Why there is none to test with; undefined: there is one. */
export const noPostgres = binaries() === undefined ? `no PostgreSQL in ${HOMES.join(" or ")}` : undefined;

/** initdb refuses root, who may become anybody: the user that the package made. */
const asOther = (): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"]));
  return { uid: id("-u"), gid: id("-g") };
};

export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries()!;
  const other = asOther();
  const folder = await mkdtemp(join(tmpdir(), "weir-pg-"));
  const data = join(folder, "data");
  await mkdir(data, { mode: 0o700 });
  for (const path of [folder, data]) if (other.uid !== undefined) await chown(path, other.uid, other.gid!);
  const run = { ...other, cwd: folder, stdio: ["ignore", "ignore", "inherit"] as ["ignore", "ignore", "inherit"] };
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "weir", "-A", "trust", "-N", "-E", "UTF8"], run);
  const server = spawn(join(bin, "postgres"), ["-D", data, "-k", folder, "-c", "listen_addresses=", "-F"], {
    ...other,
    cwd: folder,
    stdio: "ignore",
  });
  const ended = once(server, "exit");
  const psql = (command: string): void =>
    void execFileSync(join(bin, "psql"), ["-h", folder, "-U", "weir", "-d", "postgres", "-qc", command], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  for (let tries = 1; ; tries++) {
    try {
      psql("SELECT 1");
      break;
    } catch (error) {
      if (tries === 100 || server.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  let databases = 0;
  return {
    async newUrl() {
      const name = `test${databases++}`;
      psql(`CREATE DATABASE ${name}`);
      return `postgresql://weir@/${name}?host=${encodeURIComponent(folder)}`;
    },
    async stop() {
      server.kill("SIGQUIT");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
