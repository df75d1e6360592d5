import { type SpanContext, TraceFlags } from '@opentelemetry/api';

/** Reads a W3C `traceparent` header; `null` when it is absent or does not hold. */
export function parseTraceparent(text: string | null): SpanContext | null {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text ?? '');
  if (!match) return null;
  const [, version, traceId, spanId, flags, more] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  // Version 00 has four parts exactly, ff is forbidden, and ids of zeros are not valid.
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

/** By the names that OpenTelemetry has for log lines, so that these are found beside the spans of a trace. */
export function traceFields(context: SpanContext | null | undefined): {
  readonly trace_id?: string;
  readonly span_id?: string;
} {
  return context == null ? {} : { trace_id: context.traceId, span_id: context.spanId };
}

export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`;
}
