// A thread does not inherit the TypeScript loader reliably (Node 20, vitest): it registers its own.
import { register } from "tsx/esm/api";

register();
await import("./admitThread.ts");
