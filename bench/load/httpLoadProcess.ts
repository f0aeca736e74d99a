/** Requests come from here, not from the harness: that holds all that it has measured so far, and stops for as long as its garbage takes. Run by httpLoad.ts with fork(). */
import { type HttpLoad, httpLoad } from "./httpLoad.ts";

process.on("message", async (load: HttpLoad) => process.send!(await httpLoad(load)));
process.on("disconnect", () => process.exit());
