/**
 * What every sink must do, tried with the follower that brings it its alerts. A spec for a sink names its server in a fixture and
 * calls `describeSink`; `docs/connectors.md` says how.
 */
import { readDeadLetter } from '../../src/connectors/avro/dead-letter.js';
import { systemClock } from '../../src/connectors/system-clock.js';
import { MemoryLog } from '../../src/runtime/memory/memory-log.js';
import type { Alert } from '../../src/runtime/ports/alert.js';
import type { GroupListener, GroupOptions, LogRecord } from '../../src/runtime/ports/log.js';
import type { AlertSink, CollectingSink } from '../../src/runtime/sinks/alert-sink.js';
import { AlertSinkFollower } from '../../src/runtime/sinks/alert-sink-follower.js';
import { until } from '../harness/until.js';

/** What a sink has written. */
export interface WrittenAlert {
  readonly id: string;
  readonly key: string;
}

/** One place that a sink writes to, empty at first. */
export interface SinkPlace {
  /** Another sink that writes there, as another process would have it. */
  sink(): Promise<AlertSink | CollectingSink>;
  /** What is there, repeats included; alerts of one key in the order in which they were written, where there is one. */
  written(): Promise<readonly WrittenAlert[]>;
  /** The server cannot be reached. */
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

export interface SinkFixture {
  place(): Promise<SinkPlace>;
  /** Makes of an alert one that is always refused. Absent: everything is taken. */
  readonly poison?: (alert: Alert) => Alert;
  /** A place keeps no order. */
  readonly unordered?: boolean;
}

const TOPIC = 'alerts';
const LETTERS = 'dead-letters';
const NOON = Date.UTC(2026, 0, 31, 12);
const text = new TextEncoder();
const decoder = { decode: (value: Uint8Array) => JSON.parse(new TextDecoder().decode(value)) as Alert };

/** An alert of a pattern; each third is of a window. */
export function someAlert(n: number, over: Partial<Alert> = {}): Alert {
  const at = NOON + n * 1_000;
  const event = { id: `t${n}`, eventTime: at, kind: 'Payment', topic: 'transactions', partition: 0, offset: n };
  const window = n % 3 === 0;
  return {
    id: n.toString(16).padStart(32, '0'),
    patternId: window ? 'spend-by-hour' : 'offshore-drain',
    title: 'Large payment, then “offshore”',
    revision: 'r1',
    severity: n % 2 === 0 ? 'high' : 'low',
    score: n % 100,
    key: `acc-${n % 5}`,
    keyField: 'accountId',
    firstEventTime: at - 60_000,
    lastEventTime: at,
    detectedAt: at,
    message: `Grüße: ${n} / o'ffshore \\ "quoted"`,
    ...(window ? { features: { total: n / 3, country: 'GB', first: true, usual: null } } : {}),
    steps: [{ step: window ? 'window' : 'large', events: [{ ...event, fields: { amount: n, note: 'x' } }] }],
    ...over,
  };
}

/** A log whose commits can be lost, as when a process dies before it makes them. */
class ForgetfulLog extends MemoryLog {
  forgets = false;

  override async join(options: GroupOptions, listener: GroupListener) {
    const member = await super.join(options, listener);
    const commit = member.commit.bind(member);
    member.commit = async (offsets) => (this.forgets ? undefined : commit(offsets));
    return member;
  }
}

export function describeSink(name: string, fixture: SinkFixture): void {
  describe(`${name} as a sink`, () => {
    let place: SinkPlace;
    let log: ForgetfulLog;
    let followers: AlertSinkFollower[];

    beforeEach(async () => {
      followers = [];
      log = new ForgetfulLog();
      await log.createTopic({ name: TOPIC, partitions: 2 });
      place = await fixture.place();
    });
    afterEach(async () => {
      for (const follower of followers) await follower.stop();
      await place.close();
    });

    const follow = async () => {
      const sink = await place.sink();
      const follower = new AlertSinkFollower({
        ...{ log, clock: systemClock, groupId: 'contract', topic: TOPIC, decoder, sink, deadLetters: LETTERS },
      });
      followers.push(follower);
      follower.start();
      return follower;
    };
    const sendRaw = async (values: readonly { readonly key: string; readonly value: string }[]) => {
      const producer = await log.producer();
      await producer.send(
        values.map(({ key, value }) => ({
          ...{ topic: TOPIC, partition: Number(key.at(-1)) % 2, key: text.encode(key), value: text.encode(value) },
        })),
      );
    };
    const send = (...alerts: Alert[]) =>
      sendRaw(alerts.map((alert) => ({ key: alert.key, value: JSON.stringify(alert) })));
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
    const ids = (list: readonly WrittenAlert[]) => list.map(({ id }) => id).sort();
    const expected = (from: number, to: number) => numbers(from, to).map((n) => someAlert(n).id);
    const isCommitted = async () => {
      const offsets = await log.committed('contract');
      const ends = await Promise.all([0, 1].map((partition) => log.offsets({ topic: TOPIC, partition })));
      return ends.every(({ end }, partition) => (offsets.get(`${TOPIC}-${partition}`) ?? 0) === end);
    };
    const settled = (what: string) => until(isCommitted, `the sink to commit ${what}`, 60_000);

    it('writes what was there before it, and what comes, windows among it, and then has no lag', async () => {
      await send(...numbers(0, 20).map((n) => someAlert(n)));
      const follower = await follow();
      await settled('the first alerts');
      await send(...numbers(20, 40).map((n) => someAlert(n)));
      await settled('the next alerts');
      expect(ids(await place.written())).toEqual(expected(0, 40));
      expect([...follower.status().lag.values()].reduce((a, b) => a + b, 0)).toBe(0);
      expect(follower.status()).toMatchObject({ trouble: null, written: 40, deadLettered: 0 });
    });

    it('changes nothing when the same alerts come again, whoever writes them', async () => {
      await send(...numbers(0, 30).map((n) => someAlert(n)));
      log.forgets = true;
      const first = await follow();
      await until(async () => (await place.written()).length === 30, 'all alerts', 60_000);
      await first.stop();
      log.forgets = false;
      await send(...numbers(30, 35).map((n) => someAlert(n)));
      await follow();
      await settled('what was there already');
      expect(ids(await place.written())).toEqual(expected(0, 35));
    });

    if (fixture.unordered !== true)
      it('writes the alerts of one key in their order', async () => {
        for (const n of numbers(0, 10)) await send(...numbers(n * 20, n * 20 + 20).map((i) => someAlert(i)));
        await follow();
        await settled('all of them');
        const written = await place.written();
        for (const key of numbers(0, 5).map((n) => `acc-${n}`)) {
          const own = written.filter((alert) => alert.key === key).map(({ id }) => id);
          expect(own).toEqual(expected(0, 200).filter((_, n) => `acc-${n % 5}` === key));
        }
      });

    it('makes a dead letter of what cannot be written, with its reason and place, and goes on', async () => {
      const poison = fixture.poison?.(someAlert(8, { key: 'acc-1' }));
      await send(someAlert(1, { key: 'acc-1' }));
      await sendRaw([{ key: 'acc-1', value: 'nonsense' }]);
      if (poison !== undefined) await send(poison);
      await send(someAlert(3, { key: 'acc-1' }));
      const follower = await follow();
      await settled('what can be written');
      expect(ids(await place.written())).toEqual([someAlert(1).id, someAlert(3).id]);
      const letters = [];
      for await (const { records } of log.read({ topic: LETTERS, partition: 0 }, 0)) letters.push(...records);
      const read = letters.map(readDeadLetter).sort((a, b) => a!.offset - b!.offset);
      const at = { topic: TOPIC, partition: 1 };
      const refused = poison === undefined ? [] : [{ ...at, reason: 'refused', offset: 2 }];
      expect(read).toMatchObject([{ ...at, reason: 'not-an-alert', offset: 1 }, ...refused]);
      expect(sinkOf(letters[0]!)).toBe(follower.name);
      for (const letter of read) expect(letter?.detail).not.toBe('');
      expect(follower.status()).toMatchObject({ deadLettered: read.length, trouble: null });
    });

    it('loses nothing while its server is away, says so, and catches up when it is back', async () => {
      await send(...numbers(0, 10).map((n) => someAlert(n)));
      const follower = await follow();
      await settled('the first alerts');
      await place.away();
      await send(...numbers(10, 60).map((n) => someAlert(n)));
      await until(() => follower.status().trouble !== null, 'the trouble to be told', 60_000);
      expect([...follower.status().lag.values()].reduce((a, b) => a + b, 0)).toBeGreaterThan(0);
      await place.back();
      await settled('the rest');
      expect(ids(await place.written())).toEqual(expected(0, 60));
      expect(follower.status()).toMatchObject({ trouble: null, written: 60 });
    });

    it('goes on where it was when it is stopped in the middle and started again', async () => {
      await send(...numbers(0, 400).map((n) => someAlert(n)));
      const first = await follow();
      await until(() => first.status().written > 0, 'something to be written', 60_000);
      await first.stop();
      await send(...numbers(400, 500).map((n) => someAlert(n)));
      await follow();
      await settled('all of them');
      expect(ids(await place.written())).toEqual(expected(0, 500));
    });
  });
}

const sinkOf = (record: LogRecord) => new TextDecoder().decode(record.headers?.get('stakeout.sink'));
