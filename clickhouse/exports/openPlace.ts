import type { Config } from "../../engine/ops/config.ts";
import { openFolder } from "./folder.ts";
import type { Place } from "./place.ts";

/** @throws UserError when it cannot be written to, or its name is none */
export async function openPlace(name: string, _config: Config): Promise<Place> {
  return openFolder(name);
}
