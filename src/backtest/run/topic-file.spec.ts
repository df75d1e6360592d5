import { jsonDecoder, makeLane, RULES, row } from '../../../test/harness/lane-kit.js';
import { until } from '../../../test/harness/until.js';
import type { Rule } from '../../rules/rule.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { loadSettings, type Settings } from '../../runtime/settings/index.js';
import { dice } from '../../runtime/testing/dice.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { Findings, type ToldAlert } from '../findings/findings.js';
import { protocolOf } from '../plan/protocol.js';
import { parity } from '../verify/parity.js';
import { AlertDigest } from './digest.js';
import type { FileStream } from './file-streams.js';
import type { Lane } from './lane.js';
import { runFiles } from './run-files.js';
import type { RunResult } from './run-options.js';
import { TopicFile } from './topic-file.js';

const PARTITIONS = 3;
const stream = {
  topic: 'rows',
  time: 'at',
  key: 'account',
  id: 'id',
  type: 'type',
  outOfOrderness: '10ms',
  format: 'ndjson',
};

function settingsOf(): Settings {
  const loaded = loadSettings({ env: {}, overrides: { streams: { rows: stream } } as never });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return loaded.settings;
}

/** A service that has taken in random rows, some of them late, of accounts in three partitions. */
async function served(seed: number): Promise<MemoryLog> {
  const clock = new ManualClock();
  const log = new MemoryLog({ clock });
  await log.createTopic({ name: 'rows', partitions: PARTITIONS });
  const lane = makeLane({ log, store: new MemoryStateStore(), clock });
  await lane.start();
  const roll = dice(seed);
  const producer = await log.producer();
  const records = Array.from({ length: 300 }, (_, i) => {
    const account = roll(9);
    const at = 1000 + i * 5 + roll(30);
    const record = row('rows', { id: `e${i}`, account: `a${account}`, type: 'abc'[roll(3)]!, at });
    return { ...record, partition: account % PARTITIONS };
  });
  await producer.send([...records, { topic: 'rows', partition: 0, key: null, value: new TextEncoder().encode('{') }]);
  await until(async () => {
    clock.advance(100);
    const committed = await log.committed('g');
    const ends = await Promise.all(
      Array.from({ length: PARTITIONS }, async (_, partition) => (await log.offsets({ topic: 'rows', partition })).end),
    );
    return ends.every((end, partition) => committed.get(`rows-${partition}`) === end);
  }, 'all committed');
  await lane.stop();
  return log;
}

const decoder = { decode: (value: Uint8Array) => JSON.parse(String(Buffer.from(value))) as Alert };

async function replayed(
  log: MemoryLog,
  rules: readonly Rule[],
  { lane, from }: { readonly lane?: Lane; readonly from?: number } = {},
): Promise<RunResult & { readonly found: readonly ToldAlert[] }> {
  const { streams } = settingsOf();
  const schema = { stream: 'rows', fields: new Map(), kinds: null, kindParents: new Map() };
  const files = await TopicFile.open(log, 'rows', 'null', () => jsonDecoder);
  if (from !== undefined) for (const file of files) await file.startAt(from);
  const parts: FileStream[] = files.map((file) => ({ settings: streams.rows!, file, schema }));
  const named = rules.map((rule) => ({ ...rule, streams: ['rows'] }));
  const findings = new Findings();
  const listener = { onAlert: (alert: Alert) => findings.tell(alert) };
  const run = await runFiles(parts, named, listener, () => 0, { isOpenEnded: true, ...(lane && { lane }) });
  return { ...run, found: findings.told };
}

describe('a back-test of a topic', () => {
  it.each([1, 2, 3])('finds the alerts that the service has committed (seed %i)', async (seed) => {
    const log = await served(seed);
    const run = await replayed(log, RULES);
    expect(run).toMatchObject({ events: 301, badRows: 1 });
    const protocol = protocolOf(settingsOf());
    const of = { log, alertsTopic: 'alerts', decoder, protocol };
    const compared = await parity({ ...of, rules: RULES, replayed: run });
    expect(compared).toMatchObject({ equal: true, alertsLive: run.alerts, live: run.digest });
    expect(run.alerts).toBeGreaterThan(20);
    const fewer = await replayed(log, RULES.slice(1));
    const other = await parity({ ...of, rules: RULES, replayed: fewer });
    expect(other).toMatchObject({ equal: false, differences: { replayedAlone: { count: 0 }, unlike: { count: 0 } } });
    const { liveAlone } = other!.differences!;
    expect(liveAlone.count).toBe(run.alerts - fewer.alerts);
    expect(liveAlone.first.map(({ patternId }) => patternId)).toEqual(liveAlone.first.map(() => RULES[0]!.id));
    const changed = RULES.map((rule) => ({ ...rule, revision: 'other' }));
    expect(await parity({ ...of, rules: changed, replayed: run })).toBeNull();
  });

  it('counts each row once when rules of other keys read all partitions together', async () => {
    const log = await served(4);
    const byType: Rule = { ...RULES[0]!, id: 'by-type', key: 'type', keyBy: { form: 'one', field: 'type' } };
    const both = await replayed(log, [...RULES, byType]);
    expect(both).toMatchObject({ events: 301, badRows: 1 });
    expect(both.byPattern['a-then-b']).toBe((await replayed(log, RULES)).byPattern['a-then-b']);
  });

  it.each([2, 3, 4])('finds the same with %i lanes, each event counted once', async (lanes) => {
    const log = await served(6);
    const byType: Rule = { ...RULES[0]!, id: 'by-type', key: 'type', keyBy: { form: 'one', field: 'type' } };
    for (const rules of [RULES, [...RULES, byType], [byType]]) {
      const one = await replayed(log, rules);
      const digest = new AlertDigest();
      const sum = { events: 0, late: 0, badRows: 0, alerts: 0 };
      for (let index = 0; index < lanes; index++) {
        const part = await replayed(log, rules, { lane: { index, of: lanes } });
        digest.merge(part.digest);
        for (const name of ['events', 'late', 'badRows', 'alerts'] as const) sum[name] += part[name];
      }
      const { events, late, badRows, alerts } = one;
      expect({ ...sum, digest: digest.hex() }).toEqual({ events, late, badRows, alerts, digest: one.digest });
    }
  });

  it('begins at a time of the log, and reads nothing before it', async () => {
    const clock = new ManualClock();
    const log = new MemoryLog({ clock });
    await log.createTopic({ name: 'rows', partitions: PARTITIONS });
    const producer = await log.producer();
    const at = (i: number): number => 1000 + i;
    const rows = Array.from({ length: 30 }, (_, i) => ({
      ...row('rows', { id: `e${i}`, account: 'a', type: 'a', at: at(i) }),
      partition: i % PARTITIONS,
      timestamp: at(i),
    }));
    await producer.send(rows);
    expect((await replayed(log, RULES, { from: at(12) })).events).toBe(18);
    expect((await replayed(log, RULES, { from: at(30) })).events).toBe(0);
  });

  it('leaves the offsets of the group alone', async () => {
    const log = await served(5);
    const before = await log.committed('g');
    await replayed(log, RULES);
    expect(await log.committed('g')).toEqual(before);
  });

  it('has no streams where there is no topic', async () => {
    const log = new MemoryLog({ clock: new ManualClock() });
    expect(await TopicFile.open(log, 'nothing', 'null', () => jsonDecoder)).toEqual([]);
  });
});
