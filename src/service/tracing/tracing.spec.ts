import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { anAlert } from '../testing/an-alert.js';
import { alertSpan } from './alert-span.js';
import { addRequestSpans, spanOf } from './request-spans.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';
import { Traces } from './traces.js';

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('traceparent', () => {
  it('is read and written', () => {
    const context = parseTraceparent(parent);
    expect(context).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
    });
    expect(context && formatTraceparent(context)).toBe(parent);
  });

  it.each([
    null,
    '',
    'x',
    parent.slice(0, -1),
    `ff${parent.slice(2)}`,
    `${parent}-more`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  ])('%p is none', (text) => expect(parseTraceparent(text)).toBeNull());
});

describe('traces', () => {
  const exporter = new InMemorySpanExporter();
  const traces = new Traces({
    serviceName: 'test',
    processor: new SimpleSpanProcessor(exporter),
    clock: new ManualClock(),
  });
  beforeEach(() => exporter.reset());

  it("makes the alert's span a child of the record's", () => {
    const own = alertSpan(traces, anAlert({ patternId: 'offshore-drain' }), parent);
    const [span] = exporter.getFinishedSpans();
    expect(span?.name).toBe('alert offshore-drain');
    expect(span?.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(span?.attributes).toMatchObject({ 'stakeout.pattern': 'offshore-drain', 'stakeout.severity': 'high' });
    expect(span?.resource.attributes['service.name']).toBe('test');
    expect(parseTraceparent(own)?.spanId).toBe(span?.spanContext().spanId);
  });

  it('begins a trace of its own for an alert without one, and says nothing of the account', () => {
    alertSpan(traces, anAlert({ key: 'acc-7' }), null);
    const [span] = exporter.getFinishedSpans();
    expect(span?.parentSpanContext).toBeUndefined();
    expect(JSON.stringify(span?.attributes)).not.toContain('acc-7');
  });

  it('have a span for each request of the API, named after its route, and a child of its caller', async () => {
    const server = new FastifyAdapter().getInstance();
    addRequestSpans(server, traces);
    server.get('/v1/alerts/:id', async (request) => ({ trace: spanOf(request)?.spanContext().traceId }));
    server.get('/health/ready', async () => 'ok');
    server.get('/v1/broken', async () => {
      throw new Error('broken');
    });
    const answer = await server.inject({ url: '/v1/alerts/of-acc-7', headers: { traceparent: parent } });
    expect(answer.json()).toEqual({ trace: '0af7651916cd43dd8448eb211c80319c' });
    await server.inject('/health/ready');
    await server.inject({ url: '/v1/broken', headers: { traceparent: 'nonsense' } });
    const [one, broken, ...others] = exporter.getFinishedSpans();
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      ...{ name: 'GET /v1/alerts/:id', kind: SpanKind.SERVER, parentSpanContext: { spanId: 'b7ad6b7169203331' } },
      attributes: { 'http.request.method': 'GET', 'http.route': '/v1/alerts/:id', 'http.response.status_code': 200 },
    });
    expect(JSON.stringify(one?.attributes)).not.toContain('acc-7');
    expect(broken).toMatchObject({ status: { code: SpanStatusCode.ERROR }, parentSpanContext: undefined });
    await server.close();
  });

  it('does not wait for a collector that does not answer', async () => {
    const clock = new ManualClock();
    const processor = new SimpleSpanProcessor(exporter);
    processor.shutdown = () => new Promise(() => {});
    const closing = new Traces({ serviceName: 'test', processor, clock }).close();
    clock.advance(2_000);
    await expect(closing).rejects.toThrow('did not take the last traces in time');
  });
});
