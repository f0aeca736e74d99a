import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { CATALOGUE, COLUMNS, selectColumns } from "./catalogue.ts";
import { featurePage } from "./featureDocs.ts";
import { featureSql } from "./featureSql.ts";
import { SERIES } from "./series.ts";

/** What seed 003 lists under "Feature Engineering", but that it has RSI and Bollinger Bands in one line. */
const SEED = [
  "Spread across DEXs",
  "Price volatility (5s, 1m, 5m windows)",
  "RSI and Bollinger Bands",
  "VWAP calculations",
  "24h volume changes",
  "Liquidity depth metrics",
  "Order book imbalance",
  "Trade size distribution",
  "Gas price trends",
  "Network congestion score",
  "Slot timing patterns",
  "Priority fee analysis",
  "Sandwich attack probability",
  "Impermanent loss estimation",
  "Token risk scores",
  "MEV competition metrics",
];

describe("the catalogue", () => {
  test("has over seventy features, each name once, and the seed's sixteen among them", () => {
    expect(CATALOGUE.length).toBeGreaterThan(70);
    expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length);
    expect(new Set(COLUMNS.map(({ name }) => name)).size).toBe(COLUMNS.length);
    expect(new Set(CATALOGUE.flatMap(({ seed }) => seed ?? []))).toEqual(new Set(SEED));
    const volatility = CATALOGUE.find(({ name }) => name === "price_volatility");
    expect(volatility?.windows).toEqual(expect.arrayContaining(["5s", "1m", "5m"]));
  });

  test("sums measures that their series has", () => {
    for (const { name, series, sql } of CATALOGUE)
      for (const [, measure] of sql.matchAll(/@sum\((\w+)/g))
        expect(Object.keys(SERIES[series].measures), name).toContain(measure);
  });

  test("is what the page says", async () => {
    const page = await readFile(new URL("FEATURES.md", import.meta.url), "utf8");
    expect(page, "npx weir features list --markdown > clickhouse/features/FEATURES.md").toBe(featurePage());
  });
});

describe("selectColumns()", () => {
  test("takes features, columns and groups, in the catalogue's order", () => {
    expect(selectColumns(["rsi", "price_volatility_5m"]).map(({ name }) => name)).toEqual([
      "price_volatility_5m",
      "rsi",
    ]);
    expect(selectColumns(["price_volatility"])).toHaveLength(4);
    expect(selectColumns(["risk"]).every(({ feature }) => feature.group === "risk")).toBe(true);
    expect(selectColumns()).toBe(COLUMNS);
  });

  test("refuses what is none", () => {
    expect(() => selectColumns(["rsi", "price_volatility_2m"])).toThrow('Cannot compute feature "price_volatility_2m"');
  });
});

test("featureSql() reads only the series of the features asked for", () => {
  expect(featureSql(selectColumns(["gas_price"]))).not.toContain("FROM sandwiches");
  expect(featureSql(selectColumns(["pool_sandwiches"]))).toContain("FROM sandwiches");
});
