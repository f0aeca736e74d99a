// A thread does not inherit the TypeScript loader reliably (Node 20): it registers its own.
import { register } from "tsx/esm/api";

register();
await import("./thread.ts");
