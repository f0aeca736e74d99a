/** Spans by OpenTelemetry's SDK, sent as OTLP over HTTP. Whatever is not in our configuration it reads from the environment itself. */
import {
  context,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { logSeldom } from "./logSeldom.ts";
import type { Tracer } from "./tracing.ts";
import { VERSION } from "./version.ts";

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
} as const;

export function createTracer(
  { endpoint, headers, service }: Config["tracing"] & { readonly endpoint: string },
  log: Log,
): Tracer {
  const complain = (reason: string): void =>
    logSeldom(log, "warn", { event: "traces_lost", reason }, "Spans do not reach the collector");
  diag.setLogger(
    { error: complain, warn: complain, info: () => {}, debug: () => {}, verbose: () => {} },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces`, headers });
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": service, "service.version": VERSION }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  provider.register();
  const own = provider.getTracer("weir", VERSION);

  return {
    span(name, attributes, work, { kind = "internal", from = {}, isRoot }) {
      const parent = isRoot ? propagation.extract(ROOT_CONTEXT, from) : context.active();
      const options = { kind: KINDS[kind], attributes: attributes as Record<string, string | number | boolean> };
      return own.startActiveSpan(name, options, parent, async (span) => {
        const fail = (message?: string) => span.setStatus({ code: SpanStatusCode.ERROR, ...(message && { message }) });
        try {
          return await work({
            set: (more) => void span.setAttributes(more as Record<string, string | number | boolean>),
            fail: () => void fail(),
          });
        } catch (error) {
          fail(error instanceof Error ? error.message.slice(0, 500) : undefined);
          throw error;
        } finally {
          span.end();
        }
      });
    },
    headers() {
      const found: Record<string, string> = {};
      propagation.inject(context.active(), found);
      return found;
    },
    ids() {
      const span = trace.getSpanContext(context.active());
      return span && { trace_id: span.traceId, span_id: span.spanId };
    },
    async close() {
      await provider.shutdown().catch((error: Error) => complain(error.message));
      for (const api of [trace, context, propagation, diag]) api.disable();
    },
  };
}
