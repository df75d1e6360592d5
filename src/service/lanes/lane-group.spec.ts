import { until } from '../../../test/harness/until.js';
import type { DetectorListener } from '../../runtime/detector.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { anAlert } from '../testing/an-alert.js';
import { LaneGroup, type LaneGroupOptions } from './lane-group.js';
import { toWire } from './state/wire-error.js';
import { FakeThreads } from './testing/fake-threads.js';

const P0 = { topic: 't', partition: 0 };
const P1 = { topic: 't', partition: 1 };
const at = (partition: typeof P0) => ({
  ...{
    ...partition,
    phase: 'live',
    position: 1,
    endOffset: 1,
    watermark: null,
    recordTime: null,
    maxEventTime: null,
    idle: false,
  },
  ...{ keys: 0, runs: 0, buffered: 0, memory: { hotKeys: 0, coldKeys: 0, coldBytes: 0, tableBytes: 0 } },
});
const partitions = (...all: (typeof P0)[]) => all.map((p) => at(p) as never);

function setUp(over: Partial<LaneGroupOptions> = {}) {
  const threads = new FakeThreads();
  const clock = new ManualClock(1_000_000);
  const heard: unknown[][] = [];
  const lines: string[] = [];
  const listener: DetectorListener = {
    onAlert: (alert, trace) => heard.push(['alert', alert.id, trace]),
    onPhase: (...args) => heard.push(['phase', ...args]),
    onPartitions: (list, change) => heard.push(['partitions', list.map(({ partition }) => partition), change]),
    onDeadLetter: (_from, offset) => heard.push(['deadLetter', offset]),
    onBatch: (...args) => heard.push(['batch', ...args]),
    onCommit: (...args) => heard.push(['commit', ...args]),
  };
  const group = new LaneGroup({
    ...{ listener, clock, spawn: threads.spawn, store: new MemoryStateStore(), rules: [], sources: [], lists: {} },
    lanes: async () => 2,
    delivery: 'exactly-once',
    restart: { strategy: 'exponential', delay: 1_000, delayMax: 30_000, attempts: ENDS_MAX - 1, window: 600_000 },
    report: (text) => lines.push(text),
    warn: (text, trouble) => lines.push(`${text}: ${trouble.message}`),
    ...over,
  });
  const phases = () => heard.filter(([kind]) => kind === 'phase').map(([, ...rest]) => rest);
  return { threads, clock, heard, lines, group, phases };
}

/** A group of two lanes that run. */
async function running(over: Partial<LaneGroupOptions> = {}) {
  const kit = setUp(over);
  const starting = kit.group.start();
  await until(() => kit.threads.all.length === 2, 'two threads');
  kit.threads.of(0).runs({ partitions: partitions(P0) });
  kit.threads.of(1).runs({ partitions: partitions(P1) });
  await starting;
  return kit;
}

async function stopped({ group, threads }: Pick<ReturnType<typeof setUp>, 'group' | 'threads'>) {
  const stopping = group.stop();
  for (const thread of threads.all) thread.says({ kind: 'stopped', error: null });
  await stopping;
}

/** With so many ends within ten minutes a lane is given up. */
const ENDS_MAX = 6;

describe('LaneGroup', () => {
  it('is starting until every lane has started, and running then', async () => {
    const kit = setUp();
    expect(kit.group.status().phase).toBe('created');
    const starting = kit.group.start();
    await until(() => kit.threads.all.length === 2, 'two threads');
    kit.threads.of(1).runs();
    expect(kit.group.status().phase).toBe('starting');
    kit.threads.of(0).runs();
    await starting;
    expect(kit.phases()).toEqual([
      ['starting', null],
      ['running', null],
    ]);
    await stopped(kit);
  });

  it('asks again how many lanes there shall be while that cannot be known', async () => {
    let away = 2;
    const kit = setUp({ lanes: async () => (away-- > 0 ? Promise.reject(new Error('no broker')) : 1) });
    const starting = kit.group.start();
    await until(() => kit.group.status().trouble === 'cannot start yet: no broker', 'the trouble');
    await until(() => {
      kit.clock.advance(1000);
      return kit.threads.all.length === 1;
    }, 'the thread');
    kit.threads.of(0).runs();
    await starting;
    expect(kit.phases().at(-1)).toEqual(['running', null]);
    await stopped(kit);
  });

  it('tells what lanes tell, in order, and acknowledges each message', async () => {
    const kit = await running();
    const lane = kit.threads.of(1);
    kit.heard.length = 0;
    const before = lane.received.length;
    lane.tells(['onPartitions', [P1], 'live'], ['onBatch', 10, 0.1], ['onAlert', anAlert({ id: 'a' }), 'trace']);
    lane.tells(['onDeadLetter', P1, 7, 'malformed', ''], ['onCommit', 0.2, false], ['report', 'said']);
    expect(kit.heard).toEqual([
      ['partitions', [1], 'live'],
      ['batch', 10, 0.1],
      ['alert', 'a', 'trace'],
      ['deadLetter', 7],
      ['commit', 0.2, false],
    ]);
    expect(kit.lines).toContain('said');
    expect(lane.received.slice(before)).toEqual([{ kind: 'heard' }, { kind: 'heard' }]);
    await stopped(kit);
  });

  it('adds up counters and matches, and shows the partitions of all', async () => {
    const kit = await running();
    kit.threads.of(0).is({ recordsIn: 3, alerts: 1, matches: new Map([['a', 1]]) });
    kit.threads.of(1).is({
      recordsIn: 4,
      matches: new Map([
        ['a', 2],
        ['b', 1],
      ]),
    });
    const status = kit.group.status();
    expect(status).toMatchObject({ recordsIn: 7, alerts: 1 });
    expect(Object.fromEntries(status.matches)).toEqual({ a: 3, b: 1 });
    expect(status.partitions.map(({ partition }) => partition)).toEqual([0, 1]);
    await stopped(kit);
  });

  it('is degraded while a lane is, and says trouble that all have once', async () => {
    const kit = await running();
    kit.threads.of(1).is({ phase: 'degraded', trouble: 'broker away' });
    expect(kit.group.status()).toMatchObject({ phase: 'degraded', trouble: 'lane 1: broker away' });
    kit.threads.of(0).is({ phase: 'degraded', trouble: 'broker away' });
    expect(kit.group.status().trouble).toBe('broker away');
    kit.threads.of(0).is({ phase: 'running', trouble: null });
    kit.threads.of(1).is({ phase: 'running', trouble: null });
    expect(kit.phases().slice(-4)).toEqual([
      ['degraded', 'lane 1: broker away'],
      ['degraded', 'broker away'],
      ['degraded', 'lane 1: broker away'],
      ['running', null],
    ]);
    await stopped(kit);
  });

  it('starts a thread that ended again, with its counters kept and its partitions lost', async () => {
    const kit = await running();
    const lane = kit.threads.of(1);
    lane.tells(['onPartitions', [P1], 'assigned'], ['onPartitions', [P1], 'live']);
    lane.is({ recordsIn: 5 });
    kit.heard.length = 0;
    lane.crash(new Error('out of memory'));
    expect(kit.group.status()).toMatchObject({
      ...{ phase: 'degraded', trouble: 'lane 1: ended: out of memory', recordsIn: 5 },
      partitions: [{ partition: 0 }],
    });
    expect(kit.heard).toContainEqual(['partitions', [1], 'lost']);
    await until(() => {
      kit.clock.advance(100);
      return kit.threads.countOf(1) === 2;
    }, 'a new thread');
    kit.threads.of(1).runs({ recordsIn: 2, partitions: partitions(P1) });
    expect(kit.group.status()).toMatchObject({ phase: 'running', trouble: null, recordsIn: 7 });
    lane.tells(['onAlert', anAlert(), null]);
    expect(kit.heard.filter(([kind]) => kind === 'alert')).toEqual([]);
    await stopped(kit);
  });

  it('replaces a thread whose lane failed', async () => {
    const kit = await running();
    const lane = kit.threads.of(0);
    lane.is({ phase: 'failed', trouble: 'not authorised' });
    expect(kit.group.status()).toMatchObject({ phase: 'degraded', trouble: 'lane 0: ended: not authorised' });
    expect(lane.terminated).toBe(true);
    await stopped(kit);
  });

  it('starts the next thread only after what the last one asked of the state is done', async () => {
    const gate = Promise.withResolvers<void>();
    const store = new MemoryStateStore();
    const inner = await store.partition(P0);
    const slow = { ...inner, write: async () => gate.promise, cut: () => inner.cut() };
    const kit = await running({ store: { partition: async () => slow as never, close: () => store.close() } });
    const state = await kit.threads.of(0).store.partition(P0);
    const writing = state.write({ position: 1, cut: new Uint8Array(1), puts: [], deletes: [] });
    // On the same port, so the write is under way when this is answered.
    await kit.threads.of(0).store.partition(P1);
    kit.threads.of(0).exit(1);
    await expect(writing).rejects.toMatchObject({ code: 'STATE_IO' });
    kit.clock.advance(60_000);
    const other = await kit.threads.of(1).store.partition(P1);
    await other.cut();
    expect(kit.threads.countOf(0)).toBe(1);
    gate.resolve();
    await until(() => kit.threads.countOf(0) === 2, 'the next thread');
    await stopped(kit);
  });

  it('fails as a whole when one lane ends again and again; the others go on', async () => {
    const kit = await running();
    for (let end = 1; end <= ENDS_MAX; end++) {
      kit.threads.of(0).crash(new Error(`end ${end}`));
      if (end === ENDS_MAX) break;
      await until(
        () => {
          kit.clock.advance(1000);
          return kit.threads.countOf(0) === end + 1;
        },
        `thread ${end + 1}`,
      );
      kit.threads.of(0).runs();
    }
    expect(kit.group.status()).toMatchObject({ phase: 'failed', trouble: `lane 0: end ${ENDS_MAX}` });
    kit.clock.advance(600_000);
    expect(kit.threads.countOf(0)).toBe(ENDS_MAX);
    kit.threads.of(1).is({ recordsIn: 9 });
    expect(kit.group.status()).toMatchObject({ phase: 'failed', recordsIn: 9 });
    await stopped(kit);
    expect(kit.threads.of(1).received.at(-1)).toEqual({ kind: 'stop' });
  });

  it('has the lane of a partition finish and commit, and starts it again; once at a time', async () => {
    const kit = await running();
    const first = kit.threads.of(0);
    first.tells(['onPartitions', [P0], 'assigned']);
    kit.group.restart(P0, new Error('checkpoints fail'));
    kit.group.restart(P0, new Error('checkpoints fail'));
    expect(first.received.filter(({ kind }) => kind === 'stop')).toHaveLength(1);
    expect(kit.threads.of(1).received.filter(({ kind }) => kind === 'stop')).toHaveLength(0);
    first.says({ kind: 'stopped', error: null });
    expect(kit.group.status()).toMatchObject({ phase: 'degraded', trouble: 'lane 0: ended: checkpoints fail' });
    await until(() => {
      kit.clock.advance(1000);
      return kit.threads.countOf(0) === 2;
    }, 'the next thread');
    expect(first.terminated).toBe(true);
    kit.threads.of(0).runs({ partitions: partitions(P0) });
    const { phase, lanes } = kit.group.status();
    expect([phase, lanes?.map(({ restarts }) => restarts)]).toEqual(['running', [1, 0]]);
    expect(kit.lines).toContain('lane 0 ended and is started again in 1000 ms: checkpoints fail');
    await stopped(kit);
  });

  it('ends a lane that does not get done when it is to be started again', async () => {
    const kit = await running();
    kit.threads.of(1).tells(['onPartitions', [P1], 'assigned']);
    kit.group.restart(P1, new Error('checkpoints fail'));
    await until(() => {
      kit.clock.advance(10_000);
      return kit.threads.countOf(1) === 2;
    }, 'the next thread');
    kit.threads.of(1).runs({ partitions: partitions(P1) });
    kit.threads.of(0).is({});
    expect(kit.group.status().phase).toBe('running');
    await stopped(kit);
  });

  it('stops a lane that was about to be started again, and asks it once', async () => {
    const kit = await running();
    kit.threads.of(0).tells(['onPartitions', [P0], 'assigned']);
    kit.group.restart(P0, new Error('checkpoints fail'));
    await stopped(kit);
    expect(kit.threads.of(0).received.filter(({ kind }) => kind === 'stop')).toHaveLength(1);
    expect(kit.group.status()).toMatchObject({ phase: 'stopped', trouble: null });
  });

  it('counts a thread that cannot be started again as ended', async () => {
    const threads = new FakeThreads();
    let full = false;
    const spawn: LaneGroupOptions['spawn'] = (number, statePort) => {
      if (full) throw new Error('no memory for a thread');
      return threads.spawn(number, statePort);
    };
    const kit = setUp({ spawn, lanes: async () => 1 });
    const starting = kit.group.start();
    await until(() => threads.all.length === 1, 'a thread');
    threads.of(0).runs();
    await starting;
    full = true;
    threads.of(0).crash(new Error('died'));
    await until(() => {
      kit.clock.advance(1000);
      return kit.group.status().trouble?.includes('no memory') === true;
    }, 'the trouble');
    full = false;
    await until(() => {
      kit.clock.advance(1000);
      return threads.countOf(0) === 2;
    }, 'a new thread');
    await stopped({ group: kit.group, threads });
  });

  it('forgives ends that lie long back', async () => {
    const kit = await running();
    for (let end = 1; end <= 2 * ENDS_MAX; end++) {
      kit.threads.of(0).crash(new Error(`end ${end}`));
      await until(
        () => {
          kit.clock.advance(5 * 60_000);
          return kit.threads.countOf(0) === end + 1;
        },
        `thread ${end + 1}`,
      );
      kit.threads.of(0).runs();
    }
    kit.threads.of(1).is({});
    expect(kit.group.status().phase).toBe('running');
    await stopped(kit);
  });

  it('does not start when a lane cannot be made, with the error of the lane', async () => {
    const kit = setUp();
    const starting = kit.group.start();
    await until(() => kit.threads.all.length === 2, 'two threads');
    const error = { type: 'RuleSetError', code: 'RULE_SET', message: 'a rule does not hold', stack: undefined };
    kit.threads.of(1).says({ kind: 'failed', error });
    await expect(starting).rejects.toMatchObject({ code: 'RULE_SET', message: 'a rule does not hold' });
    expect(kit.group.status()).toMatchObject({ phase: 'failed', trouble: 'lane 1: a rule does not hold' });
    await stopped(kit);
  });

  it('says which lane has not been heard of', async () => {
    const kit = await running();
    await until(() => {
      kit.clock.advance(1000);
      kit.threads.of(0).is({});
      return kit.group.status().phase === 'degraded';
    }, 'it to be noticed');
    expect(kit.group.status().trouble).toMatch(/^lane 1: has not been heard of for 1\d s$/);
    kit.clock.advance(5000);
    expect(kit.phases().at(-1)).toEqual(['degraded', expect.stringMatching(/^lane 1: has not been heard of/)]);
    await stopped(kit);
  });

  it('stops every lane in good order, and hears it to the end', async () => {
    const kit = await running();
    let done = false;
    const stopping = kit.group.stop().then(() => {
      done = true;
    });
    expect(kit.group.status().phase).toBe('stopping');
    for (const thread of kit.threads.all) expect(thread.received.at(-1)).toEqual({ kind: 'stop' });
    kit.threads.of(0).says({ kind: 'stopped', error: null });
    kit.threads.of(1).tells(['onAlert', anAlert({ id: 'last' }), null], ['onPartitions', [P1], 'revoked']);
    kit.threads.of(1).is({ phase: 'stopped', partitions: [] });
    expect(kit.heard).toContainEqual(['alert', 'last', null]);
    expect(done).toBe(false);
    kit.threads.of(1).says({ kind: 'stopped', error: null });
    await stopping;
    expect(kit.threads.all.every(({ terminated }) => terminated)).toBe(true);
    expect(kit.group.status()).toMatchObject({ phase: 'stopped', partitions: [] });
    expect(kit.phases().slice(-2)).toEqual([
      ['stopping', null],
      ['stopped', null],
    ]);
  });

  it('throws when a lane did not stop in good order, after the others did', async () => {
    const kit = await running();
    const stopping = kit.group.stop();
    kit.threads.of(0).crash(new Error('died'));
    kit.threads.of(1).says({ kind: 'stopped', error: null });
    await expect(stopping).rejects.toThrow('died');
    expect(kit.group.status().phase).toBe('stopped');
  });

  it('stops also when a lane fails to be made meanwhile', async () => {
    const kit = setUp();
    const starting = kit.group.start();
    await until(() => kit.threads.all.length === 2, 'two threads');
    const failed = expect(starting).rejects.toThrow('odd');
    const error = { type: 'Error', code: undefined, message: 'odd', stack: undefined };
    kit.threads.of(0).says({ kind: 'failed', error });
    await failed;
    const stopping = kit.group.stop();
    kit.threads.of(1).says({ kind: 'failed', error });
    kit.threads.of(1).says({ kind: 'stopped', error: null });
    await stopping;
    expect(kit.threads.all.every(({ terminated }) => terminated)).toBe(true);
  });

  it('does not start a thread again after it was stopped', async () => {
    const kit = await running();
    kit.threads.of(0).crash(new Error('died'));
    await stopped(kit);
    kit.clock.advance(600_000);
    expect(kit.threads.countOf(0)).toBe(1);
  });

  it('can be stopped while it starts', async () => {
    const kit = setUp();
    const starting = kit.group.start();
    await until(() => kit.threads.all.length === 2, 'two threads');
    const failed = expect(starting).rejects.toThrow('stopped before it had started');
    await stopped(kit);
    await failed;
    expect(kit.group.status().phase).toBe('stopped');
  });

  it('can be stopped while it does not know how many lanes there shall be', async () => {
    const kit = setUp({ lanes: () => Promise.reject(new Error('no broker')) });
    const starting = kit.group.start();
    await until(() => kit.group.status().trouble !== null, 'the trouble');
    await kit.group.stop();
    await expect(starting).rejects.toThrow('stopped before it had started');
    expect(kit.threads.all).toEqual([]);
  });
});

describe('what is asked of all lanes', () => {
  it('changes how alerts are delivered in all of them, and in threads that come later', async () => {
    const { group, threads } = await running();
    const modes = () => threads.all.map((t) => t.received.filter((m) => m.kind === 'delivery').map((m) => m.mode));
    expect(group.delivery()).toBe('exactly-once');
    group.setDelivery('at-least-once');
    expect([group.delivery(), modes()]).toEqual(['at-least-once', [['at-least-once'], ['at-least-once']]]);
    await stopped({ group, threads });
  });

  it('has stored their state when all of them have, and fails when one cannot', async () => {
    const { group, threads } = await running();
    const stored = group.storeNow();
    for (const thread of threads.all) thread.says({ kind: 'stored', error: null });
    await stored;
    const failing = group.storeNow();
    threads.all[0]!.says({ kind: 'stored', error: null });
    threads.all[1]!.says({ kind: 'stored', error: toWire(new Error('no room')) });
    await expect(failing).rejects.toThrow('no room');
    await stopped({ group, threads });
  });
});
