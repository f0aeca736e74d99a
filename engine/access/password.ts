/** Passwords: which are taken, and how they are kept. */
import type { Algorithm } from "@node-rs/argon2";
import { isSampleSecret } from "../ops/configTypes.ts";
import { ServiceUnavailable } from "../ops/errors.ts";
import { AccessInvalid } from "./errors.ts";

export const PASSWORD_LIMITS = { least: 12, most: 256 } as const;

/** OWASP's first choice for argon2id: 19 MiB, 2 passes, 1 lane; 25 ms of CPU here. */
const OPTIONS = { algorithm: 2 satisfies Algorithm.Argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** What argon2 works on at a time: each takes 19 MiB and one of libuv's four threads, which files and DNS need, too. */
const AT_ONCE = 2;
/** Logins that may wait: some 0.5 s. Whoever sends more than that is not waiting for an answer. */
const MAY_WAIT = 40;

/** One and the same text, however the keyboard composed it. */
const normal = (password: string): string => password.normalize("NFKC");

/** @throws AccessInvalid when it cannot be taken as a password of this user */
export function checkPassword(password: string, username: string): void {
  const { length } = normal(password);
  const { least, most } = PASSWORD_LIMITS;
  const refuse = (state: string, wanted: string): never => {
    throw new AccessInvalid("password", `Cannot take the password: ${state}, expected ${wanted}`);
  };
  if (length < least || length > most) refuse(`it has ${length} characters`, `${least} to ${most}`);
  if (isSampleSecret(password)) refuse("it is published in a sample file", "one that only you know");
  if (password.toLowerCase().includes(username.toLowerCase())) refuse("the user's name is in it", "one without it");
  if (new Set(password).size < 5) refuse("it has fewer than 5 different characters", "more of them");
}

/** @returns in PHC form: $argon2id$v=19$m=19456,t=2,p=1$salt$hash */
export const hashPassword = (password: string): Promise<string> =>
  inTurn(async () => (await argon2()).hash(normal(password), OPTIONS));

/** Takes as long for a user that is not there (`undefined`) as for one that is. */
export async function isPassword(password: string, hashed: string | undefined | null): Promise<boolean> {
  if (password.length > PASSWORD_LIMITS.most) return false;
  nobodys ??= await hashPassword("a password that nobody has");
  const same = await inTurn(async () => (await argon2()).verify(hashed ?? nobodys!, normal(password)));
  return same && typeof hashed === "string";
}
let nobodys: string | undefined;

/** Native code, loaded when the first password comes. */
const argon2 = () => import("@node-rs/argon2");

let working = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (working >= AT_ONCE) {
    if (waiting.length >= MAY_WAIT)
      throw new ServiceUnavailable(`Cannot look at the password: ${MAY_WAIT} others wait, expected fewer`, {
        next: "Try again in a second",
      });
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else working++;
  try {
    return await work();
  } finally {
    const next = waiting.shift(); // takes over our place
    if (next) next();
    else working--;
  }
}
