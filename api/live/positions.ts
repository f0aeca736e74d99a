/** How far a reader has come in each lane of its channels, as one text: the id of a server-sent event. */
import { type At, CHANNELS, type Channel, type Place } from "./event.ts";

/** By lane, where the last event stood that was read; a lane that is not in it was not read at all. */
export type Positions = ReadonlyMap<string, At>;
export type ChannelPositions = ReadonlyMap<Channel, Positions>;

/** Negative, 0 or positive, as `a` is before, at or behind `b`. Nothing is before everything. */
export function compareAt(a: At | undefined, b: At | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? -1) - (b[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

export const isBehind = (positions: Positions, { lane, at }: Place): boolean => compareAt(positions.get(lane), at) < 0;

/** `alerts:0=12,1=7;arbitrages:3=5`: what is written here stands in the header Last-Event-ID later. */
export const encodePositions = (channels: ChannelPositions): string =>
  [...channels].map(([channel, lanes]) => `${channel}:${[...lanes].map(encodeLane).join(",")}`).join(";");

const encodeLane = ([lane, at]: readonly [string, At]): string => `${encodeURIComponent(lane)}=${at.join(".")}`;

/** A topic of 100 partitions takes 1,500 characters. */
export const MAX_ID = 8_192;
const LANE = /^([^=,;:]{1,300})=(-?\d{1,16}(?:\.\d{1,16}){0,2})$/;

/** @returns undefined where it is no text of `encodePositions` */
export function decodePositions(text: string): Map<Channel, Map<string, At>> | undefined {
  if (text.length > MAX_ID) return undefined;
  const channels = new Map<Channel, Map<string, At>>();
  for (const part of text.split(";")) {
    const colon = part.indexOf(":");
    const channel = CHANNELS.find((name) => name === part.slice(0, colon));
    if (colon < 0 || channel === undefined || channels.has(channel)) return undefined;
    const lanes = new Map<string, At>();
    for (const lane of part
      .slice(colon + 1)
      .split(",")
      .filter(Boolean)) {
      const found = LANE.exec(lane);
      const name = found && decoded(found[1]!);
      if (name === null || name === undefined) return undefined;
      lanes.set(name, found![2]!.split(".").map(Number));
    }
    channels.set(channel, lanes);
  }
  return channels;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a percent sign without two digits: not ours
  }
}
