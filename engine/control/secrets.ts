import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

/** Encrypts what is kept in the control store and must not be read from it: tokens of channels, secrets of webhooks. */
export interface Secrets {
  seal(plain: string): string;
  /** @throws Error when none of the keys is the one it was sealed with, or it was altered */
  open(sealed: string): string;
}

const derive = (key: string): Buffer => createHash("sha256").update(`weir secrets ${key}`).digest();

/** What texts that were sealed with a key name it by: it says nothing of the key. */
export const secretKeyId = (key: string): string => createHash("sha256").update(derive(key)).digest("hex").slice(0, 8);

/**
 * AES-256-GCM. A text says which key it was sealed with, so that keys can be replaced: a new one is put in front, and seals from then on.
 *
 *     v1.<id of the key>.<base64url: 12 B nonce, 16 B tag, ciphertext>
 *
 * @param keys any texts of 32 characters or more, the first seals: WEIR_SECRETS_KEYS, or what keptSecret() gives
 */
export function createSecrets(keys: readonly string[]): Secrets {
  const derived = keys.map(derive);
  const ids = keys.map(secretKeyId);

  return {
    seal(plain) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", derived[0]!, nonce);
      const text = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return `v1.${ids[0]}.${Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url")}`;
    },
    open(sealed) {
      const [version, id, content] = sealed.split(".");
      const key = derived[ids.indexOf(id ?? "")];
      if (version !== "v1" || !content || !key)
        throw new Error(
          `Cannot decrypt a secret: it was sealed with the key ${id}, expected one of WEIR_SECRETS_KEYS (${ids.join(", ")})\n  Put the old key behind the new one, or set the secret again`,
        );
      const bytes = Buffer.from(content, "base64url");
      const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
      cipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([cipher.update(bytes.subarray(28)), cipher.final()]).toString("utf8");
    },
  };
}
