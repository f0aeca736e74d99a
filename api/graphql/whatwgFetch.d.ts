/**
 * What graphql-yoga's types need of `@whatwg-node/fetch`, whose own would bring the types of a browser into the whole project (tsconfig.json,
 * `paths`). They are Node's.
 */
declare const fetchApi: typeof globalThis;
export = fetchApi;
