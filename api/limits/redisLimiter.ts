/** Counting in Redis: all API nodes together. One script a request, so that nobody counts in between. */
import type { Redis } from "ioredis";
import type { RedisConnection } from "../../engine/ops/redis.ts";
import { createMemoryLimiter, type Limiter } from "./limiter.ts";
import type { Policy, Verdict } from "./policy.ts";

/**
 * As policy.ts has it, with Redis' own clock unless a test gives another. A key is forgotten when nothing of it counts any more.
 * KEYS[1]; ARGV kind, limit, window ms, burst, now ms (0: ask the clock), cost → {allowed, remaining, reset ms, retry ms}
 */
const SCRIPT = `
local kind, limit, window, burst, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local cost = tonumber(ARGV[6])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local a, b, c = unpack(redis.call('HMGET', KEYS[1], 'a', 'b', 'c'))
a, b, c = tonumber(a), tonumber(b), tonumber(c)
local allowed, remaining, reset, retry = false, 0, 0, 0
if kind == 'bucket' then
  local rate = limit / window
  local tokens = burst
  if a then tokens = math.min(burst, a + math.max(0, now - b) * rate) end
  allowed = tokens >= cost
  if allowed then a = tokens - cost else a = tokens end
  b, c = now, 0
  remaining, reset = math.floor(a), math.ceil((burst - a) / rate)
  if not allowed then retry = math.ceil((1 - tokens) / rate) end
else
  local number = math.max(math.floor(now / window), a or 0)
  local elapsed = math.max(0, now - number * window)
  local count, before = 0, 0
  if a == number then count = b end
  if kind == 'sliding' then
    if a == number then before = c elseif a == number - 1 then before = b end
  end
  local overlapping = before * (window - elapsed) / window
  allowed = overlapping + count + cost <= limit
  local after = count
  if allowed then after = count + cost end
  remaining = math.max(0, math.floor(limit - overlapping - after))
  reset = 2 * window - elapsed
  if kind == 'fixed' or after == 0 then reset = window - elapsed end
  if not allowed then
    if kind == 'fixed' then retry = window - elapsed
    elseif count + 1 <= limit then retry = window - elapsed - (limit - count - 1) * window / before
    else retry = 2 * window - elapsed - (limit - 1) * window / count end
    retry = math.ceil(retry)
  end
  a, b, c = number, after, before
end
if cost == 0 then return {allowed and 1 or 0, remaining, reset, retry} end
redis.call('HSET', KEYS[1], 'a', string.format('%.17g', a), 'b', string.format('%.17g', b), 'c', string.format('%.17g', c))
redis.call('PEXPIRE', KEYS[1], math.max(1, math.ceil(reset)))
return {allowed and 1 or 0, remaining, reset, retry}`;

type Answer = [number, number, number, number];
type WithScript = Redis & { weirTake(key: string, ...rest: (string | number)[]): Promise<Answer> };

/** While Redis does not answer each node counts for itself: less precise, and nobody waits. @param now of tests, in ms */
export function createRedisLimiter(
  { redis, attempt }: Pick<RedisConnection, "redis" | "attempt">,
  now?: () => number,
): Limiter {
  redis.defineCommand("weirTake", { numberOfKeys: 1, lua: SCRIPT });
  const alone = createMemoryLimiter(now);

  async function take(
    key: string,
    { kind, limit, windowMs, burst = limit }: Policy,
    cost: 0 | 1 = 1,
  ): Promise<Verdict> {
    const name = `weir:limit:${kind}:${limit}:${windowMs}:${key}`;
    const answer = await (redis as WithScript).weirTake(name, kind, limit, windowMs, burst, now?.() ?? 0, cost);
    const [allowed, remaining, resetMs, retryMs] = answer;
    return { allowed: allowed === 1, remaining, resetMs, retryMs };
  }

  return {
    take: (key, policy, cost) =>
      attempt(
        () => take(key, policy, cost),
        () => alone.take(key, policy, cost),
      ),
  };
}
