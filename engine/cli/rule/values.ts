/** Values of a rule's parameters on the command line: `--param least=1000`. */
import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../../ops/errors.ts";
import { type Loaded, type Runnable, ValuesRefused } from "../../rules/content.ts";
import { checkValues } from "../../sandbox/parameters.ts";

/** By name, as they were typed. */
export type GivenValues = Readonly<Record<string, string>>;

export const withParamOption = (command: Command, of = "the rule"): Command =>
  command.option("--param <name=value>", `another value of a parameter of ${of}; more than once`, collectValue);

/** For commander: one more `name=value`. */
export function collectValue(text: string, before: GivenValues = {}): GivenValues {
  const at = text.indexOf("=");
  const name = text.slice(0, at);
  if (at < 1) throw new InvalidArgumentError("Expected name=value.");
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`"${name}" was given twice.`);
  return { ...before, [name]: text.slice(at + 1) };
}

/** @param what names the rule. @throws UserError with what was expected of each value that does not fit */
export function runWith(what: string, loaded: Loaded, given: Readonly<Record<string, unknown>> = {}): Runnable {
  const checked = checkValues(loaded.manifest.parameters, given);
  const refused = (why: string) => new UserError(`Cannot set parameters of "${what}": ${why}`);
  if (!checked.ok) throw refused(checked.problems.map(({ path, message }) => `${path}: ${message}`).join("; "));
  try {
    return loaded.with(checked.values);
  } catch (error) {
    if (error instanceof ValuesRefused) throw refused(error.message);
    throw error;
  }
}
