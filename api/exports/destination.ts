/** Where exports may be written: nowhere that is not configured, whatever a client says. */
import { join, resolve } from "node:path";
import { UserError } from "../../engine/ops/errors.ts";

const isUrl = (name: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(name);

/**
 * @param asked what a client named: a folder or a prefix of a bucket
 * @param allowed WEIR_EXPORT_TO: what is below one of these is allowed
 * @returns the folder as a whole path, or the prefix
 * @throws UserError for any other place
 */
export function destinationOf(asked: string, allowed: readonly string[]): string {
  const place = normal(asked);
  const isBelow = place !== undefined && allowed.some((each) => `${place}/`.startsWith(`${normal(each)}/`));
  if (isBelow) return place;
  const places = allowed.length === 0 ? "none is configured" : `these are configured: ${allowed.join(", ")}`;
  throw new UserError(`Cannot export to "${asked.slice(0, 1000)}": ${places}, expected a place below one of them`, {
    next: "An administrator adds it to WEIR_EXPORT_TO",
  });
}

/** Without `..` and the last `/`; undefined: a prefix that has `..` or empty steps, which some servers resolve and others do not. */
function normal(place: string): string | undefined {
  if (!isUrl(place)) return resolve(place);
  const path = place.replace(/\/+$/, "");
  const steps = path.slice(path.indexOf("//") + 2).split("/");
  return steps.every((step) => step !== "" && step !== "." && step !== "..") ? path : undefined;
}

export interface Destination {
  readonly id: number;
  readonly scheduleId: number | null;
  readonly uploadTo: string | null;
}

/** Exports that stand alone have a folder each; those of a schedule share one, where each finds what the last had. */
export function placeOf({ id, scheduleId, uploadTo }: Destination, folder: string): string {
  if (uploadTo === null) return join(folder, scheduleId === null ? `export-${id}` : `schedule-${scheduleId}`);
  if (scheduleId !== null) return uploadTo;
  return isUrl(uploadTo) ? `${uploadTo}/export-${id}` : join(uploadTo, `export-${id}`);
}
