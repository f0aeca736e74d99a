/** What the label commands have in common: whom they ask, and what is answered. */
import { openApi } from "../rule/api.ts";

export interface LabelOptions {
  readonly api?: string;
  readonly token?: string;
  readonly json?: boolean;
}

export interface LabelAnswer {
  readonly chain_id: number;
  readonly address: string;
  readonly name: string;
  readonly symbol: string | null;
  readonly decimals: number | null;
  readonly source: "bundled" | "user";
}

export const apiOf = ({ api, token }: LabelOptions) => openApi({ url: api, token });
export const asJson = ({ json }: LabelOptions): boolean => json === true || !process.stdout.isTTY;
export const pathOf = (chain: number, address: string): string =>
  `/api/v1/labels/${chain}/${encodeURIComponent(address)}`;
