import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { anAlert } from '../testing/an-alert.js';
import { AlertTracer } from './alert-tracer.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';

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

describe('AlertTracer', () => {
  const exporter = new InMemorySpanExporter();
  const tracer = new AlertTracer({
    serviceName: 'test',
    processor: new SimpleSpanProcessor(exporter),
    clock: new ManualClock(),
  });
  beforeEach(() => exporter.reset());

  it("makes the alert's span a child of the record's", () => {
    const own = tracer.trace(anAlert({ patternId: 'offshore-drain' }), parent);
    const [span] = exporter.getFinishedSpans();
    expect(span?.name).toBe('alert offshore-drain');
    expect(span?.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(span?.attributes).toMatchObject({ 'stakeout.pattern': 'offshore-drain', 'stakeout.severity': 'high' });
    expect(span?.resource.attributes['service.name']).toBe('test');
    expect(parseTraceparent(own)?.spanId).toBe(span?.spanContext().spanId);
  });

  it('begins a trace of its own without one, and says nothing of the account', () => {
    tracer.trace(anAlert({ key: 'acc-7' }), null);
    const [span] = exporter.getFinishedSpans();
    expect(span?.parentSpanContext).toBeUndefined();
    expect(JSON.stringify(span?.attributes)).not.toContain('acc-7');
  });

  it('does not wait for a collector that does not answer', async () => {
    const clock = new ManualClock();
    const processor = new SimpleSpanProcessor(exporter);
    processor.shutdown = () => new Promise(() => {});
    const closing = new AlertTracer({ serviceName: 'test', processor, clock }).close();
    clock.advance(2_000);
    await expect(closing).rejects.toThrow('did not take the last traces in time');
  });
});
