import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/harness/until.js';
import { verify } from '../../backtest/verify/verify.js';
import { canonicalJson } from '../../engine/index.js';
import type { Rule } from '../../rules/index.js';
import { NO_LISTS } from '../../runtime/lists/reference-lists.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import { partitionOfKey } from '../../runtime/partitioner.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { OutgoingRecord } from '../../runtime/ports/log.js';
import { loadSettings, type Settings } from '../../runtime/settings/index.js';
import { Detection } from '../../runtime/task/detection.js';
import { SourceEvent } from '../../runtime/task/source-event.js';
import { dice } from '../../runtime/testing/dice.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { AlertTopicCodec } from '../compose/alert-topic-codec.js';
import { ruleSetReader, ruleSetsOf } from '../compose/rules/rule-set.js';
import { loadRunningRules, type RunningRules } from '../compose/rules/running-rules.js';
import { type AllStreams, makeStreams, ruleStreamsOf } from '../compose/streams/stream-parts.js';
import { makeLane } from './make-lane.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-streams-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONFIG = `
patterns: rules
kafka: {groupId: g}
streams:
  payments: {topic: payments, partitions: 3, format: ndjson, key: account, time: at, id: id, type: type, outOfOrderness: 10ms, idleAfter: 1s}
  logins: {topic: logins, partitions: 2, format: ndjson, key: user, time: at, id: id, type: type, outOfOrderness: 30ms, idleAfter: 1s}
commit: {interval: 100ms}
snapshot: {interval: 500ms}
`;

const RULES = {
  // Where its records are read.
  'large-twice': `
key: account
from: payments
pattern: [{begin: a, where: type == 'a'}, {followedBy: b, where: type == 'b'}]`,
  'failed-logins': `
key: user
from: logins
pattern: [{begin: a, where: type == 'a'}, {next: b, where: type == 'b'}]`,
  // Joined, on topics of the group.
  'login-then-payment': `
key: {by: {payments: account, logins: user}}
pattern: [{begin: l, from: logins, where: type == 'a'}, {next: p, from: payments, where: type != 'c'}]
skip: pastLastEvent`,
  'payment-without-login': `
key: {by: {payments: account, logins: user}}
features: [{name: seen, count: true, from: logins, over: 60ms}]
pattern: [{begin: p, from: payments, where: type == 'c' && seen == 0}]`,
  'same-device': `
key: device
pattern: [{begin: l, from: logins, where: type == 'b'}, {followedBy: p, from: payments, where: type == 'a'}]
skip: pastLastEvent`,
  // With features of other keys, behind the topics that count them.
  'busy-device': `
key: account
from: payments
features:
  - {name: seen, count: true, from: logins, over: 60ms, key: device}
  - {name: payers, distinct: account, over: 80ms, key: device}
pattern: [{begin: p, where: seen >= 2 && payers >= 2}]
alert: {message: "{{ seen }} and {{ payers }}"}`,
  'busy-receiver': `
key: account
from: payments
features:
  - {name: received, count: true, over: 60ms, lagging: 5ms, key: to}
  - {name: last, last: account, over: 80ms, lagging: 1ms, key: [to, device]}
pattern: [{begin: p, where: received >= 2}, {followedBy: q, where: last != account}]
skip: pastLastEvent`,
  // Keyed otherwise, on topics of their stream.
  mule: `
key: {each: [account, to]}
from: payments
pattern: [{begin: came, where: to == key && type == 'a'}, {followedBy: went, where: account == key && type == 'b'}]`,
  pair: `
key: [to, device]
from: payments
pattern: [{begin: a, where: type == 'a'}, {followedBy: b, where: type == 'b'}]`,
};

interface Row {
  readonly stream: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** Rows in the order in which they are sent. No two of one time: between partitions they have no order. */
function randomRows(seed: number, count: number): readonly Row[] {
  const roll = dice(seed);
  const used = new Set<number>();
  let time = 1000;
  return Array.from({ length: count }, (_, i) => {
    time += 1 + roll(7);
    const stream = roll(3) === 0 ? 'logins' : 'payments';
    let at = time - roll(stream === 'logins' ? 20 : 6);
    while (used.has(at)) at++;
    used.add(at);
    const own: Record<string, string> =
      stream === 'logins' ? { user: `a${roll(5)}` } : { account: `a${roll(5)}`, to: `a${roll(5)}` };
    const device: Record<string, string> = roll(8) === 0 ? {} : { device: `d${roll(3)}/` };
    return { stream, fields: { id: `e${i}`, at, type: 'abc'[roll(3)]!, ...own, ...device } };
  });
}

const text = new TextEncoder();

function recordOf({ stream, fields }: Row, { streams }: Settings): OutgoingRecord {
  const key = text.encode(String(fields[streams[stream]!.key!]));
  const partition = partitionOfKey(key, streams[stream]!.partitions);
  return { topic: stream, partition, key, value: text.encode(JSON.stringify(fields)), timestamp: 0 };
}

const showMatch = (
  rule: string,
  key: string,
  steps: readonly (readonly string[])[],
  features: Alert['features'] = {},
): string => `${rule} ${key}: ${steps.map((ids) => ids.join(' ')).join(' / ')} ${canonicalJson(features)}`;

/** What the rules find in all rows, in order of event time. */
function expected(rules: readonly Rule[], rows: readonly Row[]): readonly string[] {
  const found: string[] = [];
  const onMatch = (
    rule: Rule,
    key: string,
    match: Parameters<ConstructorParameters<typeof Detection>[2]['onMatch']>[2],
  ) => {
    found.push(
      showMatch(
        rule.id,
        key,
        match.steps.map(({ events }) => events.map((e) => String(e.fields.id))),
        match.features,
      ),
    );
  };
  const clock = { mode: 'event-time', outOfOrdernessMs: 1000 } as const;
  const detection = new Detection(rules, clock, { onMatch }, { streams: ['payments', 'logins'] });
  rows.forEach(({ stream, fields }, i) => {
    const nothing = new Uint8Array(0);
    detection.clock.accept(
      new SourceEvent(Number(fields.at), String(fields.type), fields, i, nothing, null, true, stream),
    );
  });
  detection.finish();
  return found.sort();
}

class World {
  readonly clock = new ManualClock();
  readonly log = new MemoryLog({ clock: this.clock });
  store = new MemoryStateStore();

  private constructor(
    readonly settings: Settings,
    readonly streams: AllStreams,
    readonly running: RunningRules,
  ) {}

  static async make(): Promise<World> {
    for (const [id, body] of Object.entries(RULES)) {
      writeFileSync(join(folder, `${id}.yaml`), `id: ${id}\nwithin: 50ms${body}\n`);
    }
    const config = join(folder, 'stakeout.yaml');
    writeFileSync(config, CONFIG);
    const loaded = loadSettings({ file: config, env: {} });
    if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
    const context = { onTrouble: () => undefined, onRecovered: () => undefined, clock: new ManualClock() };
    const streams = makeStreams({ settings: loaded.settings, ...context });
    const all = await Promise.all(
      Object.keys(RULES).map((id) =>
        loadRunningRules(join(folder, `${id}.yaml`), ruleStreamsOf(streams), NO_LISTS.known),
      ),
    );
    const rules = all.flatMap((one) => one.rules);
    expect(rules.map(({ id }) => id)).toEqual(Object.keys(RULES));
    return new World(loaded.settings, streams, {
      all: rules,
      files: [],
      rules,
      sources: all.flatMap((one) => one.sources),
      diagnostics: [],
    });
  }

  lane(sources = this.running.sources, paused: readonly string[] = []): ReturnType<typeof makeLane> {
    const { settings, clock, log, store } = this;
    const said = { lists: {}, paused, report: () => undefined, warn: () => undefined };
    return makeLane({ settings, number: 0, sources, clock, log, store, listener: {}, ...said });
  }

  async send(rows: readonly Row[]): Promise<void> {
    const producer = await this.log.producer();
    await producer.send(rows.map((row) => recordOf(row, this.settings)));
  }

  /** Lets time pass until so many records of the streams are committed. */
  async read(count: number): Promise<void> {
    await until(async () => {
      this.clock.advance(100);
      const committed = await this.log.committed('g');
      const sources = [...committed].filter(([name]) => /^(payments|logins)-\d$/.test(name));
      return sources.reduce((sum, [, offset]) => sum + offset, 0) === count;
    }, 'the streams to be committed');
  }

  /** Lets time pass until the lanes have processed all, and all windows have ended. */
  async quiet(lanes: readonly ReturnType<typeof makeLane>[], after: number): Promise<void> {
    await until(
      async () => {
        this.clock.advance(500);
        await new Promise((resolve) => setImmediate(resolve));
        const partitions = lanes.flatMap((lane) => lane.status().partitions);
        const open = partitions.filter(
          ({ position, endOffset, buffered, maxEventTime, watermark }) =>
            position !== endOffset || buffered > 0 || (maxEventTime !== null && (watermark ?? 0) < after),
        );
        return partitions.length > 0 && open.length === 0;
      },
      () => `all processed: ${JSON.stringify(lanes.map((lane) => lane.status()))}`,
    );
  }

  async alerts(): Promise<readonly Alert[]> {
    const alerts: Alert[] = [];
    const codec = new AlertTopicCodec(null, 'alerts');
    for (let partition = 0; partition < this.settings.alerts.partitions; partition++) {
      for await (const { records } of this.log.read({ topic: 'alerts', partition }, 0)) {
        for (const { value } of records) alerts.push(await codec.decode(value!));
      }
    }
    return alerts;
  }
}

const told = (alerts: readonly Alert[]): readonly string[] =>
  alerts
    .map(({ patternId, key, steps, features }) =>
      showMatch(
        patternId,
        key,
        steps.map(({ events }) => events.map(({ id }) => id)),
        features,
      ),
    )
    .toSorted();

describe('a service over several streams', () => {
  it('forwards to a topic for each key, of the stream or of the group', async () => {
    const { settings, streams, running } = await World.make();
    const { routes, source, others, needsOnePartition } = ruleSetsOf(running.sources, settings, streams, NO_LISTS);
    expect(routes.map(({ topic, streams: of }) => [topic.name, topic.partitions, of])).toEqual([
      ['g-by-logins.user-and-payments.account', 3, ['payments', 'logins']],
      ['g-by-device', 3, ['payments', 'logins']],
      ['g-features-by-device', 3, ['payments', 'logins']],
      ['g-features-by-device-by-account', 3, ['payments']],
      ['payments-features-by-to', 3, ['payments']],
      ['payments-features-by-to-by-to-and-device', 3, ['payments']],
      ['payments-features-by-to-by-to-and-device-by-account', 3, ['payments']],
      ['payments-by-account-or-to', 3, ['payments']],
      ['payments-by-to-and-device', 3, ['payments']],
    ]);
    expect([source, ...others.values()].map(({ rules }) => rules.map(({ id }) => id))).toEqual([
      ['large-twice'],
      ['failed-logins'],
    ]);
    expect(needsOnePartition).toBe(false);
  });

  it.each([1, 2, 3])('finds what comes of all events in order of time, over restarts (seed %i)', async (seed) => {
    const world = await World.make();
    const rows = randomRows(seed, 300);
    const lastTime = Math.max(...rows.map(({ fields }) => Number(fields.at)));
    for (let from = 0; from < rows.length; from += 100) {
      // The last start finds no state, and replays all.
      if (from === 200) world.store = new MemoryStateStore();
      const lane = world.lane();
      await lane.start();
      await world.send(rows.slice(from, from + 100));
      await world.read(from + 100);
      if (from === 200) await world.quiet([lane], lastTime + 100);
      await lane.stop();
    }
    const alerts = await world.alerts();
    const wanted = expected(world.running.rules, rows);
    expect(new Set(wanted.map((line) => line.split(' ')[0])).size).toBe(Object.keys(RULES).length);
    expect(told(alerts)).toEqual(wanted);
    expect(new Set(alerts.flatMap((a) => a.steps.flatMap((s) => s.events.map((e) => e.topic))))).toEqual(
      new Set(['payments', 'logins']),
    );
    await expectVerified(world);
  });

  it('finds the same where a stream is paused for a while, over a restart too', async () => {
    const world = await World.make();
    const rows = randomRows(5, 300);
    const read = (lane: ReturnType<typeof makeLane>) => new Set(lane.status().partitions.map(({ topic }) => topic));
    const first = world.lane();
    await first.start();
    await world.send(rows.slice(0, 100));
    await world.read(100);
    await first.pauseStreams(['logins']);
    await until(() => read(first).has('payments'), 'the payments to be read on');
    expect(read(first).has('logins')).toBe(false);
    await first.stop();
    const lane = world.lane(undefined, ['logins']);
    await lane.start();
    await world.send(rows.slice(100, 200));
    const payments = rows.slice(0, 200).filter(({ stream }) => stream === 'payments').length;
    await until(async () => {
      world.clock.advance(20);
      const committed = [...(await world.log.committed('g'))].filter(([name]) => /^payments-\d$/.test(name));
      return committed.reduce((sum, [, offset]) => sum + offset, 0) === payments;
    }, 'the payments to be committed');
    expect(read(lane).has('logins')).toBe(false);
    await lane.pauseStreams([]);
    await world.send(rows.slice(200));
    await world.read(300);
    await world.quiet([lane], Math.max(...rows.map(({ fields }) => Number(fields.at))) + 100);
    await lane.stop();
    expect(told(await world.alerts())).toEqual(expected(world.running.rules, rows));
    await expectVerified(world);
  });

  it('counts as it says from then on when a rule with features of another key is changed, over a restart too', async () => {
    const world = await World.make();
    const { sources, rules } = world.running;
    const rows = randomRows(7, 400);
    const before = sources.map((source) => ({
      ...source,
      text: source.text.replace('over: 60ms, key: device', 'over: 20ms, key: device'),
    }));
    expect(before.filter(({ text: of }, i) => of !== sources[i]!.text).length).toBe(1);
    const first = world.lane(before);
    await first.start();
    await world.send(rows.slice(0, 150));
    await world.read(150);
    await first.changeRules(sources);
    await world.send(rows.slice(150, 200));
    await world.read(200);
    await first.stop();
    const lane = world.lane();
    await lane.start();
    await world.send(rows.slice(200));
    await world.read(400);
    await world.quiet([lane], Math.max(...rows.map(({ fields }) => Number(fields.at))) + 100);
    await lane.stop();
    // Windows are up to 80 ms long, and an event comes every 4 ms: these see nothing of what was before the change.
    const isLater = (line: string): boolean => line.startsWith('busy-device') && Number(/ e(\d+)/.exec(line)![1]) > 220;
    const later = told(await world.alerts()).filter(isLater);
    expect(later.length).toBeGreaterThan(20);
    expect(later).toEqual(expected(rules, rows).filter(isLater));
    await expectVerified(world);
  });

  it('reads nothing while all streams are paused, and stops in good order', async () => {
    const world = await World.make();
    const lane = world.lane(world.running.sources.slice(0, 2), ['payments', 'logins']);
    await lane.start();
    await world.send(randomRows(6, 20));
    expect(lane.status()).toMatchObject({ phase: 'running', partitions: [] });
    await lane.pauseStreams(['logins']);
    await until(() => lane.status().partitions.length === 3, 'the payments to be read');
    await lane.pauseStreams(['payments', 'logins']);
    await until(() => lane.status().partitions.length === 0, 'nothing to be read');
    await lane.stop();
  });

  it('begins to join streams when such a rule is loaded while it runs', async () => {
    const world = await World.make();
    const { sources } = world.running;
    const rows = randomRows(4, 400);
    const lane = world.lane(sources.slice(0, 2));
    await lane.start();
    await world.send(rows.slice(0, 100));
    await world.read(100);
    await lane.changeRules(sources);
    await world.read(100);
    await world.send(rows.slice(100));
    await world.quiet([lane], Math.max(...rows.map(({ fields }) => Number(fields.at))) + 100);
    await lane.stop();
    expect(new Set((await world.alerts()).map(({ patternId }) => patternId))).toEqual(new Set(Object.keys(RULES)));
    await expectVerified(world);
  });
});

/** Replays each topic from its first record, and compares. */
async function expectVerified({ settings, streams, running, log }: World): Promise<void> {
  const sets = ruleSetsOf(running.sources, settings, streams, NO_LISTS);
  const topics = [
    { topic: 'payments', current: sets.source, stream: 'payments' },
    { topic: 'logins', current: sets.others.get('logins')!, stream: 'logins' },
    ...sets.routes.map(({ topic, ruleSet, streams: of }) => ({ topic: topic.name, current: ruleSet, stream: of![0]! })),
  ];
  for (const { topic, current, stream } of topics) {
    const own = new Set(current.rules.map(({ id }) => id));
    const result = await verify({
      ...{
        log,
        topic,
        from: -Infinity,
        to: Infinity,
        groupId: 'g',
        current,
        readRuleSet: ruleSetReader({
          ...{ streams, today: () => NO_LISTS, asOf: async () => NO_LISTS },
          current: () => [],
        }),
      },
      ...{
        journalTopic: settings.journal.topic,
        alertsTopic: 'alerts',
        alertDecoder: new AlertTopicCodec(null, 'alerts'),
      },
      stream: streams.find(({ definition }) => definition.name === stream)!.definition,
      streams: streams.map(({ definition }) => definition),
      owns: (rule) => own.has(rule),
      signal: new AbortController().signal,
      report: () => undefined,
      turn: async () => undefined,
    });
    expect([topic, result.equal, result.missing, result.unexpected]).toEqual([topic, true, [], []]);
    // Where features are counted for others, no rule runs.
    expect([topic, result.alertsReplayed > 0]).toEqual([topic, own.size > 0]);
  }
}
