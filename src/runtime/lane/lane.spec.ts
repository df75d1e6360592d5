import {
  makeLane as anyLane,
  jsonDecoder,
  type LaneKit,
  memoryKit,
  RULES,
  readAlerts,
  readAll,
  row,
  rowsOf,
  ruleSetOf,
  showAlert,
} from '../../../test/harness/lane-kit.js';
import { until } from '../../../test/harness/until.js';
import type { Rule } from '../../rules/rule.js';
import { MemoryStateStore } from '../memory/memory-state-store.js';
import type { DeliveryMode } from './commit/delivery.js';
import type { Lane } from './lane.js';

const PARTITION = { topic: 'rows', partition: 0 };

const send = async (kit: LaneKit, rows: string): Promise<void> => {
  const producer = await kit.log.producer();
  await producer.send(rowsOf(rows));
};

const processed = (lane: Lane, offset: number) =>
  until(() => lane.status().partitions[0]?.position === offset, `offset ${offset} processed`);

/** Lets a commit run to its end. */
const commit = async (kit: LaneKit, offset: number): Promise<void> => {
  kit.clock.advance(500);
  await until(async () => (await kit.log.committed('g')).get('rows-0') === offset, `offset ${offset} committed`);
};

const MODES: readonly DeliveryMode[] = ['exactly-once', 'at-least-once'];

describe.each(MODES)('a lane, %s', (delivery) => {
  const makeLane = (kit: LaneKit, more: Parameters<typeof anyLane>[1] = {}): Lane =>
    anyLane(kit, { delivery, ...more });

  it('finds what the rules say, in event time, and writes alerts keyed like their source', async () => {
    const kit = await memoryKit();
    const lane = makeLane(kit);
    await lane.start();
    await send(kit, 'Xa100 Yb101 Xb106 Xa103 Xa104 Xz500');
    await processed(lane, 6);
    await commit(kit, 6);
    await until(() => lane.status().alerts === 7, 'seven alerts');
    const alerts = await readAlerts(kit.log);
    // Xa103 and Xa104 came after Xb106, but happened before it.
    expect(alerts.map(showAlert)).toEqual([
      'three-a X Xa100,Xa103,Xa104',
      'a-then-b X Xa100 Xb106',
      'a-then-b X Xa103 Xb106',
      'a-then-b X Xa104 Xb106',
      'a-without-c X Xa100',
      'a-without-c X Xa103',
      'a-without-c X Xa104',
    ]);
    const records = await readAll(kit.log, 'alerts');
    expect(records.map((r) => new TextDecoder().decode(r.key!))).toEqual(Array(records.length).fill('X'));
    await lane.stop();
  });

  it('sends a record it cannot read to the dead letters, as it was, with reason and position', async () => {
    const kit = await memoryKit();
    const lane = makeLane(kit);
    await lane.start();
    const producer = await kit.log.producer();
    const bad = new TextEncoder().encode('{oops');
    await producer.send([
      { topic: 'rows', partition: 0, key: null, value: bad },
      { topic: 'rows', partition: 0, key: null, value: null },
      row('rows', { id: 'no-key', account: '', type: 'a', at: 1 }),
      row('rows', { id: 'no-time', account: 'X', type: 'a', at: 'soon' as unknown as number }),
    ]);
    await processed(lane, 4);
    await until(() => lane.status().deadLettered === 4, 'four dead letters');
    await commit(kit, 4);
    const letters = await readAll(kit.log, 'dead-letters');
    const header = (i: number, name: string) => new TextDecoder().decode(letters[i]!.headers!.get(`stakeout.${name}`));
    expect(letters.map((_, i) => header(i, 'reason'))).toEqual([
      'malformed',
      'empty-value',
      'missing-key',
      'invalid-time',
    ]);
    expect(letters[0]!.value).toEqual(bad);
    expect([header(0, 'topic'), header(0, 'partition'), header(3, 'offset')]).toEqual(['rows', '0', '3']);
    await lane.stop();
  });

  it('sends a late event to the late topic, and goes on', async () => {
    const kit = await memoryKit();
    const lane = makeLane(kit);
    await lane.start();
    await send(kit, 'Xa100 Xa200 Xa150 Xb195');
    await processed(lane, 4);
    await commit(kit, 4);
    expect(lane.status().late).toBe(1);
    const [late] = await readAll(kit.log, 'late');
    expect(JSON.parse(new TextDecoder().decode(late!.value!))).toMatchObject({ id: 'Xa150' });
    expect(new TextDecoder().decode(late!.headers!.get('stakeout.watermark'))).toBe('189');
    await lane.stop();
  });

  it('goes on where it stopped, with runs and held-back events as they were', async () => {
    const kit = await memoryKit();
    const first = makeLane(kit);
    await first.start();
    await send(kit, 'Xa100 Ya101 Xa105');
    await processed(first, 3);
    await first.stop();
    expect(first.status().phase).toBe('stopped');
    const second = makeLane(kit);
    await second.start();
    await send(kit, 'Xb110 Yb112 Zz400');
    await processed(second, 6);
    await commit(kit, 6);
    expect(second.status().recordsIn).toBe(3);
    expect((await readAlerts(kit.log)).map(showAlert).filter((a) => a.startsWith('a-then-b'))).toEqual([
      'a-then-b X Xa100 Xb110',
      'a-then-b X Xa105 Xb110',
      'a-then-b Y Ya101 Yb112',
    ]);
    await second.stop();
  });

  it('rebuilds state from the log when it is gone, and gives nothing out twice', async () => {
    const kit = await memoryKit();
    const first = makeLane(kit);
    await first.start();
    await send(kit, 'Xa100 Xb105 Xa110 Zz150');
    await processed(first, 4);
    await first.stop();
    const before = (await readAlerts(kit.log)).length;
    const second = makeLane({ ...kit, store: new MemoryStateStore() });
    await second.start();
    await until(() => second.status().recordsReplayed === 4, 'the log replayed');
    expect((await readAlerts(kit.log)).length).toBe(before);
    await send(kit, 'Xb155 Zz400');
    await processed(second, 6);
    await commit(kit, 6);
    expect((await readAlerts(kit.log)).map(showAlert)).toContain('a-then-b X Xa110 Xb155');
    await second.stop();
  });

  it('stops with what to do when retention has deleted records that the state needs', async () => {
    const kit = await memoryKit();
    const first = makeLane(kit);
    await first.start();
    await send(kit, 'Xa100 Xa101 Xa102');
    await processed(first, 3);
    await first.stop();
    await send(kit, 'Xa103 Xa104');
    kit.log.deleteBefore(PARTITION, 4);
    const second = makeLane(kit);
    await second.start();
    await until(() => second.status().phase === 'failed', 'the lane to fail');
    expect(second.status().trouble).toMatch(/retention has left only records from 4 on\. Lengthen retention, or/);
  });

  it('writes alerts of shadow rules to a topic of their own, and tells nobody of them', async () => {
    const kit = await memoryKit();
    const told: string[] = [];
    const rules: Rule[] = [{ ...RULES[0]!, status: 'shadow' }, RULES[2]!];
    const lane = makeLane(kit, {
      ruleSet: ruleSetOf(rules),
      listener: { onAlert: (alert) => void told.push(alert.patternId) },
    });
    await lane.start();
    await send(kit, 'Xa100 Xb106 Xz500');
    await processed(lane, 3);
    await commit(kit, 3);
    await until(() => told.length > 0, 'the live alert');
    expect((await readAlerts(kit.log)).map(({ patternId }) => patternId)).toEqual(['a-without-c']);
    expect(await readAll(kit.log, 'alerts-shadow')).toHaveLength(1);
    expect(told).toEqual(['a-without-c']);
    await lane.stop();
  });

  it('keeps the state of rules that did not change when another rule is changed or added', async () => {
    const kit = await memoryKit();
    const first = makeLane(kit);
    await first.start();
    await send(kit, 'Xa100 Xz120');
    await processed(first, 2);
    await first.stop();
    const changed: Rule[] = [{ ...RULES[2]!, revision: 'new', onUpdate: 'restart' }, RULES[0]!];
    const second = makeLane(kit, { ruleSet: ruleSetOf(changed) });
    await second.start();
    await send(kit, 'Xb125 Xz500');
    await processed(second, 4);
    await commit(kit, 4);
    const found = (await readAlerts(kit.log)).map(showAlert);
    expect(found).toContain('a-then-b X Xa100 Xb125');
    expect(found).not.toContain('a-without-c X Xa100');
    await second.stop();
  });

  it('moves the clock of an idle partition, so that what it holds comes out', async () => {
    const kit = await memoryKit();
    const lane = makeLane(kit);
    await lane.start();
    await send(kit, 'Xa100');
    await processed(lane, 1);
    expect(lane.status().partitions[0]).toMatchObject({ buffered: 1, idle: false });
    await commit(kit, 1);
    await until(() => {
      kit.clock.advance(100);
      return lane.status().alerts === 1;
    }, 'the absence to be noticed');
    expect((await readAlerts(kit.log)).map(showAlert)).toEqual(['a-without-c X Xa100']);
    expect(lane.status().partitions[0]).toMatchObject({ buffered: 0, idle: true, keys: 0 });
    await lane.stop();
  });

  it('takes events at once in arrival mode', async () => {
    const kit = await memoryKit();
    const ruleSet = ruleSetOf(RULES, jsonDecoder, { mode: 'arrival', outOfOrdernessMs: 0 });
    const lane = makeLane(kit, { ruleSet });
    await lane.start();
    await send(kit, 'Xa100 Xb90');
    await processed(lane, 2);
    await commit(kit, 2);
    await until(() => lane.status().alerts === 1, 'an alert');
    const [alert] = await readAlerts(kit.log);
    expect(showAlert(alert!)).toBe('a-then-b X Xa100 Xb90');
    await lane.stop();
  });

  it('carries the trace context of the record that completed the match', async () => {
    const kit = await memoryKit();
    const seen: (string | null)[] = [];
    const lane = makeLane(kit, { listener: { onAlert: (_, traceparent) => void seen.push(traceparent) } });
    await lane.start();
    const producer = await kit.log.producer();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const b = row('rows', { id: 'b', account: 'X', type: 'b', at: 101 });
    await producer.send([
      row('rows', { id: 'a', account: 'X', type: 'a', at: 100 }),
      { ...b, headers: new Map([['traceparent', new TextEncoder().encode(traceparent)]]) },
    ]);
    await send(kit, 'Zz130');
    await processed(lane, 3);
    await commit(kit, 3);
    await until(() => seen.length === 1, 'an alert');
    expect(seen).toEqual([traceparent]);
    const [record] = await readAll(kit.log, 'alerts');
    expect(new TextDecoder().decode(record!.headers!.get('traceparent'))).toBe(traceparent);
    await lane.stop();
  });

  it('waits for a log that is away at the start', async () => {
    const kit = await memoryKit();
    let away = true;
    const log = new Proxy(kit.log, {
      get(target, name) {
        if (name === 'createTopic' && away) return () => Promise.reject(new Error('no broker answers'));
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const lane = makeLane({ ...kit, log });
    const started = lane.start();
    await until(() => lane.status().trouble !== null, 'trouble');
    expect(lane.status()).toMatchObject({ phase: 'starting', trouble: 'cannot start yet: no broker answers' });
    away = false;
    kit.clock.advance(1000);
    await started;
    expect(lane.status()).toMatchObject({ phase: 'running', trouble: null });
    await lane.stop();
  });

  it('never blames a record for a decoder that is not ready', async () => {
    const kit = await memoryKit();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const lane = makeLane(kit, { ruleSet: ruleSetOf(RULES, { ...jsonDecoder, prepare: () => gate }) });
    await lane.start();
    await send(kit, 'Xa100 Xb101 Xz200');
    await until(() => lane.status().partitions.length === 1, 'the partition');
    expect(lane.status().recordsIn).toBe(0);
    open();
    await processed(lane, 3);
    expect(lane.status().deadLettered).toBe(0);
    await lane.stop();
  });

  it('writes to the journal which rules are in force from where on, and replays what came before under the old ones', async () => {
    const kit = await memoryKit();
    const [aThenB, threeA] = RULES;
    const first = makeLane(kit, { ruleSet: ruleSetOf([aThenB!, threeA!]) });
    await first.start();
    await send(kit, 'Xa100 Xa101 Zz120');
    await processed(first, 3);
    await commit(kit, 3);
    await first.stop();
    // Its state is lost: all must come from the log, and the first two `a` must not count for the rule that came after them.
    const late = { ...threeA!, id: 'late-rule', revision: 'late' };
    const second = makeLane(
      { ...kit, store: new MemoryStateStore() },
      { ruleSet: ruleSetOf([aThenB!, threeA!, late]) },
    );
    await second.start();
    await send(kit, 'Xa122 Xa123 Xb125 Xz500');
    await processed(second, 7);
    await commit(kit, 7);
    await second.stop();
    const entries = (await readAll(kit.log, 'journal'))
      .filter((r) => String(r.key) === 'rows-0')
      .map((r) => JSON.parse(String(r.value)) as { kind: string; n: number; offset: number });
    expect(entries.map(({ kind, n, offset }) => [kind, n, offset])).toEqual([
      ['rules', 1, 0],
      ['rules', 2, 3],
    ]);
    expect((await readAlerts(kit.log)).map(showAlert)).toEqual([
      'three-a X Xa100,Xa101,Xa122',
      'a-then-b X Xa100 Xb125',
      'a-then-b X Xa101 Xb125',
      'a-then-b X Xa122 Xb125',
      'a-then-b X Xa123 Xb125',
    ]);
  });

  it('repeats the ticks of an idle partition where they took effect, when it must replay', async () => {
    const kit = await memoryKit();
    const first = makeLane(kit);
    await first.start();
    await send(kit, 'Xa100');
    await processed(first, 1);
    await commit(kit, 1);
    await until(() => {
      kit.clock.advance(100);
      return first.status().alerts === 1;
    }, 'the absence to be noticed');
    await first.stop();
    const second = makeLane({ ...kit, store: new MemoryStateStore() });
    await second.start();
    // Without the tick it would be in time, and make a match with the first `a`.
    await send(kit, 'Xb105 Xz9000');
    await processed(second, 3);
    await commit(kit, 3);
    await second.stop();
    const alerts = (await readAlerts(kit.log)).map(showAlert);
    // At least once: nobody knows whether what followed from the last tick was given out.
    expect(alerts).toEqual(Array(delivery === 'exactly-once' ? 1 : 2).fill('a-without-c X Xa100'));
    expect(await readAll(kit.log, 'late')).toHaveLength(1);
  });

  it('stores state sooner when much of it has changed', async () => {
    const kit = await memoryKit();
    let writes = 0;
    const counting = new Proxy(kit.store, {
      get: (store, name) =>
        name === 'partition'
          ? async (...args: Parameters<typeof store.partition>) => {
              const state = await store.partition(...args);
              const write = state.write.bind(state);
              state.write = (batch) => {
                writes++;
                return write(batch);
              };
              return state;
            }
          : Reflect.get(store, name),
    });
    const lane = makeLane({ ...kit, store: counting }, { snapshotIntervalMs: 3_600_000, snapshotBytes: 256 });
    await lane.start();
    await send(kit, 'Xa100 Ya101 Zz200');
    await processed(lane, 3);
    await commit(kit, 3);
    await until(() => writes === 1, 'a cut');
    await lane.stop();
  });
});
