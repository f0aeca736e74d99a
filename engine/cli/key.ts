/** `weir key …`: API keys of users, for programs. Works on the control store itself, beside a running Weir or without one. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ApiKey } from "../access/keys.ts";
import { ROLES, type Role } from "../access/roles.ts";
import { UserError } from "../ops/errors.ts";
import { needUser, withAccess } from "./accessStores.ts";
import { printRows } from "./terminal.ts";

interface Options {
  readonly user?: string;
  readonly name?: string;
  readonly days?: number;
  readonly role?: Role;
  readonly allowIp?: readonly string[];
  readonly json?: boolean;
}
const asJson = ({ json }: Options) => ({ json: json ?? false });

const row = ({ id, prefix, name, role, expiresAt, lastUsedAt, uses }: ApiKey, username: string) => ({
  ...{ id, prefix, user: username, name, role, uses },
  expires_at: expiresAt?.toISOString() ?? null,
  last_used_at: lastUsedAt?.toISOString() ?? null,
});

function wholeDays(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("Expected a number of days.");
  return Number(text);
}

export function keyCommand(key: Command): void {
  key
    .command("create")
    .description("make an API key, which is shown this once")
    .requiredOption("--user <name>", "whose: it may do what its user may")
    .requiredOption("--name <text>", "what it is for")
    .option("--days <days>", "until it expires (default: never)", wholeDays)
    .addOption(new Option("--role <role>", "what it may do at most (default: what its user may)").choices(ROLES))
    .option("--allow-ip <ranges...>", "addresses and CIDR blocks it is accepted from (default: any)")
    .option("--json", "JSON, also on a terminal")
    .addHelpText(
      "after",
      "\nOn a terminal the key is the last line; in a pipe it is the member `key` of the one JSON line.\n\nExamples:\n  weir key create --user alice --name ci --days 90\n  weir key create --user alice --name grafana --role viewer --allow-ip 10.0.0.0/8",
    )
    .action((options: Options) =>
      withAccess(async ({ users, keys, by }) => {
        const user = await needUser(users, options.user!);
        const { name, days: expiresInDays, role = user.role, allowIp: allowIps } = options;
        const { key: made, info } = await keys.create(user, { name: name!, role, expiresInDays, allowIps }, by);
        const shown = row(info, user.username);
        if (process.stdout.isTTY && !options.json) {
          printRows([shown], asJson(options));
          process.stdout.write(`${made}\n`);
        } else process.stdout.write(`${JSON.stringify({ key: made, ...shown })}\n`);
      }),
    );
  key
    .command("list")
    .description("API keys that were not revoked, and when they were last used")
    .option("--user <name>", "of this user only")
    .option("--json", "JSON, also on a terminal")
    .addHelpText("after", "\nExample:\n  weir key list --user alice")
    .action((options: Options) =>
      withAccess(async ({ users, keys }) => {
        const of = options.user === undefined ? undefined : (await needUser(users, options.user)).id;
        printRows((await keys.list(of)).map(({ username, ...info }) => row(info, username)), asJson(options)); // biome-ignore format: one line
      }),
    );
  key
    .command("revoke")
    .description("make a key worthless, within 2 seconds everywhere")
    .argument("<prefix>", "its beginning, as `weir key list` shows it")
    .addHelpText("after", "\nExample:\n  weir key revoke weir_3f9a1c07")
    .action((prefix: string) =>
      withAccess(async ({ keys, by }) => {
        const found = (await keys.list()).find((each) => each.prefix === prefix.slice(0, 13));
        if (!found) throw new UserError(`Cannot revoke the key "${prefix.slice(0, 13)}": there is none`, { next: "npx weir key list" }); // biome-ignore format: one line
        await keys.revoke(found.id, undefined, by);
        process.stderr.write(`✓ the key ${found.prefix} ("${found.name}") of "${found.username}" is revoked\n`);
      }),
    );
}
