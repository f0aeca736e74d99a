/**
 * What an operation may ask for: decided before anything is read, from the operation and its variables.
 *
 *     fields    that its answer can have at most: those of a list count as often as it can have rows
 *     queries   of the store that it can take: each list, and what is read row by row; what a loader reads for all rows at once counts once
 *     depth     of fields within fields
 *
 * An alias is a field of its own. A fragment is counted each time that it is spread, and looked at once.
 */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getOperationAST,
  getVariableValues,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from "graphql";

export const LIMITS = { fields: 100_000, queries: 50, depth: 8, tokens: 4_000 } as const;

/** `extensions` of a field, where it is more than a member of what is there already. */
export interface Cost {
  /** Rows that it can have, as its arguments say. */
  readonly rows?: (args: Readonly<Record<string, unknown>>) => number;
  /** Queries for each of it, or for all of an operation's together. */
  readonly each?: number;
  readonly shared?: number;
}

declare module "graphql" {
  interface GraphQLFieldExtensions<_TSource, _TContext, _TArgs> {
    readonly cost?: Cost;
  }
}

export interface Weight {
  readonly fields: number;
  /** Of them `shared` do not count again for each row. */
  readonly queries: number;
  readonly shared: number;
  readonly depth: number;
}

const NOTHING: Weight = { fields: 0, queries: 0, shared: 0, depth: 0 };

/** @returns what is too much, with what to do about it; undefined: it may run */
export function tooMuch(weight: Weight): GraphQLError | undefined {
  const refuse = (what: string, remedy: string): GraphQLError =>
    new GraphQLError(`Cannot answer the operation: ${what}; ${remedy}`, { extensions: { code: "TOO_COMPLEX" } });
  if (weight.depth > LIMITS.depth)
    return refuse(`it is ${weight.depth} fields deep, expected at most ${LIMITS.depth}`, "ask for what is deep down by itself"); // biome-ignore format: one line
  if (weight.fields > LIMITS.fields)
    return refuse(`its answer can have ${weight.fields} fields, expected at most ${LIMITS.fields}`, "ask for fewer rows with first, or for fewer fields"); // biome-ignore format: one line
  if (weight.queries > LIMITS.queries)
    return refuse(
      `it takes ${weight.queries} queries, expected at most ${LIMITS.queries}`,
      "ask in several operations",
    );
  return undefined;
}

/** @param variables as they were sent @returns undefined where the operation or its variables are wrong, which execution tells better */
export function weigh(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined | null,
  variables: Readonly<Record<string, unknown>> = {},
): Weight | undefined {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return undefined;
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  if (errors) return undefined;
  const fragments = new Map(
    document.definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each]] : [])),
  );
  const known = new Map<FragmentDefinitionNode, Weight>();
  return ofSelections(operation.selectionSet, root);

  function ofSelections({ selections }: SelectionSetNode, type: GraphQLObjectType): Weight {
    return selections.map((each) => {
      if (each.kind === Kind.FIELD) return ofField(each, type);
      if (each.kind === Kind.INLINE_FRAGMENT) return ofSelections(each.selectionSet, type);
      return ofFragment(fragments.get(each.name.value), type);
    }).reduce(add, NOTHING); // biome-ignore format: one chain
  }

  function ofFragment(fragment: FragmentDefinitionNode | undefined, type: GraphQLObjectType): Weight {
    if (!fragment) return NOTHING;
    const weight = known.get(fragment) ?? ofSelections(fragment.selectionSet, type);
    known.set(fragment, weight);
    return weight;
  }

  function ofField(node: FieldNode, type: GraphQLObjectType): Weight {
    const field: GraphQLField<unknown, unknown> | undefined = type.getFields()[node.name.value];
    if (!field) return { ...NOTHING, fields: 1 }; // __typename, and introspection, of which validation limits the depth
    const { rows = () => 1, each = 0, shared = 0 } = field.extensions.cost ?? {};
    const inner = getNamedType(field.type);
    const within = node.selectionSet && isObjectType(inner) ? ofSelections(node.selectionSet, inner) : NOTHING;
    const times = rows(getArgumentValues(field, node, coerced));
    return {
      fields: 1 + times * within.fields,
      queries: each + shared + times * (within.queries - within.shared) + within.shared,
      shared: shared + within.shared,
      depth: 1 + within.depth,
    };
  }
}

const add = (one: Weight, other: Weight): Weight => ({
  fields: one.fields + other.fields,
  queries: one.queries + other.queries,
  shared: one.shared + other.shared,
  depth: Math.max(one.depth, other.depth),
});
