import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/harness/until.js';
import { verify } from '../../backtest/verify/verify.js';
import { ParsedRules, type RuleText, readRules } from '../../rules/index.js';
import { versionsOf } from '../../runtime/lane/prepare-rules.js';
import { NO_LISTS } from '../../runtime/lists/reference-lists.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { loadSettings, type Settings } from '../../runtime/settings/index.js';
import { SourceBook } from '../../runtime/sources/source-book.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { AlertTopicCodec } from '../compose/alert-topic-codec.js';
import { ruleSetReader, ruleSetsOf } from '../compose/rules/rule-set.js';
import { makeStreams } from '../compose/streams/stream-parts.js';
import { ChangingDetector } from '../lanes/changing-detector.js';
import { makeLane } from '../lanes/make-lane.js';
import { RuleControl } from '../rules/rule-control.js';
import { settingsNow } from './settings-now.js';
import { SourceControl } from './source-control.js';
import { streamsAsTheyWere } from './streams-before.js';
import { StreamsNow } from './streams-now.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schema = (...fields: readonly [string, string][]) => ({
  type: 'record',
  name: 'Row',
  fields: fields.map(([name, type]) => ({ name, type: name === 'id' ? type : ['null', type] })),
});
const ROWS = schema(
  ['id', 'string'],
  ['account', 'string'],
  ['other', 'string'],
  ['at', 'long'],
  ['sent', 'long'],
  ['amount', 'double'],
);
writeFileSync(join(folder, 'rows.avsc'), JSON.stringify(ROWS));
writeFileSync(
  join(folder, 'stakeout.yaml'),
  `
patterns: rules
kafka: {groupId: g}
data: {directory: ${folder}}
streams:
  rows: {topic: rows, partitions: 2, format: ndjson, schema: rows.avsc, key: account, time: at, id: id, outOfOrderness: 0}
commit: {interval: 100ms}
snapshot: {interval: 500ms}
`,
);
/** Two payments of an account within ten seconds. */
const TWICE: RuleText = {
  file: 'twice/pattern.yaml',
  text: `id: twice\nkey: account\nwithin: 10s\npattern:\n  - begin: a\n    where: amount > 0.0\n  - next: b\n    where: amount > 0.0\n`,
};
const DEFINITION = {
  ...{ topic: 'rows', partitions: 2, format: 'ndjson', schema: ROWS, key: 'account', id: 'id', outOfOrderness: 0 },
};
const by = { author: 'ann', message: 'a better clock' };

interface Row {
  readonly account?: string;
  readonly other?: string;
  readonly at?: number;
  readonly sent?: number;
}

class World {
  readonly log = new MemoryLog();
  readonly clock = new ManualClock(1_000_000);
  store = new MemoryStateStore();
  readonly lines: string[] = [];
  private readonly settings: Settings;
  private readonly sent = new Map<string, number>();

  constructor(readonly rules: readonly RuleText[] = [TWICE]) {
    const loaded = loadSettings({ file: join(folder, 'stakeout.yaml'), env: {} });
    if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
    this.settings = loaded.settings;
  }

  /** A process with one lane. */
  async process() {
    const { settings, log, clock, store } = this;
    const report = (text: string): void => void this.lines.push(text);
    const warn = (text: string, trouble: Error): void => void this.lines.push(`${text}: ${trouble.message}`);
    const streams = new StreamsNow(settings);
    const known = new Map();
    const against = () => ({ lists: known, streams: streams.ruleStreams, known: new ParsedRules() });
    const { rules: all } = await readRules(this.rules, against());
    const initial = { all, files: this.rules, rules: all, sources: this.rules, diagnostics: [] };
    const rules: RuleControl = new RuleControl({
      beforeRead: () => sources.catchUp(),
      ...{ log, clock, topic: settings.rules.topic, approval: false, initial, report, warn },
      read: (files) => readRules(files, against()),
      readWith: (files, others) => readRules(files, { lists: known, streams: others }),
    });
    const sources: SourceControl = new SourceControl({
      ...{ settings, clock, streams, rules, report, warn },
      tableSchema: async () => ROWS,
      book: (on) => new SourceBook({ log, clock, topic: settings.sources.topic, ...on }),
    });
    await sources.open();
    await rules.open();
    await rules.readAgain();
    const parts = { number: 0, clock, log, store, lists: {}, report, warn };
    const detector = new ChangingDetector(
      streams.settings,
      (now, listener) => makeLane({ ...parts, settings: now, sources: rules.sources, listener }),
      {},
    );
    rules.attach(detector);
    sources.attach(detector);
    await detector.start();
    const stop = async () => [await detector.stop(), await sources.stop(), await rules.stop()];
    return { sources, rules, detector, streams, stop };
  }

  async send(topic: string, ...rows: readonly Row[]): Promise<void> {
    const producer = await this.log.producer();
    for (const row of rows) {
      const n = this.sent.get(topic) ?? 0;
      this.sent.set(topic, n + 1);
      const value = new TextEncoder().encode(JSON.stringify({ id: `${topic}${n}`, amount: 1, ...row }));
      const key = row.account ?? '';
      await producer.send([{ topic, partition: key.charCodeAt(0) % 2, key: new TextEncoder().encode(key), value }]);
    }
    await producer.close();
    await this.committed(topic);
  }

  async until(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
    await until(() => {
      this.clock.advance(100);
      return is();
    }, what);
  }

  /** Waits until all that was sent is committed, and the clock of idle partitions was moved on. */
  async committed(topic: string): Promise<void> {
    await this.until(async () => {
      const committed = await this.log.committed('g');
      return (committed.get(`${topic}-0`) ?? 0) + (committed.get(`${topic}-1`) ?? 0) === this.sent.get(topic);
    }, `all of ${topic} to be committed`);
  }

  async alerts(): Promise<readonly string[]> {
    const codec = new AlertTopicCodec(null, 'alerts');
    const found: string[] = [];
    for (let partition = 0; partition < this.settings.alerts.partitions; partition++)
      for await (const { records } of this.log.read({ topic: 'alerts', partition }, 0))
        for (const { value } of records) {
          const { patternId, steps } = codec.decode(value!) as Alert;
          found.push([patternId, ...steps.flatMap(({ events }) => events.map(({ id }) => id))].join(' '));
        }
    return found.sort();
  }

  /** Whether a replay of a topic from its begin finds what was found live. */
  async verified(topic = 'rows') {
    const { log, clock } = this;
    const settings = await settingsNow(this.settings, log);
    const context = { settings, clock, onTrouble: () => undefined, onRecovered: () => undefined };
    const streams = makeStreams(context);
    const sets = ruleSetsOf(this.rules, settings, streams, NO_LISTS);
    const warnings: string[] = [];
    const current = sets.routes.find((route) => route.topic.name === topic)?.ruleSet ?? sets.source;
    const result = await verify({
      ...{ log, topic, from: -Infinity, to: Infinity, groupId: 'g', current },
      readRuleSet: ruleSetReader({
        ...{ streams, today: () => NO_LISTS, current: () => versionsOf(sets), asOf: async () => NO_LISTS },
        ...streamsAsTheyWere(context),
      }),
      ...{ journalTopic: settings.journal.topic, alertsTopic: 'alerts' },
      alertDecoder: new AlertTopicCodec(null, 'alerts'),
      ...{ stream: streams[0].definition, streams: streams.map(({ definition }) => definition) },
      ...{ signal: new AbortController().signal, turn: async () => undefined },
      report: (text) => warnings.push(text),
    });
    return { ...result, warnings: warnings.filter((text) => text.includes('cannot be used')) };
  }
}

const put = (world: Awaited<ReturnType<World['process']>>, name: string, more: object) =>
  world.sources.put('stream', name, { ...DEFINITION, ...more }, undefined, by);

describe('a stream that is changed while the service runs', () => {
  it('means something else from a place on that the journal names: nothing is lost or found twice, and a replay finds the same', async () => {
    const world = new World();
    const one = await world.process();
    await world.send('rows', { account: 'A', at: 1000, sent: 900_000 }, { account: 'A', at: 2000, sent: 960_000 });
    const state = await put(one, 'rows', { time: 'sent' });
    expect(state).toMatchObject({ origin: 'registered', usedBy: ['twice'], changed: by });
    // By `at` these were near each other; by `sent` they are not, but for the last two.
    await world.send('rows', { account: 'A', at: 3000, sent: 1_000_000 }, { account: 'A', at: 4000, sent: 1_060_000 });
    await world.send('rows', { account: 'A', at: 9_000_000, sent: 1_061_000 }, { account: 'A', sent: 2_000_000 });
    expect(await world.alerts()).toEqual(['twice rows0 rows1', 'twice rows3 rows4']);
    expect(await world.verified()).toMatchObject({ equal: true, alertsLive: 2, repeats: 0, warnings: [] });
    await one.stop();
    // One that starts with no state at all replays it as it was, and goes on as it is.
    world.store = new MemoryStateStore();
    const other = await world.process();
    await world.send('rows', { account: 'A', sent: 2_001_000 }, { account: 'A', sent: 3_000_000 });
    expect(await world.alerts()).toEqual(['twice rows0 rows1', 'twice rows3 rows4', 'twice rows5 rows6']);
    expect(await world.verified()).toMatchObject({ equal: true, alertsLive: 3, repeats: 0, warnings: [] });
    await other.stop();
  });

  it('is changed in all processes, and by a rule set that reads a new one', async () => {
    const world = new World();
    const [one, other] = [await world.process(), await world.process()];
    // With two streams, a rule has to say which.
    const twice = { ...TWICE, text: `${TWICE.text}from: rows\n` };
    await one.rules.apply([twice], by);
    await one.sources.put('stream', 'logins', { ...DEFINITION, topic: 'logins', time: 'at' }, null, by);
    await world.until(() => other.streams.names.includes('logins'), 'the other process to follow');
    const both: RuleText = {
      file: 'both/pattern.yaml',
      text: `id: both\nkey: account\nfrom: [rows, logins]\nwithin: 1h\npattern:\n  - begin: l\n    from: logins\n    where: amount > 0.0\n  - followedBy: p\n    from: rows\n    where: amount > 5.0\n`,
    };
    await one.rules.apply([twice, both], by);
    await world.until(() => other.rules.rules.length === 2, 'the other process to take the rules');
    await other.stop();
    await world.send('logins', { account: 'A', at: 1000 }, { account: 'B', at: 1000 });
    await world.send('rows', { account: 'A', at: 2000, amount: 9 } as Row, { account: 'B', at: 2000 });
    await world.send('logins', { account: 'A', at: 9000 }, { account: 'B', at: 9000 });
    await world.send('rows', { account: 'A', at: 90_000 }, { account: 'B', at: 90_000 });
    await world.until(async () => (await world.alerts()).includes('both logins0 rows0'), 'the joined alert');
    await expect(one.sources.remove('stream', 'logins', undefined, by)).rejects.toMatchObject({
      code: 'SOURCE_IN_USE',
      message: 'logins cannot be taken away: both would not hold any more. Change these rules first.',
      rules: expect.arrayContaining([{ rule: 'both', why: 'it reads this stream' }]),
    });
    await one.rules.apply([twice], by);
    await one.sources.remove('stream', 'logins', undefined, by);
    expect([one.streams.names, one.sources.get('stream', 'logins')]).toEqual([['rows'], null]);
    await world.send('rows', { account: 'A', at: 91_000 });
    expect(await one.sources.audit()).toMatchObject({ damage: null, entries: 2 });
    await one.stop();
  });

  it.each([
    [
      'a field of another type',
      { schema: schema(['id', 'string'], ['account', 'string'], ['amount', 'string']) },
      'would be string',
    ],
    ['a field that is gone', { schema: schema(['id', 'string'], ['account', 'string']) }, 'is not there any more'],
  ])('is refused with %s that a rule reads', async (_, more, why) => {
    const one = await new World().process();
    const refused = put(one, 'rows', more);
    await expect(refused).rejects.toMatchObject({
      code: 'SOURCE_IN_USE',
      rules: expect.arrayContaining([{ rule: 'twice', why: expect.stringContaining(why) }]),
    });
    expect(one.sources.history).toEqual([]);
    await one.stop();
  });

  it('is refused where it does not hold by itself, where it is another by then, and where it is the first one', async () => {
    const one = await new World().process();
    await expect(put(one, 'rows', { outOfOrderness: 'soon' })).rejects.toMatchObject({ code: 'SOURCE_SETTINGS' });
    await expect(put(one, 'rows', { time: 'sent', colour: 1 })).rejects.toThrow('colour');
    await expect(one.sources.put('stream', 'rows', DEFINITION, null, by)).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
    });
    await expect(one.sources.put('stream', 'rows', DEFINITION, 'x', by)).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
    });
    await expect(one.sources.remove('stream', 'rows', undefined, by)).rejects.toMatchObject({ code: 'SOURCE_IN_USE' });
    await expect(one.sources.remove('sink', 'none', undefined, by)).rejects.toMatchObject({ code: 'SOURCE_UNKNOWN' });
    expect(one.sources.history).toEqual([]);
    await one.stop();
  });
});
