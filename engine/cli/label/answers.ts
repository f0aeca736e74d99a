/** What the label commands have in common: where a label is, and what is answered. */

export interface LabelAnswer {
  readonly chain_id: number;
  readonly address: string;
  readonly name: string;
  readonly symbol: string | null;
  readonly decimals: number | null;
  readonly source: "bundled" | "user";
}

export const pathOf = (chain: number, address: string): string =>
  `/api/v1/labels/${chain}/${encodeURIComponent(address)}`;
