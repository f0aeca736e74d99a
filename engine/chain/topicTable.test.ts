import fc from "fast-check";
import { expect, test } from "vitest";
import { logCount, logsAt, nextEntry } from "../frame/readFrame.ts";
import { blockOf, named } from "./testing/logs.ts";
import { createTopicTable } from "./topicTable.ts";

/** Few first words, so that many share one. */
const topic = fc
  .tuple(fc.constantFrom("00000000", "d78ad95f", "ffffffff"), fc.constantFrom("00", "01", "02"))
  .map(([prefix, end]) => `0x${prefix}${"00".repeat(27)}${end}`);

test("finds the topics it was made of and no others, though their first 32 bits are alike", () => {
  const some = fc.tuple(fc.uniqueArray(topic), fc.array(topic, { minLength: 1, maxLength: 8 }));
  fc.assert(
    fc.property(some, ([topics, asked]) => {
      const table = createTopicTable(topics);
      const logs = [[], ...asked.map((one) => [one])].map((of) => ({ address: named("x"), topics: of, data: "0x" }));
      const view = blockOf(logs);
      const frame = view.frames[0]!;
      const found: number[] = [];
      for (let i = logCount(view, frame), log = logsAt(view, frame); i > 0; i--, log = nextEntry(view, log))
        found.push(table.find(view, log));
      expect(found).toEqual([-1, ...asked.map((one) => topics.indexOf(one))]);
    }),
    { numRuns: 200 },
  );
});

test("topics that are no topics, or twice there, are refused", () => {
  expect(() => createTopicTable(["0x12"])).toThrow("expected 32 bytes each");
  const one = `0x${"12".repeat(32)}`;
  expect(() => createTopicTable([one, one])).toThrow(`Cannot index topic "${one}": it is there twice`);
});
