/** JSON rules for tests, as seed 000 writes them: its short shape and its long one. */
export const SHORT_RULE = {
  name: "High Value Transaction Alert",
  conditions: { value_gte: "10000000000000000000" },
  actions: { send_alert: true },
};

export const LONG_RULE = {
  name: "Whale Transaction Alert",
  description: "Alert for transactions > 100 ETH",
  conditions: {
    and: [
      { field: "value", operator: "gte", value: "100000000000000000000" },
      { field: "chain_id", operator: "eq", value: 1 },
    ],
  },
  actions: { send_alert: true, severity: "high", channels: ["telegram", "discord"], save_to_db: true },
};
