import { MemoryLog } from '../memory/memory-log.js';
import type { Alert } from '../ports/alert.js';
import type { Clock } from '../ports/clock.js';
import { ALERT_VERSION_HEADER } from '../ports/outputs.js';
import type { AlertDecoder, AlertSink } from './alert-sink.js';
import { AlertSinkFollower } from './alert-sink-follower.js';

const topic = 'alerts';
const decoder = { decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Alert };

/** A clock whose timers fire when the test says so. */
class ManualClock implements Clock {
  readonly waits: number[] = [];
  private due: (() => void)[] = [];
  now = () => 0;
  schedule(ms: number, callback: () => void): () => void {
    this.waits.push(ms);
    this.due.push(callback);
    return () => {
      this.due = this.due.filter((other) => other !== callback);
    };
  }
  fire(): void {
    for (const callback of this.due.splice(0)) callback();
  }
}

class FakeSink implements AlertSink {
  readonly name = 'fake';
  readonly ids: string[] = [];
  failing = false;
  closed = false;
  async write(alerts: readonly Alert[]): Promise<void> {
    if (this.failing) throw new Error('sink is away');
    this.ids.push(...alerts.map(({ id }) => id));
  }
  async close(): Promise<void> {
    this.closed = true;
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (await condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('never came true');
}

async function send(log: MemoryLog, ...values: string[]): Promise<void> {
  const producer = await log.producer();
  await producer.send(
    values.map((value) => ({ topic, partition: 0, key: null, value: new TextEncoder().encode(value) })),
  );
}

describe('AlertSinkFollower', () => {
  const alert = (id: string) => JSON.stringify({ id });
  let log: MemoryLog;
  let clock: ManualClock;
  let sink: FakeSink;
  let troubles: (string | null)[];

  beforeEach(async () => {
    [log, clock, sink, troubles] = [new MemoryLog(), new ManualClock(), new FakeSink(), []];
    await log.createTopic({ name: topic, partitions: 1 });
  });

  const follower = (over: Partial<{ log: MemoryLog; sink: FakeSink; decoder: AlertDecoder }> = {}) =>
    new AlertSinkFollower({
      log,
      clock,
      groupId: 'g-fake',
      topic,
      decoder,
      sink,
      onTrouble: (trouble) => troubles.push(trouble),
      ...over,
    });
  const committed = async (partition = 0) => (await log.committed('g-fake')).get(`alerts-${partition}`);
  /** Offsets are committed a little after they are safe. */
  const hasCommitted = (offset: number, partition = 0) =>
    until(async () => {
      clock.fire();
      return (await committed(partition)) === offset;
    });

  it('writes what is there and what comes, and commits behind it', async () => {
    await send(log, alert('a'), alert('b'));
    const one = follower();
    one.start();
    await until(() => sink.ids.length === 2);
    await send(log, alert('c'));
    await hasCommitted(3);
    expect(sink.ids).toEqual(['a', 'b', 'c']);
    expect(one.status()).toMatchObject({
      state: 'running',
      written: 3,
      lag: new Map([['alerts-0', 0]]),
      trouble: null,
    });
    await one.stop();
    expect(sink.closed).toBe(true);
  });

  it('goes on after its committed offset when started again', async () => {
    await send(log, alert('a'));
    const one = follower();
    one.start();
    await hasCommitted(1);
    await one.stop();
    await send(log, alert('b'));
    const next = new FakeSink();
    const two = follower({ sink: next });
    two.start();
    await until(() => next.ids.length === 1);
    expect(next.ids).toEqual(['b']);
    await two.stop();
  });

  it('has committed what it wrote when its partitions are given up in good order', async () => {
    await send(log, alert('a'));
    const one = follower();
    one.start();
    await until(() => one.status().lag.get('alerts-0') === 0);
    await one.stop();
    expect(await committed()).toBe(1);
  });

  it('writes nothing while it is paused, and then all that came meanwhile, once', async () => {
    await send(log, alert('a'));
    const one = follower();
    one.start();
    await hasCommitted(1);
    await one.pause();
    await one.pause();
    await send(log, alert('b'), alert('c'));
    expect(one.status()).toMatchObject({ state: 'paused', lag: new Map(), trouble: null });
    await one.resume();
    await hasCommitted(3);
    expect(sink.ids).toEqual(['a', 'b', 'c']);
    await one.pause();
    await one.stop();
    expect(sink.closed).toBe(true);
  });

  it('gives up what it tries again and again when it is paused', async () => {
    sink.failing = true;
    await send(log, alert('a'));
    const one = follower();
    one.start();
    await until(() => clock.waits.length === 1);
    await one.pause();
    expect(one.status()).toMatchObject({ state: 'paused', trouble: null, written: 0 });
    sink.failing = false;
    await one.resume();
    await until(() => sink.ids.length === 1);
    await one.stop();
  });

  it('does not begin when it is paused already, and not before that is known', async () => {
    await send(log, alert('a'));
    const [one, known] = [follower(), Promise.withResolvers<boolean>()];
    one.start(known.promise);
    expect(one.status().state).toBe('running');
    known.resolve(true);
    await until(() => one.status().state === 'paused');
    await one.resume();
    await until(() => sink.ids.length === 1);
    await one.stop();
    const other = follower();
    other.start(new Promise(() => undefined));
    await other.stop();
  });

  it('holds its alerts while the sink is away, waits longer each time, and shows lag and trouble', async () => {
    sink.failing = true;
    await send(log, alert('a'));
    const one = follower();
    one.start();
    await until(() => clock.waits.length === 1);
    expect(one.status()).toMatchObject({ trouble: 'sink is away', written: 0, lag: new Map([['alerts-0', 1]]) });
    expect(await committed()).toBeUndefined();
    // What comes meanwhile counts as lag, though it is not read.
    await send(log, alert('b'), alert('c'));
    for (let attempt = 2; attempt <= 10; attempt++) {
      clock.fire();
      await until(() => clock.waits.length === attempt);
    }
    expect(clock.waits.slice(0, 3)).toEqual([200, 400, 800]);
    expect(clock.waits.at(-1)).toBe(5_000);
    expect(one.status().lag).toEqual(new Map([['alerts-0', 3]]));
    sink.failing = false;
    clock.fire();
    await hasCommitted(3);
    expect(sink.ids).toEqual(['a', 'b', 'c']);
    expect(troubles).toEqual(['sink is away', null]);
    await one.stop();
  });

  it('does not take a partition that works, or a log that works again, for a sink that does', async () => {
    log = new MemoryLog();
    await log.createTopic({ name: topic, partitions: 2 });
    const pick: FakeSink['write'] = async (alerts) => {
      if (alerts.some(({ id }) => id === 'refused')) throw new Error('sink refuses');
      sink.ids.push(...alerts.map(({ id }) => id));
    };
    sink.write = pick;
    await send(log, alert('refused'));
    const one = follower();
    one.start();
    await until(() => clock.waits.length === 1);
    const producer = await log.producer();
    await producer.send([{ topic, partition: 1, key: null, value: new TextEncoder().encode(alert('taken')) }]);
    await hasCommitted(1, 1);
    expect(sink.ids).toEqual(['taken']);
    expect(one.status().trouble).toBe('sink refuses');
    expect(troubles).toEqual(['sink refuses']);
    await one.stop();
  });

  it('leaves out a record that is no alert, and counts it', async () => {
    await send(log, alert('a'), 'nonsense', alert('b'));
    const one = follower();
    one.start();
    await hasCommitted(3);
    expect(sink.ids).toEqual(['a', 'b']);
    expect(one.status().deadLettered).toBe(1);
    await one.stop();
  });

  it('waits with an alert of a later version for a process that knows it, and buries nothing', async () => {
    const producer = await log.producer();
    const written = (id: string, version: number) => ({
      ...{ topic, partition: 0, key: null, value: new TextEncoder().encode(alert(id)) },
      headers: new Map([[ALERT_VERSION_HEADER, new TextEncoder().encode(String(version))]]),
    });
    await producer.send([written('a', 3)]);
    const old = follower({ decoder: { ...decoder, version: 3 } });
    old.start();
    await hasCommitted(1);
    await producer.send([written('b', 4)]);
    await until(() => old.status().trouble !== null);
    expect(old.status()).toMatchObject({
      trouble: expect.stringContaining('later version'),
      written: 1,
      deadLettered: 0,
    });
    await old.stop();
    const upgraded = follower({ decoder: { ...decoder, version: 4 } });
    upgraded.start();
    await hasCommitted(2);
    expect(sink.ids).toEqual(['a', 'b']);
    await upgraded.stop();
  });

  it('stops in the middle of a retry without a commit', async () => {
    sink.failing = true;
    await send(log, alert('a'));
    const one = follower();
    one.start();
    await until(() => clock.waits.length === 1);
    await one.stop();
    expect(await committed()).toBeUndefined();
    expect(one.status().state).toBe('stopped');
  });
});
