/**
 * Spans of requests, batches and rounds, for those who have a collector: off, and nothing of OpenTelemetry loaded, unless
 * OTEL_EXPORTER_OTLP_ENDPOINT is set. Off, a span costs a call.
 *
 *     await traced("batch", { "weir.partition": 3 }, () => pool.run(task)); // a trace of its own
 *     await step("store select", {}, () => client.query(…)); // within one; outside of any it is none
 */

import type { Logger } from "pino";
import type { Config } from "./config.ts";

export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What is known of a span at its end alone. */
export interface OpenSpan {
  set(attributes: SpanAttributes): void;
  /** It failed, though nothing was thrown. */
  fail(): void;
}

export interface SpanOptions {
  /** default `internal` */
  readonly kind?: "server" | "client" | "internal" | "producer";
  /** Headers of who asked for this (`traceparent`, `tracestate`): its span is the parent. */
  readonly from?: Readonly<Record<string, string>>;
}

export interface Tracer {
  span<T>(
    name: string,
    attributes: SpanAttributes,
    work: (span: OpenSpan) => Promise<T>,
    options: SpanOptions & { readonly isRoot: boolean },
  ): Promise<T>;
  headers(): Record<string, string>;
  ids(): { readonly trace_id: string; readonly span_id: string } | undefined;
  close(): Promise<void>;
}

/** Of the process: whoever calls whom, there is one collector. */
let tracer: Tracer | undefined;

/** @returns ends it: what was not sent yet is, within some seconds */
export async function startTracing({ tracing }: Pick<Config, "tracing">, log: Logger): Promise<() => Promise<void>> {
  if (tracing.endpoint === undefined) return async () => {};
  const { createTracer } = await import("./openTelemetry.ts");
  const own = createTracer({ ...tracing, endpoint: tracing.endpoint }, log);
  tracer = own;
  return async () => {
    if (tracer === own) tracer = undefined;
    await own.close();
  };
}

/** Whether anybody looks: else what a span says need not be gathered. */
export const isTracing = (): boolean => tracer !== undefined;

const UNSEEN: OpenSpan = { set: () => {}, fail: () => {} };

/** Runs it as the first span of a trace, or of that which `from` names. What it throws marks the span as failed. */
export const traced = <T>(
  name: string,
  attributes: SpanAttributes,
  work: (span: OpenSpan) => Promise<T>,
  options: SpanOptions = {},
): Promise<T> => (tracer ? tracer.span(name, attributes, work, { ...options, isRoot: true }) : work(UNSEEN));

/** Runs it as a span of the trace that this is within; as none outside of any: nobody asked for what is asked every second. */
export const step = <T>(
  name: string,
  attributes: SpanAttributes,
  work: (span: OpenSpan) => Promise<T>,
  options: Omit<SpanOptions, "from"> = {},
): Promise<T> => (tracer?.ids() ? tracer.span(name, attributes, work, { ...options, isRoot: false }) : work(UNSEEN));

/** What tells others which trace this is within (W3C Trace Context); none outside of any. */
export const traceHeaders = (): Record<string, string> => tracer?.headers() ?? {};

/** For the log. */
export const traceIds = (): { readonly trace_id?: string; readonly span_id?: string } => tracer?.ids() ?? {};
