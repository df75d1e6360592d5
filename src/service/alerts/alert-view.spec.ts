import { until } from '../../../test/harness/until.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { Log } from '../../runtime/ports/log.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { writeCursor } from '../paging/page.js';
import { anAlert } from '../testing/an-alert.js';
import { matches, parsePageQuery } from './alert-query.js';
import { AlertView } from './alert-view.js';
import { readPosition, writePosition } from './live-stream.js';

const topic = 'alerts';
const decoder = { decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Alert };

async function send(log: Log, partition: number, ...alerts: (Alert | string)[]): Promise<void> {
  const producer = await log.producer();
  const value = (alert: Alert | string) =>
    new TextEncoder().encode(typeof alert === 'string' ? alert : JSON.stringify(alert));
  await producer.send(alerts.map((alert) => ({ topic, partition, key: null, value: value(alert) })));
}

const at = (id: string, detectedAt: number, over: Partial<Alert> = {}) => anAlert({ id, detectedAt, ...over });
function ids(view: AlertView): readonly string[] {
  const held: string[] = [];
  view.subscribe(new Map(), ({ alert }) => held.push(alert.id))();
  return held.sort();
}

describe('AlertView', () => {
  let log: MemoryLog;
  let clock: ManualClock;
  let views: AlertView[];
  beforeEach(async () => {
    [log, clock, views] = [new MemoryLog(), new ManualClock(), []];
    await log.createTopic({ name: topic, partitions: 2 });
  });
  afterEach(() => Promise.all(views.map((view) => view.stop())));

  function started(
    over: { log?: Log; capacity?: number; onTrouble?: (trouble: string | null) => void } = {},
  ): AlertView {
    const view = new AlertView({ log, clock, decoder, topic, ...over });
    views.push(view);
    view.start();
    return view;
  }

  it('has the alerts of all partitions, once each, and follows', async () => {
    await send(log, 0, at('a', 10), at('c', 30));
    await send(log, 1, at('b', 20));
    const view = started();
    await until(() => view.status().held === 3, '3 alerts held');
    await send(log, 1, at('d', 15), at('a', 10), 'nonsense');
    await until(() => view.status().unreadable === 1, 'the unreadable one');
    expect(ids(view)).toEqual(['a', 'b', 'c', 'd']);
    expect(view.get('b')?.detectedAt).toBe(20);
  });

  it('is the same after a restart, from the tail of the topic', async () => {
    await send(log, 0, at('a', 10), at('b', 20), at('c', 30));
    const view = started({ capacity: 2 });
    await until(() => view.status().held === 2, '2 alerts held');
    expect(ids(view)).toEqual(['b', 'c']);
    await send(log, 0, at('d', 40));
    await until(() => view.get('d') !== undefined, 'the alert d');
    expect(ids(view)).toEqual(['c', 'd']);
    expect(view.get('b')).toBeUndefined();
  });

  it('waits for a topic that is not there yet', async () => {
    log = new MemoryLog();
    const view = started();
    await log.createTopic({ name: topic, partitions: 1 });
    await send(log, 0, at('a', 10));
    await until(() => {
      clock.advance(1_000);
      return view.status().held === 1;
    }, 'the alert');
  });

  it('says when the log is away, and goes on where it was', async () => {
    await send(log, 0, at('a', 10));
    let away = true;
    const flaky: Log = Object.assign(Object.create(log), {
      offsets: (partition: Parameters<Log['offsets']>[0]) =>
        away ? Promise.reject(new Error('log is away')) : log.offsets(partition),
    });
    const troubles: (string | null)[] = [];
    const view = started({ log: flaky, onTrouble: (trouble) => troubles.push(trouble) });
    await until(() => view.status().trouble === 'log is away', 'the trouble');
    away = false;
    await until(() => {
      clock.advance(200);
      return view.status().held === 1;
    }, 'the alert');
    await until(() => view.status().trouble === null, 'the end of the trouble');
    expect(troubles).toEqual(['log is away', null]);
  });

  it('gives a live follower what it missed, then what comes', async () => {
    await send(log, 0, at('a', 10), at('b', 20));
    await send(log, 1, at('c', 30));
    const view = started();
    await until(() => view.status().held === 3, '3 alerts held');
    const seen: string[] = [];
    let last = '';
    const end = view.subscribe(new Map([[0, 1]]), ({ alert, position }) => {
      seen.push(alert.id);
      last = writePosition(position);
    });
    expect(seen.toSorted()).toEqual(['b', 'c']);
    await send(log, 0, at('d', 5));
    await until(() => seen.length === 3, 'three alerts seen');
    expect([...(readPosition(last) ?? [])].toSorted()).toEqual([
      [0, 3],
      [1, 1],
    ]);
    end();
    const again: string[] = [];
    view.subscribe(readPosition(last), ({ alert }) => again.push(alert.id))();
    expect(again).toEqual([]);
  });
});

describe('queries', () => {
  it.each([
    [{}, true],
    [{ key: 'acc-1', pattern: 'offshore-drain', severity: 'high', from: 3_000, to: 3_001 }, true],
    [{ key: 'acc-2' }, false],
    [{ pattern: 'x' }, false],
    [{ severity: 'low' }, false],
    [{ from: 3_001 }, false],
    [{ to: 3_000 }, false],
    [{ state: 'open' }, true],
    [{ state: 'snoozed' }, false],
    [{ q: 'OFFSHORE' }, true],
    [{ q: 'onshore' }, false],
  ] as const)('%p accepts: %p', (query, expected) =>
    expect(matches(query, { alert: anAlert(), state: 'open' })).toBe(expected),
  );

  it('reads a cursor that it wrote', () => {
    const cursor = { at: 5, id: 'abc' };
    expect(parsePageQuery({ cursor: writeCursor(cursor), from: '1970-01-01T00:00:01Z' })).toMatchObject({
      cursor,
      filter: { from: 1000 },
    });
  });
});
