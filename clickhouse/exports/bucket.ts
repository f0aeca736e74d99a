/**
 * A prefix of a bucket: S3, Google Cloud Storage through its S3 interface, or any server that speaks it. An object is there whole or
 * not at all; a part is uploaded when it is whole, and what makes the export whole is its manifest, which comes last.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, ListObjectsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { ServiceUnavailable, UserError } from "../../engine/ops/errors.ts";
import type { Place } from "./place.ts";

export interface BucketOptions {
  /** `http(s)://host:port`; undefined: Amazon's, of gs:// Google's. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** undefined: what the environment gives, as of a role. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** Names of one answer of a listing; undefined: as many as the server gives. */
  readonly pageSize?: number | undefined;
}

const GOOGLE = "https://storage.googleapis.com";

/** Four at a time are what an upload holds in memory: 32 MiB. */
const UPLOAD = { partSize: 8 << 20, queueSize: 4 };

/**
 * @param url `s3://bucket/prefix` or `gs://bucket/prefix`
 * @param scratch folder of this machine in which parts are made before they are uploaded
 * @throws UserError for a name that no bucket has; nothing is asked before the first call
 */
export function openBucket(url: string, options: BucketOptions, scratch: string): Place {
  const { bucket, prefix, scheme } = parse(url);
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
  const at = (name: string) => ({ Bucket: bucket, Key: prefix + name });
  const asked = async <T>(action: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw bucketError(`Cannot ${action} "${scheme}://${bucket}/${prefix}"`, error);
    }
  };
  const folder = join(
    scratch,
    createHash("sha256").update(`${endpoint}\n${bucket}\n${prefix}`).digest("hex").slice(0, 16),
  );
  return {
    name: `${scheme}://${bucket}/${prefix}`,
    staging: (dataset) => join(folder, `.weir-${dataset}`),
    async list(start) {
      const names: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await asked(
          "list",
          client.send(
            new ListObjectsCommand({
              ...{ Bucket: bucket, Prefix: prefix + start, Delimiter: "/" },
              ...{ Marker: after, MaxKeys: options.pageSize },
            }),
          ),
        );
        const keys = (page.Contents ?? []).map(({ Key }) => Key!);
        names.push(...keys.map((key) => key.slice(prefix.length)));
        if (!page.IsTruncated) return names;
        after = page.NextMarker ?? keys.at(-1);
      }
    },
    async read(name) {
      const { Body } = await asked("read from", client.send(new GetObjectCommand(at(name))));
      return Body!.transformToString("utf8");
    },
    async take({ file }, staged) {
      if (!existsSync(staged)) return; // it was uploaded before a crash
      const params = { ...at(file), Body: createReadStream(staged) };
      await asked("export to", new Upload({ client, params, ...UPLOAD }).done());
      await rm(staged);
    },
    async publish(_parts, _staging, { name, text }) {
      const body = { Body: Buffer.from(text), ContentType: "application/json" };
      await asked("export to", client.send(new PutObjectCommand({ ...at(name), ...body })));
    },
  };
}

function parse(url: string): { scheme: "s3" | "gs"; bucket: string; prefix: string } {
  const [, scheme, bucket, path] = /^(s3|gs):\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.{0,900}))?$/.exec(url) ?? [];
  if (scheme === undefined)
    throw new UserError(
      `Cannot export to "${url.slice(0, 1000)}": it names no bucket, expected s3://bucket/prefix or gs://bucket/prefix`,
    );
  const prefix = (path ?? "").replace(/^\/+/, "").replace(/\/*$/, "/");
  return { scheme: scheme as "s3" | "gs", bucket: bucket!, prefix: prefix === "/" ? "" : prefix };
}

const KEYS =
  "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and S3_ENDPOINT (for gs:// an HMAC key of Google's)";

/** What the server refuses is the user's matter; that it does not answer passes. */
function bucketError(cannot: string, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(`${cannot}: ${error}`);
  const { name, message, cause } = error;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (name === "NoSuchBucket")
    return new UserError(`${cannot}: there is no such bucket, expected one that is there`, {
      next: "Make it, or choose another",
    });
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
