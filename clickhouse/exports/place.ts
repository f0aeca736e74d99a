/** Where an export goes: a folder, or a prefix of a bucket. */
import type { Part } from "./manifest.ts";

export interface Place {
  /** As a person would write it. */
  readonly name: string;
  /** A folder of this machine in which files are made; the folder of one export alone. */
  staging(dataset: string): string;
  /** Files directly in it. @throws UserError, ServiceUnavailable */
  list(prefix: string): Promise<readonly string[]>;
  read(name: string): Promise<string>;
  /** A part is whole, as `staged`. A bucket takes it now; a folder when all are whole. May be called again after a crash. */
  take(part: Part, staged: string): Promise<void>;
  /** All parts are whole: they get their names, the manifest last. May be called again after a crash. */
  publish(
    parts: readonly Part[],
    staging: string,
    manifest: { readonly name: string; readonly text: string },
  ): Promise<void>;
}
