import { createLogger } from './logging/logger.js';
import { logDetector } from './service-log.js';
import { anAlert } from './testing/an-alert.js';

/** The line of an alert whose record came with this trace context. */
function lineOf(traceparent: string | null): Readonly<Record<string, unknown>> {
  const lines: string[] = [];
  const write = (line: string): unknown => lines.push(line);
  const logger = createLogger({ name: 'test', log: { level: 'debug', format: 'json' } }, new Set(), { write });
  logDetector(logger).onAlert?.(anAlert({ id: 'a1' }), traceparent);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}

describe('the log line of an alert', () => {
  it('has the trace of the record that completed it', () => {
    expect(lineOf('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')).toMatchObject({
      ...{ alert: 'a1', trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: 'b7ad6b7169203331' },
    });
  });

  it.each([null, 'nonsense'])('has none where the record came with %s', (traceparent) => {
    expect(lineOf(traceparent)).not.toHaveProperty('trace_id');
  });
});
