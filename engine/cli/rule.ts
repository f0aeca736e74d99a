/** `weir rule …`: one file a command in rule/, loaded when it is called: the compiler costs `rule list` nothing. */
import type { Command } from "commander";

type Define = (command: Command) => unknown;

const COMMANDS: Record<string, { description: string; load(): Promise<Define> }> = {
  new: {
    description: "begin a rule: a folder with its source, a test of it, and the next commands",
    load: async () => (await import("./rule/new.ts")).newCommand,
  },
  test: {
    description: "the tests beside rules: input transactions, expected alerts, in the real sandbox",
    load: async () => (await import("./rule/test.ts")).testCommand,
  },
  run: {
    description: "a rule over a recording, in the real sandbox: what it would report; no store, no Kafka",
    load: async () => (await import("./rule/run.ts")).runCommand,
  },
  backtest: {
    description: "a rule over the stored history: what it would have reported",
    load: async () => (await import("./rule/backtest.ts")).backtestCommand,
  },
  diff: {
    description: "two versions of a rule over the stored history: which alerts the new one adds and drops",
    load: async () => (await import("./rule/diff.ts")).diffCommand,
  },
  check: {
    description: "whether a module would be admitted; every violation with its place",
    load: async () => (await import("./rule/check.ts")).checkCommand,
  },
  build: {
    description: "compile a rule to a module",
    load: async () => (await import("./rule/build.ts")).buildCommand,
  },
  codegen: {
    description: "an ABI in, typed readers of its events and calls out",
    load: async () => (await import("./rule/codegen.ts")).codegenCommand,
  },
  push: {
    description: "a rule to a running Weir, without a restart",
    load: async () => (await import("./rule/push.ts")).pushCommand,
  },
  set: {
    description: "other values for a rule's parameters in a running Weir, without a new build",
    load: async () => (await import("./rule/set.ts")).setCommand,
  },
  show: {
    description: "one rule: its parameters with their values, and its versions",
    load: async () => (await import("./rule/show.ts")).showCommand,
  },
  list: {
    description: "the rules, their versions and states",
    load: async () => (await import("./rule/list.ts")).listCommand,
  },
};

export async function ruleCommand(rule: Command): Promise<void> {
  for (const [name, { description, load }] of Object.entries(COMMANDS)) {
    const command = rule.command(name).description(description);
    if (process.argv.includes(name)) (await load())(command); // wherever it stands: `weir rule help run`
  }
}
