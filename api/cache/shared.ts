/** Answers in Redis, for all API nodes together. */
import { createHash } from "node:crypto";
import type { RedisConnection } from "../../engine/ops/redis.ts";
import type { Answer, AnswerStore } from "./answer.ts";

/** Of this shape of Answer: nodes of two versions of Weir beside each other do not read each other's. */
const PREFIX = "weir:cache:1:";
/** Beyond, writing and reading it takes longer than what it saves. */
const MAX_BYTES = 4 << 20;

export function createShared({ redis, attempt }: Pick<RedisConnection, "redis" | "attempt">): AnswerStore {
  const nameOf = (key: string): string => PREFIX + createHash("sha256").update(key).digest("base64url");
  return {
    async get(key) {
      const text = await attempt(
        () => redis.get(nameOf(key)),
        () => null,
      );
      return text === null ? undefined : parsed(text);
    },
    put: (key, answer, ttlMs) =>
      attempt(
        async () => {
          const text = JSON.stringify({ ...answer, body: answer.body.toString() });
          if (text.length <= MAX_BYTES) await redis.set(nameOf(key), text, "PX", ttlMs);
        },
        () => undefined,
      ),
  };
}

function parsed(text: string): Answer | undefined {
  try {
    const { body, ...answer } = JSON.parse(text) as Omit<Answer, "body"> & { readonly body: string };
    return { ...answer, body: Buffer.from(body) };
  } catch {
    return undefined; // somebody else wrote it: it is made anew, and written over
  }
}
