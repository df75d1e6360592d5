import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../test/harness/until.js';
import { aService, someSettings } from './testing/a-service.js';
import { anAlert } from './testing/an-alert.js';
import { alertsOf, matchesOf } from './testing/embedding/engine.js';
import { calls, startWithHandlers } from './testing/embedding/handlers.js';
import { fileSink } from './testing/embedding/sink.js';

const EXAMPLES = join(import.meta.dirname, 'testing/embedding');
const event = (seq: number, kind: string, fields: object) => ({ seq, time: seq * 1_000, kind, fields: { ...fields } });
const drain = [
  event(0, 'Payment', { amount: 12_000 }),
  event(1, 'Withdrawal', { amount: 1 }),
  event(2, 'Transfer', { country: 'OFFSHORE' }),
];

describe('docs/embedding.md', () => {
  it.each(['engine', 'handlers', 'sink'])('shows the code of %s that runs here', (name) => {
    const code = readFileSync(join(EXAMPLES, `${name}.ts`), 'utf8').replaceAll(
      /'(?:\.\.\/)+engine\/index\.js'/g,
      "'stakeout/engine'",
    );
    expect(readFileSync(join(import.meta.dirname, '../../docs/embedding.md'), 'utf8')).toContain(
      `\`\`\`ts\n${code}\`\`\``,
    );
  });

  it('finds with one pattern over one key', () => {
    expect(matchesOf(drain).map(({ steps }) => steps.map((step) => step.name))).toEqual([
      ['large', 'cash', 'offshore'],
    ]);
  });

  it('finds by key, with state kept as bytes', () => {
    const rows = drain.flatMap((e) => [
      { key: 'a', event: e },
      { key: 'b', event: { ...e, kind: 'Payment' } },
    ]);
    expect(alertsOf(rows)).toEqual(['drain a 2000']);
  });

  it('calls handlers of the application', async () => {
    let tell: ((id: string) => void) | null = null;
    const { log, clock, ingest, detector } = await aService();
    const service = await startWithHandlers(someSettings({ log: { level: 'silent' } }), {
      ...{ log, clock, ingest, sinks: [], risk: null, personalFields: new Set<string>(), background: [] },
      alertDecoder: { decode: () => anAlert() },
      createDetector: async (_settings, listener) => {
        tell = (id) => listener.onAlert?.(anAlert({ id, key: id, message: 'drained' }), null);
        return detector;
      },
      close: async () => undefined,
    });
    try {
      (tell as ((id: string) => void) | null)?.('acc-1');
      await until(() => calls.length > 0, 'the handler');
      expect(calls).toEqual(['acc-1: drained (no trace)']);
    } finally {
      await service.stop();
    }
  });

  it('writes an alert that comes twice once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stakeout-sink-'));
    try {
      const sink = fileSink(join(folder, 'alerts.ndjson'));
      await sink.write([anAlert({ id: 'a' })]);
      await sink.write([anAlert({ id: 'a' }), anAlert({ id: 'b' })]);
      expect(readFileSync(join(folder, 'alerts.ndjson'), 'utf8').match(/"id":"[ab]"/g)).toEqual([
        '"id":"a"',
        '"id":"b"',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
