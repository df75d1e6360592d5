import { SpanKind } from '@opentelemetry/api';
import type { Alert } from '../../runtime/ports/alert.js';
import { formatTraceparent } from './traceparent.js';
import type { Traces } from './traces.js';

/**
 * One span for each alert, child of the span that the completing record came with: whoever follows a payment through its
 * systems sees the alert in the same trace. Answers with the traceparent of the span.
 */
export function alertSpan(traces: Traces, alert: Alert, traceparent: string | null): string {
  const attributes = {
    'stakeout.alert.id': alert.id,
    'stakeout.pattern': alert.patternId,
    'stakeout.severity': alert.severity,
    'stakeout.score': alert.score,
    'stakeout.detected_at': alert.detectedAt,
    'stakeout.events': alert.steps.reduce((sum, step) => sum + step.events.length, 0),
  };
  const span = traces.span(`alert ${alert.patternId}`, SpanKind.CONSUMER, attributes, traceparent);
  span.end();
  return formatTraceparent(span.spanContext());
}
