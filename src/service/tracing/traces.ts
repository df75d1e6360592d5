import { type Attributes, ROOT_CONTEXT, type Span, type SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { Clock } from '../../runtime/ports/clock.js';
import { packageVersion } from '../version.js';
import { parseTraceparent } from './traceparent.js';

export interface TracesOptions {
  /** `service.name`. */
  readonly serviceName: string;
  /** Where spans go. */
  readonly processor: SpanProcessor;
  readonly clock: Clock;
}

const CLOSE_TIMEOUT_MS = 2_000;

/** Sends spans to an OpenTelemetry collector over HTTP, in batches. */
export function otlpProcessor(otlpUrl: string): SpanProcessor {
  return new BatchSpanProcessor(new OTLPTraceExporter({ url: `${otlpUrl.replace(/\/+$/, '')}/v1/traces` }));
}

/** The spans of this process. They have no account and no field of an event: traces go to other people than alerts do. */
export class Traces {
  private readonly provider: NodeTracerProvider;
  private readonly tracer: Tracer;

  constructor(private readonly options: TracesOptions) {
    const { serviceName, processor } = options;
    this.provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': packageVersion() }),
      spanProcessors: [processor],
    });
    this.tracer = this.provider.getTracer('stakeout');
  }

  /** Begins a span: a child of the one that `traceparent` names, or a trace of its own where that is absent or does not hold. */
  span(name: string, kind: SpanKind, attributes: Attributes, traceparent: string | null): Span {
    const parent = parseTraceparent(traceparent);
    const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    return this.tracer.startSpan(name, { kind, attributes }, context);
  }

  /** Sends what is left; a collector that is away does not hold up the end for longer than `CLOSE_TIMEOUT_MS`. */
  async close(): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = this.options.clock.schedule(CLOSE_TIMEOUT_MS, () =>
      reject(new Error('the collector did not take the last traces in time')),
    );
    try {
      await Promise.race([this.provider.shutdown(), late]);
    } finally {
      cancel();
    }
  }
}
