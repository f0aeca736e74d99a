import { UserError } from "../ops/errors.ts";

/** What was asked of users, keys or sessions contradicts what is there. */
export class AccessConflict extends UserError {}

/** A value that cannot be taken: a name, a password. `parameter` says which. */
export class AccessInvalid extends UserError {
  readonly parameter: string;
  constructor(parameter: string, message: string) {
    super(message);
    this.parameter = parameter;
  }
}

/** Name and password do not belong together, or a token is not valid any more: the answer does not say what is wrong. */
export class LoginRefused extends UserError {}

/** Too many wrong passwords were given for this name: none is looked at for a while. */
export class LoginLocked extends UserError {
  readonly retryAfterSeconds: number;
  constructor(retryAfterSeconds: number) {
    super(`Cannot log in: too many wrong passwords for this name, expected none for ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
