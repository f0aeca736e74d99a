/** `weir user …`: who may log in to the API. Works on the control store itself, beside a running Weir or without one. */
import { type Command, Option } from "commander";
import { ROLES, type Role } from "../access/roles.ts";
import type { User } from "../access/user.ts";
import { UsageError } from "../ops/errors.ts";
import { needUser, withAccess } from "./accessStores.ts";
import { askPassword } from "./askPassword.ts";
import { printRows } from "./terminal.ts";

const row = ({ id, username, role, disabled, createdAt, lastLoginAt }: User) => ({
  ...{ id, username, role, disabled },
  created_at: createdAt.toISOString(),
  last_login_at: lastLoginAt?.toISOString() ?? null,
});
const roleOption = () => new Option("--role <role>", "viewer: reads; user: makes rules and lists; admin: everything").choices(ROLES); // biome-ignore format: one line
const PASSWORD = "The password is asked for without echo, or is the first line of stdin: 12 to 256 characters.";

interface Options {
  readonly role?: Role;
  readonly disable?: boolean;
  readonly enable?: boolean;
  readonly json?: boolean;
}
const asJson = ({ json }: Options) => ({ json: json ?? false });

export function userCommand(user: Command): void {
  user
    .command("add")
    .description("add a user, the first administrator too")
    .argument("<name>", "1 to 64 of a-z 0-9 . _ @ -")
    .addOption(roleOption().default("user"))
    .option("--json", "JSON, also on a terminal")
    .addHelpText(
      "after",
      `\n${PASSWORD} There is no default one.\n\nExamples:\n  weir user add alice --role admin\n  pass show weir/bob | weir user add bob`,
    )
    .action((username: string, { role = "user", ...options }: Options) =>
      withAccess(async ({ users, by }) => {
        const password = await askPassword();
        printRows([row(await users.add({ username, password, role }, by))], asJson(options));
      }),
    );
  user
    .command("list")
    .description("users, and when they last logged in")
    .option("--json", "JSON, also on a terminal")
    .addHelpText("after", "\nExample:\n  weir user list")
    .action((options: Options) =>
      withAccess(async ({ users }) =>
        printRows((await users.list({ limit: 10_000, offset: 0 })).users.map(row), asJson(options)),
      ),
    );
  user
    .command("set")
    .description("change a user's role, or whether anything of it is accepted")
    .argument("<name>")
    .addOption(roleOption())
    .option("--disable", "nothing of it is accepted from now on; its sessions end, its keys are kept")
    .option("--enable", "it is accepted again")
    .option("--json", "JSON, also on a terminal")
    .addHelpText("after", "\nExamples:\n  weir user set bob --role viewer\n  weir user set bob --disable")
    .action((name: string, options: Options) => {
      const { role, disable, enable } = options;
      if (disable && enable) throw new UsageError("Cannot disable and enable a user at once: expected one of them");
      if (role === undefined && !disable && !enable)
        throw new UsageError("Cannot change nothing: expected --role, --disable or --enable");
      return withAccess(async ({ users, by }) => {
        const { id } = await needUser(users, name);
        const disabled = disable ? true : enable ? false : undefined;
        printRows([row((await users.change(id, { role, disabled }, by))!)], asJson(options));
      });
    });
  user
    .command("passwd")
    .description("give a user a new password; its sessions end")
    .argument("<name>")
    .addHelpText("after", `\n${PASSWORD}\n\nExample:\n  weir user passwd bob`)
    .action((name: string) =>
      withAccess(async ({ users, by }) => {
        const { id, username } = await needUser(users, name);
        await users.change(id, { password: await askPassword() }, by);
        process.stderr.write(`✓ "${username}" has a new password\n`);
      }),
    );
  user
    .command("remove")
    .description("remove a user; its sessions and keys end, what it made stays, and its name stays taken")
    .argument("<name>")
    .addHelpText("after", "\nExample:\n  weir user remove bob")
    .action((name: string) =>
      withAccess(async ({ users, by }) => {
        const { id, username } = await needUser(users, name);
        await users.remove(id, by);
        process.stderr.write(`✓ "${username}" is gone\n`);
      }),
    );
}
