import { type Command, InvalidArgumentError } from "commander";
import type { FeatureRequest } from "../../../clickhouse/features/chunks.ts";
import { chainId } from "../label/list.ts";

/** Which features, of what: options that the commands share. */
export interface FeatureRequestOptions {
  readonly chain: number;
  readonly since?: Date;
  readonly until?: Date;
  readonly features?: string[];
}

export const addFeatureRequest = (command: Command): Command =>
  command
    .requiredOption("--chain <id>", "chain", chainId)
    .option("--since <time>", "blocks of this time on (default: the first stored)", time)
    .option("--until <time>", "blocks before this time", time)
    .option("--features <names>", "features, groups or single columns (default: all)", (text) => text.split(","));

export const requestOf = ({ chain, since, until, features }: FeatureRequestOptions): FeatureRequest => ({
  chainId: chain,
  since,
  until,
  names: features,
});

function time(text: string): Date {
  const date = new Date(/^\d{4}-\d\d-\d\d$|Z$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(date.getTime()))
    throw new InvalidArgumentError("Expected a time such as 2024-05-01 or 2024-05-01T10:30:00Z.");
  return date;
}
