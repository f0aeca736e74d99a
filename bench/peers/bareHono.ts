/** A Hono route that answers a constant list, on the same server: what an API over it can be at best. Run by api.ts with fork(). */
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const body = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, text: "x".repeat(700) })));
const app = new Hono().get("/list", (c) => c.body(body, 200, { "content-type": "application/json" }));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => process.send!(port));
process.on("disconnect", () => process.exit());
