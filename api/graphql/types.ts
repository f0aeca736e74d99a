/**
 * GraphQL's types out of the OpenAPI document: what a member is called, what it means and whether it can be null is said once, by REST's schemas.
 *
 *     components.schemas.Alert ──▶ type Alert         query parameters of a route ──▶ arguments of a field
 */
import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLError,
  type GraphQLFieldConfigArgumentMap,
  type GraphQLFieldConfigMap,
  GraphQLFloat,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  GraphQLString,
  Kind,
} from "graphql";
import type { OpenApiDocument } from "../docs.ts";
import type { GraphqlContext } from "./context.ts";

/** As much of JSON Schema as our schemas use. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly (string | null)[];
  readonly pattern?: string;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

// biome-ignore lint/suspicious/noExplicitAny: what a resolver is given is what its type's resolver gave, which GraphQL's types do not tell
export type Fields = GraphQLFieldConfigMap<any, GraphqlContext>;

/** Fields of a type that REST's schema does not have, by the name of the type. */
export type MoreFields = Readonly<Record<string, (types: Types) => Fields>>;

export interface Types {
  /** The type of a component: `Alert`. */
  named(name: string): GraphQLObjectType;
  /** The same with all members nullable, as live events have them: what takes an alert back names it, and no more. */
  partial(name: string): GraphQLObjectType;
  /** A member of a component as it is, to give it a resolver of its own. */
  plain(name: string, field: string): Fields[string];
  /** What a route answers with: the type, or of an array the type of its rows. @param path `/api/v1/alerts` */
  answerOf(path: string): GraphQLObjectType;
  /** Query parameters of a route, but for those that are left out. */
  argumentsOf(path: string, without: readonly string[]): GraphQLFieldConfigArgumentMap;
  /** What a route does, in a sentence. */
  summaryOf(path: string): string;
}

export const SafeInt = new GraphQLScalarType({
  name: "SafeInt",
  description: "A whole number of at most 2^53 − 1: exact as a JSON number. What may be larger has a member `…_raw` beside it, as text.",
  serialize: safeInteger,
  parseValue: safeInteger,
  parseLiteral: (node) => safeInteger(node.kind === Kind.INT ? Number(node.value) : Number.NaN),
}); // biome-ignore format: a sentence

function safeInteger(value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new GraphQLError(`Cannot take "${String(value).slice(0, 40)}" as SafeInt: expected a whole number to 2^53 − 1`);
}

export const Json = new GraphQLScalarType({ name: "JSON", description: "Any JSON." });

export function createTypes(document: OpenApiDocument, more: MoreFields): Types {
  const schemas = (document.components as { schemas: Readonly<Record<string, JsonSchema>> }).schemas;
  const objects = new Map<string, GraphQLObjectType>();
  /** By their values: the same ones are one type, named after the first that has them. */
  const enums = new Map<string, GraphQLEnumType>();
  const members = new Map<string, Fields>();
  const types: Types = { named, partial, plain, answerOf, argumentsOf, summaryOf };
  return types;

  function named(name: string): GraphQLObjectType {
    return objects.get(name) ?? objectOf(name, schemas[name]!);
  }

  function partial(name: string): GraphQLObjectType {
    return objects.get(`Live${name}`) ?? objectOf(`Live${name}`, { ...schemas[name]!, required: [] });
  }

  function plain(name: string, field: string): Fields[string] {
    named(name);
    return members.get(name)![field]!;
  }

  function objectOf(name: string, schema: JsonSchema): GraphQLObjectType {
    const { properties, required } = merged(schema);
    const own: Fields = {};
    for (const [field, each] of Object.entries(properties)) {
      const type = outputOf(each, `${name}${pascal(field)}`);
      const { description } = each;
      own[field] = {
        type: isNullable(each) || !required.has(field) ? type : new GraphQLNonNull(type),
        ...(description !== undefined && { description }),
      };
    }
    const object = new GraphQLObjectType({ name, fields: () => ({ ...own, ...more[name]?.(types) }) });
    members.set(name, own);
    objects.set(name, object);
    return object;
  }

  function outputOf(schema: JsonSchema, name: string): GraphQLOutputType {
    if (schema.$ref !== undefined) return named(nameOf(schema.$ref));
    const variants = (schema.anyOf ?? schema.oneOf ?? []).filter(({ type }) => type !== "null");
    if (variants.length === 1) return outputOf(variants[0]!, name);
    if (schema.enum) return enumOf(schema.enum, name) ?? GraphQLString;
    const [type = "unknown"] = [schema.type ?? []].flat().filter((each) => each !== "null");
    if (type === "string") return GraphQLString;
    if (type === "integer") return SafeInt;
    if (type === "number") return GraphQLFloat;
    if (type === "boolean") return GraphQLBoolean;
    if (type === "array") return new GraphQLList(new GraphQLNonNull(outputOf(schema.items!, name)));
    return schema.properties ? objectOf(name, schema) : Json;
  }

  function enumOf(all: readonly (string | null)[], name: string): GraphQLEnumType | undefined {
    const values = all.filter((each) => each !== null);
    if (!values.every((value) => /^[_A-Za-z]\w*$/.test(value))) return undefined; // "2-hop" is no name
    const key = values.join();
    const type = enums.get(key) ?? new GraphQLEnumType({ name, values: Object.fromEntries(values.map((value) => [value, {}])) }); // biome-ignore format: one line
    enums.set(key, type);
    return type;
  }

  /** The members of an object, of all parts that it is made of. */
  function merged(schema: JsonSchema): { properties: Record<string, JsonSchema>; required: Set<string> } {
    const parts = [schema.$ref === undefined ? schema : schemas[nameOf(schema.$ref)]!].flatMap((each) => each.allOf?.map(merged) ?? [{ properties: { ...each.properties }, required: new Set(each.required) }]); // biome-ignore format: one chain
    return {
      properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
      required: new Set(parts.flatMap(({ required }) => [...required])),
    };
  }

  function isNullable(schema: JsonSchema): boolean {
    if (schema.$ref !== undefined) return isNullable(schemas[nameOf(schema.$ref)]!);
    const variants = schema.anyOf ?? schema.oneOf ?? [];
    return [schema.type ?? []].flat().includes("null") || variants.some(({ type }) => type === "null");
  }

  function operationAt(path: string) {
    const { get } = document.paths![path] as unknown as { get: { summary: string; parameters: Parameter[]; responses: { 200: { content: { "application/json": { schema: JsonSchema } } } } } }; // biome-ignore format: one shape
    return get;
  }

  function answerOf(path: string): GraphQLObjectType {
    const { schema } = operationAt(path).responses[200].content["application/json"];
    return named(nameOf((schema.items ?? schema).$ref!));
  }

  function argumentsOf(path: string, without: readonly string[]): GraphQLFieldConfigArgumentMap {
    const taken = (operationAt(path).parameters ?? []).filter((each) => each.in === "query" && !without.includes(each.name)); // biome-ignore format: one chain
    return Object.fromEntries(
      taken.map(({ name, description, schema }) => [
        name,
        { type: inputOf(schema, `${pascal(path.split("/").at(-1)!)}${pascal(name)}`), description },
      ]),
    );
  }

  /** REST's parameters are text: what they may look like says what they are. */
  function inputOf({ enum: values, pattern }: JsonSchema, name: string) {
    if (values?.join() === "true,false") return GraphQLBoolean;
    if (values) return enumOf(values, name) ?? GraphQLString;
    const looksLike = (text: string): boolean => pattern !== undefined && new RegExp(pattern).test(text);
    if (!looksLike("1") || looksLike("a")) return GraphQLString;
    return looksLike("0.5") ? GraphQLFloat : SafeInt;
  }

  function summaryOf(path: string): string {
    return operationAt(path).summary;
  }
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: JsonSchema;
}

const nameOf = (ref: string): string => ref.slice("#/components/schemas/".length);

/** `gas_history` is GasHistory. */
const pascal = (name: string): string => name.replace(/(?:^|[_-])(\w)/g, (_, letter: string) => letter.toUpperCase());
