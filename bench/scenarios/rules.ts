import type { Scenario } from "../scenario.ts";
export const rules: Scenario = { name: "rules", run: async () => ({ checks: [], figures: [] }) };
