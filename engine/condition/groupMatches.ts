/**
 * Which comparisons of arguments are asked of one log together: those of one event in one `and` (nested ones are one), with each `or`
 * beside them that names nothing else.
 *
 *     event.Transfer.from = A and event.Transfer.value ≥ 5 and chainId = 1
 *     ──▶  some Transfer is { from = A and value ≥ 5 }  and  chainId = 1
 *
 * A `not` says that there is no such log. An `or` that names other things as well would have to be multiplied out to belong to them: it is
 * refused where it stands beside them, since a reader could take it either way.
 */
import type { AbiSource } from "./abi/argument.ts";
import { type Condition, type Match, predicatesOf } from "./condition.ts";

/** @param problem is told what is ambiguous, and says what to put in its place */
export function groupMatches(condition: Condition, problem: (message: string) => Condition): Condition {
  if (!predicatesOf(condition).some(({ argument }) => argument)) return condition;
  if ("match" in condition) return condition;
  if ("not" in condition) return { not: groupMatches(condition.not, problem) };
  const source = sourceOf(condition);
  if (source) return matchOf(source, condition);
  if ("or" in condition) return { or: condition.or.map((part) => groupMatches(part, problem)) };
  if (!("and" in condition)) return condition.argument ? absent(condition.argument.source, condition) : condition;

  const parts = flat(condition.and);
  const together = new Map<string, { source: AbiSource; and: Condition[] }>();
  const others: Condition[] = [];
  for (const part of parts) {
    const source = sourceOf(part);
    const group = source && together.get(source.text);
    if (group) group.and.push(part);
    else if (source) together.set(source.text, { source, and: [part] });
    else others.push(part);
  }
  const events = new Set([...together.values()].flatMap(({ source }) => (source.kind === "event" ? source.text : [])));
  for (const other of others)
    for (const text of eventsOf(other)) {
      if (events.has(text))
        return problem(
          `Cannot tell whether an "or" that names ${text} and other things is of the same log as what stands beside it: write the alternatives out, {"or": [{"and": […]}, {"and": […]}]}`,
        );
      events.add(text);
    }
  const and = [
    ...others.map((part) => groupMatches(part, problem)),
    ...[...together.values()].map(({ source, and }) => matchOf(source, and.length === 1 ? and[0]! : { and })),
  ];
  return and.length === 1 ? and[0]! : { and };
}

const matchOf = (match: AbiSource, where: Condition): Match => ({ match, where });

/** What is not there: no log of the event has it. */
const absent = (match: AbiSource, condition: Condition): Condition => ({
  not: { match, where: { ...condition, operator: "exists", value: true } as Condition },
});

const flat = (parts: readonly Condition[]): Condition[] =>
  parts.flatMap((part) => ("and" in part ? flat(part.and) : part));

const isAbsence = (condition: Condition): boolean =>
  "operator" in condition && condition.operator === "exists" && condition.value === false;

/** The one event or call that it asks about; undefined where it asks for anything else, or that there be none. */
function sourceOf(condition: Condition): AbiSource | undefined {
  if (hasNot(condition)) return undefined;
  const predicates = predicatesOf(condition);
  const source = predicates[0]?.argument?.source;
  return source && predicates.every((each) => each.argument?.source.text === source.text && !isAbsence(each))
    ? source
    : undefined;
}

function hasNot(condition: Condition): boolean {
  if ("not" in condition) return true;
  if ("and" in condition) return condition.and.some(hasNot);
  return "or" in condition && condition.or.some(hasNot);
}

/** Events of which it says that there is a log. */
function eventsOf(condition: Condition): Set<string> {
  if ("not" in condition) return new Set();
  if ("and" in condition) return new Set(condition.and.flatMap((part) => [...eventsOf(part)]));
  if ("or" in condition) return new Set(condition.or.flatMap((part) => [...eventsOf(part)]));
  if ("match" in condition) return new Set([condition.match.text]);
  const { argument } = condition;
  return new Set(argument?.source.kind === "event" && !isAbsence(condition) ? [argument.source.text] : []);
}
