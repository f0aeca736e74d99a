/** For tests: hand-made modules that ask lists. */
import { op, type TestModule, testModule } from "./testModule.ts";

/** A module that imports list_has: its functions come a place later. */
export const HAS = 1;
export const LIST_MANIFEST = `{"name":"test","lists":[{"name":"bad","bytes":4},{"name":"topics","bytes":32}]}`;
export const listModule = (options: TestModule): Uint8Array =>
  testModule({ manifest: LIST_MANIFEST, imports: { names: ["list_has"], parameters: 2 }, ...options });

export const has = (list: number, entry: number[]) => [...op.i32(list), ...entry, ...op.call(HAS)];
