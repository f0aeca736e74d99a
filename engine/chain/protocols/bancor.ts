import { createEvent } from "../event.ts";
import { byName, type Layout } from "./exchange.ts";

/** A converter's own log; BancorNetwork logs the same conversion once more, which is not counted. Names 0xeee for the chain's coin. */
const conversion = createEvent("Conversion", ["indexed address", "indexed address", "indexed address", "uint256", "uint256", "int256"]); // biome-ignore format: a line each

export const bancor: Layout = {
  signature: conversion.signature,
  settles: "before",
  read(view, log) {
    const values = conversion.read(view, log);
    if (values === undefined) return undefined;
    const [tokenIn, tokenOut, payer, amountIn, amountOut] = values;
    const amounts = byName(tokenIn, tokenOut, amountIn, amountOut);
    return amounts && { ...amounts, payer };
  },
};
