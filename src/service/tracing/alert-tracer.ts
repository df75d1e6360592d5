import { ROOT_CONTEXT, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { Alert } from '../../runtime/ports/alert.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { packageVersion } from '../version.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';

export interface AlertTracerOptions {
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

/**
 * One span for each alert, child of the span that the completing record came with: whoever follows a payment through its
 * systems sees the alert in the same trace. Without a trace context an alert begins a trace of its own. The span has no
 * account and no field of an event: traces go to other people than alerts do.
 */
export class AlertTracer {
  private readonly provider: NodeTracerProvider;
  private readonly tracer: Tracer;

  constructor(private readonly options: AlertTracerOptions) {
    const { serviceName, processor } = options;
    this.provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': packageVersion() }),
      spanProcessors: [processor],
    });
    this.tracer = this.provider.getTracer('stakeout');
  }

  /** Answers with the traceparent of the alert's span. */
  trace(alert: Alert, traceparent: string | null): string {
    const parent = parseTraceparent(traceparent);
    const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const attributes = {
      'stakeout.alert.id': alert.id,
      'stakeout.pattern': alert.patternId,
      'stakeout.severity': alert.severity,
      'stakeout.score': alert.score,
      'stakeout.detected_at': alert.detectedAt,
      'stakeout.events': alert.steps.reduce((sum, step) => sum + step.events.length, 0),
    };
    const span = this.tracer.startSpan(`alert ${alert.patternId}`, { kind: SpanKind.CONSUMER, attributes }, context);
    span.end();
    return formatTraceparent(span.spanContext());
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
