import { GraphQLInt, GraphQLList, GraphQLObjectType, GraphQLSchema, GraphQLString, parse } from "graphql";
import { describe, expect, test } from "vitest";
import { LIMITS, tooMuch, weigh } from "./limits.ts";

const Row: GraphQLObjectType = new GraphQLObjectType({
  name: "Row",
  fields: () => ({
    name: { type: GraphQLString },
    self: { type: Row },
    batched: { type: new GraphQLList(Row), args: { first: { type: GraphQLInt, defaultValue: 10 } }, extensions: { cost: { rows: ({ first }) => first as number, shared: 1 } } },
    single: { type: Row, extensions: { cost: { each: 1 } } },
  }),
}); // biome-ignore format: a field a line
const list = { type: new GraphQLList(Row), args: { first: { type: GraphQLInt, defaultValue: 20 } }, extensions: { cost: { rows: ({ first }: Record<string, unknown>) => first as number, each: 1 } } }; // biome-ignore format: one line
const schema = new GraphQLSchema({ query: new GraphQLObjectType({ name: "Query", fields: { list } }) });
const weighed = (text: string, variables = {}) => weigh(schema, parse(text), undefined, variables)!;

describe("weigh()", () => {
  test("counts fields as often as a list can have rows, by default and by a variable", () => {
    expect(weighed("{ list { name } }")).toMatchObject({ fields: 21, queries: 1, depth: 2 });
    expect(weighed("query ($n: Int) { list(first: $n) { name } }", { n: 7 })).toMatchObject({ fields: 8 });
    expect(weighed("{ list(first: 5) { batched(first: 3) { name } } }")).toMatchObject({ fields: 1 + 5 * 4, depth: 3 });
  });

  test("what is loaded for all rows at once is one query, what is read row by row one for each", () => {
    expect(weighed("{ list { batched { name } } }")).toMatchObject({ queries: 2 });
    expect(weighed("{ list { single { name } } }")).toMatchObject({ queries: 21 });
  });

  test("an alias is a field, and so is every use of a fragment", () => {
    expect(weighed("{ a: list { name } b: list { name x: name } }")).toMatchObject({ fields: 21 + 41, queries: 2 });
    expect(weighed("{ list { ...f ...f } } fragment f on Row { name }")).toMatchObject({ fields: 41 });
  });

  test("fragments within fragments, which multiply, are weighed in no time", () => {
    const names = Array.from({ length: 40 }, (_, i) => `f${i}`);
    const bomb = names.map(
      (name, i) => `fragment ${name} on Row { ${i === 39 ? "name" : `...f${i + 1} ...f${i + 1}`} }`,
    );
    expect(weighed(`{ list { ...f0 } } ${bomb.join(" ")}`).fields).toBe(1 + 20 * 2 ** 39);
  });
});

test("tooMuch() names the limit and the remedy", () => {
  const message = (text: string) => tooMuch(weighed(text))?.message;
  expect(message("{ list { name } }")).toBeUndefined();
  expect(message("{ list(first: 200000) { name } }")).toBe(
    "Cannot answer the operation: its answer can have 200001 fields, expected at most 100000; ask for fewer rows with first, or for fewer fields",
  );
  expect(message("{ list(first: 50) { single { name } } }")).toContain("it takes 51 queries, expected at most 50");
  expect(message(`{ list ${"{ self ".repeat(LIMITS.depth)} { name } ${"}".repeat(LIMITS.depth)} }`)).toContain(`it is ${LIMITS.depth + 2} fields deep`); // biome-ignore format: one line
});
