/** The API's answers, as far as they are shown here. */
export interface ChannelAnswer {
  readonly name: string;
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly policy: {
    readonly min_severity: string;
    readonly rules: readonly string[];
    readonly chains: readonly string[];
  };
  readonly owner: string;
  readonly configured: boolean;
  readonly enabled: boolean;
  readonly reason: string | null;
}

export interface DeliveryAnswer {
  readonly id: number;
  readonly channel: string;
  readonly recipient: string;
  readonly kind: string;
  readonly subject: string;
  readonly correlation_id: string | null;
  readonly state: "waiting" | "sending" | "delivered" | "suppressed" | "dead";
  readonly reason: string | null;
  readonly message_id: string | null;
  readonly attempts: number;
  readonly due_at: string;
  readonly sent_at: string | null;
  readonly answer: string | null;
}

export const CHANNELS = "/api/v1/notifications/channels";
export const DELIVERIES = "/api/v1/notifications/deliveries";
export const STATES = ["waiting", "sending", "delivered", "suppressed", "dead"] as const;
