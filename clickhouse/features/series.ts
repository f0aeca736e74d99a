import type { Series } from "./events.ts";
import type { SeriesName } from "./feature.ts";
import { mevSeries, poolHoursSeries } from "./series/mev.ts";
import { pairSeries, poolSeries, tokenSeries } from "./series/swaps.ts";
import { blockSeries, chainSeries, recipientSeries, senderSeries } from "./series/transactions.ts";

export const SERIES: Readonly<Record<SeriesName, Series>> = {
  chain: chainSeries,
  block: blockSeries,
  sender: senderSeries,
  recipient: recipientSeries,
  mev: mevSeries,
  pool: poolSeries,
  pair: pairSeries,
  token: tokenSeries,
  poolHours: poolHoursSeries,
};
