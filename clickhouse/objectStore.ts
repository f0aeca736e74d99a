/**
 * Objects below a prefix of a bucket: S3, Google Cloud Storage through its S3 interface, or any server that speaks it. An object is there
 * whole or not at all, and cannot be renamed. ClickHouse, too, reads and writes them (`sql`): what it makes does not pass through us.
 */
import type { Readable } from "node:stream";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { ServiceUnavailable, UserError } from "../engine/ops/errors.ts";
import { quoteText } from "./quote.ts";

export interface ObjectStoreOptions {
  /** `http(s)://host:port`; undefined: Amazon's, of gs:// Google's. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** undefined: what the environment gives, as of a role. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** Names of one answer of a listing; undefined: as many as the server gives. */
  readonly pageSize?: number | undefined;
}

export interface ObjectInfo {
  /** Without the prefix. */
  readonly name: string;
  readonly bytes: number;
}

export interface Objects {
  /** `s3://bucket/prefix/` */
  readonly name: string;
  /** URL of the prefix, with its last `/`: what those of `sql` begin with. */
  readonly url: string;
  readonly endpoint: string | undefined;
  readonly secrets: readonly string[];
  /**
   * Those whose names begin with `start`, in no order.
   * @param folders true: those directly there, and names of what looks like folders, which end in `/`, with 0 bytes
   */
  list(start?: string, folders?: boolean): Promise<ObjectInfo[]>;
  /** @throws ObjectMissing; UserError when the server refuses; ServiceUnavailable */
  read(name: string): Promise<Readable>;
  put(name: string, body: Uint8Array, contentType?: string): Promise<void>;
  /** Of any size; four parts of 8 MiB are held in memory. */
  upload(name: string, body: Readable): Promise<void>;
  /** What is not there stays so. */
  remove(names: readonly string[]): Promise<void>;
  /** `'https://…/name', 'key', 'secret'`: arguments of ClickHouse's `s3()` and `S3()`. Only in statements, never in a log. */
  sql(name: string): string;
}

const GOOGLE = "https://storage.googleapis.com";
const PART = { partSize: 8 << 20, queueSize: 4 };
/** As many as one request may name. */
const REMOVED_AT_ONCE = 1_000;

/**
 * @param url `s3://bucket/prefix` or `gs://bucket/prefix`
 * @param action what the sentence "Cannot <action> <url>" has in messages, such as `export to`
 * @throws UserError for a name that no bucket has; nothing is asked before the first call
 */
export function openObjects(url: string, options: ObjectStoreOptions, action: string): Objects {
  const { bucket, prefix, scheme } = parse(url, action);
  const { accessKeyId, secretAccessKey, region } = options;
  const endpoint = options.endpoint ?? (scheme === "gs" ? GOOGLE : undefined);
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true"; // which Node we run on is our matter, not the user's
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    requestChecksumCalculation: "WHEN_REQUIRED", // others than Amazon refuse its new trailers
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const name = `${scheme}://${bucket}/${prefix}`;
  const base = endpoint === undefined ? `https://${bucket}.s3.${region}.amazonaws.com` : `${endpoint.replace(/\/$/, "")}/${bucket}`; // biome-ignore format: one line
  const at = (key: string) => ({ Bucket: bucket, Key: prefix + key });
  const asked = async <T>(doing: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw bucketError(`Cannot ${doing} "${name}"`, error);
    }
  };

  return {
    name,
    url: `${base}/${prefix}`,
    endpoint,
    secrets: secretAccessKey ? [secretAccessKey] : [],
    async list(start = "", folders = false) {
      const found: ObjectInfo[] = [];
      for (let after: string | undefined; ; ) {
        const page = await asked(
          "list",
          client.send(
            new ListObjectsCommand({
              ...{ Bucket: bucket, Prefix: prefix + start, ...(folders ? { Delimiter: "/" } : {}) },
              ...{ Marker: after, MaxKeys: options.pageSize },
            }),
          ),
        );
        const objects = (page.Contents ?? []).map(({ Key, Size = 0 }) => ({ key: Key!, bytes: Size }));
        const below = (page.CommonPrefixes ?? []).map(({ Prefix }) => ({ key: Prefix!, bytes: 0 }));
        const keys = [...objects, ...below];
        found.push(...keys.map(({ key, bytes }) => ({ name: key.slice(prefix.length), bytes })));
        if (!page.IsTruncated) return found;
        after = page.NextMarker ?? keys.map(({ key }) => key).sort().at(-1); // biome-ignore format: one line
      }
    },
    async read(key) {
      const { Body } = await asked("read from", client.send(new GetObjectCommand(at(key))));
      return Body as Readable;
    },
    async put(key, body, contentType = "application/octet-stream") {
      await asked(action, client.send(new PutObjectCommand({ ...at(key), Body: body, ContentType: contentType })));
    },
    async upload(key, body) {
      await asked(action, new Upload({ client, params: { ...at(key), Body: body }, ...PART }).done());
    },
    async remove(keys) {
      for (let from = 0; from < keys.length; from += REMOVED_AT_ONCE) {
        const some = keys.slice(from, from + REMOVED_AT_ONCE);
        const Delete = { Objects: some.map((key) => ({ Key: prefix + key })), Quiet: true };
        const { Errors = [] } = await asked(
          "remove from",
          client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete })),
        );
        if (Errors.length > 0)
          throw new UserError(`Cannot remove from "${name}": ${Errors[0]!.Code}: ${Errors[0]!.Message}`, {
            next: KEYS,
          });
      }
    },
    sql(key) {
      const keys = accessKeyId && secretAccessKey ? [accessKeyId, secretAccessKey] : [];
      return [`${base}/${prefix}${key}`, ...keys].map(quoteText).join(", ");
    },
  };
}

function parse(url: string, action: string): { scheme: "s3" | "gs"; bucket: string; prefix: string } {
  const [, scheme, bucket, path] = /^(s3|gs):\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.{0,900}))?$/.exec(url) ?? [];
  if (scheme === undefined)
    throw new UserError(
      `Cannot ${action} "${url.slice(0, 1000)}": it names no bucket, expected s3://bucket/prefix or gs://bucket/prefix`,
    );
  const prefix = (path ?? "").replace(/^\/+/, "").replace(/\/*$/, "/");
  return { scheme: scheme as "s3" | "gs", bucket: bucket!, prefix: prefix === "/" ? "" : prefix };
}

const KEYS =
  "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and S3_ENDPOINT (for gs:// an HMAC key of Google's)";

/** The server has none of this name. */
export class ObjectMissing extends UserError {}

/** What the server refuses is the user's matter; that it does not answer passes. */
function bucketError(cannot: string, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(`${cannot}: ${error}`);
  const { name, message, cause } = error;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (name === "NoSuchBucket")
    return new UserError(`${cannot}: there is no such bucket, expected one that is there`, {
      next: "Make it, or choose another",
    });
  if (name === "NoSuchKey") return new ObjectMissing(`${cannot}: there is no object of this name`, { cause });
  if (status === 401 || status === 403)
    return new UserError(
      `${cannot}: the server refuses our keys (${name}), expected some that may read and write there`,
      { next: KEYS },
    );
  if (name === "CredentialsProviderError")
    return new UserError(`${cannot}: there are no keys, expected some that may read and write there`, { next: KEYS });
  if (status !== undefined && status < 500)
    return new UserError(`${cannot}: ${name}: ${message}, expected a server that takes it`, { cause });
  const code = (error as NodeJS.ErrnoException).code;
  return new ServiceUnavailable(`${cannot}: ${message || code || name}`, {
    next: "It goes on from there when it is run again",
    cause,
  });
}
