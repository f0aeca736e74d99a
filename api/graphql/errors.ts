/** Errors as clients see them: what they can mend in words, of the rest that it is our side, with an id that the log has, too. */
import { type ExecutionResult, GraphQLError } from "graphql";
import { classify, messageOf } from "../problem.ts";
import type { GraphqlContext } from "./context.ts";

const CODES: Readonly<Record<number, string>> = {
  400: "BAD_USER_INPUT",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  409: "CONFLICT",
  503: "UNAVAILABLE",
  504: "TIMEOUT",
};

/** The result with errors that say no more than REST's problems do. */
export function withPublicErrors(result: ExecutionResult, context: GraphqlContext): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map((error) => publicError(error, context)) };
}

export function publicError(error: GraphQLError, { deps, requestId }: GraphqlContext): GraphQLError {
  const cause = causeOf(error);
  if (cause instanceof GraphQLError) return error; // of the operation: what is wrong with it is in it
  const { kind, status, detail } = classify(cause);
  deps.metrics.apiErrors.inc({ endpoint: "/graphql", error_type: kind });
  const told = { event: "api_error", kind, path: `/graphql ${error.path?.join(".") ?? ""}`, request_id: requestId };
  if (kind === "bug") deps.log.error({ ...told, err: cause }, "Failed to answer a request");
  else if (kind !== "client") deps.log.warn({ ...told, reason: messageOf(cause) }, "Failed to answer a request");
  const { nodes, source, positions, path } = error;
  const code = CODES[status] ?? "INTERNAL_SERVER_ERROR";
  return new GraphQLError(detail, { nodes, source, positions, path, extensions: { code, request_id: requestId } });
}

/** What a resolver threw: of an error of the operation that error itself. */
export function causeOf(error: GraphQLError): Error {
  let cause: Error = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}
