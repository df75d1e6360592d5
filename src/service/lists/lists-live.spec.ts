import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/harness/until.js';
import { verify } from '../../backtest/verify/verify.js';
import { loadLists } from '../../runtime/lists/load-lists.js';
import { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import { MemoryLog } from '../../runtime/memory/memory-log.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import type { Alert } from '../../runtime/ports/alert.js';
import { loadSettings, type Settings } from '../../runtime/settings/index.js';
import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { AlertTopicCodec } from '../compose/alert-topic-codec.js';
import { listBook } from '../compose/lists/list-book.js';
import { listControl } from '../compose/lists/list-control.js';
import { ruleSetReader, ruleSetsOf } from '../compose/rules/rule-set.js';
import { makeStreams } from '../compose/streams/stream-parts.js';
import { makeLane } from '../lanes/make-lane.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-lists-live-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONFIG = `
patterns: rules
kafka: {groupId: g}
streams:
  rows: {topic: rows, partitions: 2, format: ndjson, key: account, time: at, id: id, mode: arrival}
lists: {blocked: {kind: set}, limit: {kind: map}}
commit: {interval: 100ms}
snapshot: {interval: 500ms}
`;
const RULES = [
  {
    file: 'blocked/pattern.yaml',
    text: `id: blocked\nkey: account\npattern: [{begin: p, where: account in list('blocked')}]\n`,
  },
  {
    file: 'over/pattern.yaml',
    text: `id: over\nkey: account\nfeatures: [{name: before, count: true, over: 1h, where: "account in list('blocked')"}]\npattern: [{begin: p, where: "amount > listNumber('limit', account) && before < 3"}]\n`,
  },
];

class World {
  readonly log = new MemoryLog();
  readonly clock = new ManualClock(1_000_000);
  store = new MemoryStateStore();
  private sent = 0;

  private constructor(
    readonly settings: Settings,
    readonly streams: ReturnType<typeof makeStreams>,
  ) {}

  static make(): World {
    const config = join(folder, 'stakeout.yaml');
    writeFileSync(config, CONFIG);
    const loaded = loadSettings({ file: config, env: {} });
    if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
    const silent = { onTrouble: () => undefined, onRecovered: () => undefined };
    const { settings } = loaded;
    return new World(settings, makeStreams({ settings, clock: new ManualClock(), ...silent }));
  }

  /** A process: its lists, and one lane. */
  async process() {
    const { settings, clock, log, store } = this;
    const said = { report: () => undefined, warn: () => undefined };
    const declared = await loadLists(settings.lists);
    const lists = listControl({ settings, log, clock, declared, rules: () => [], ...said });
    await lists.open();
    const { data } = lists.lists;
    const lane = makeLane({
      ...{ settings, number: 0, sources: RULES, clock, log, store, listener: {}, lists: data },
      ...said,
    });
    lists.attach(lane);
    await lane.start();
    return { lists, lane, stop: async () => [await lane.stop(), await lists.stop()] };
  }

  async send(account: string, amount: number, times = 1): Promise<void> {
    const producer = await this.log.producer();
    for (let n = 0; n < times; n++) {
      const id = `e${this.sent++}`;
      const value = new TextEncoder().encode(JSON.stringify({ id, account, amount, at: 1_000_000 + this.sent }));
      await producer.send([
        { topic: 'rows', partition: account.charCodeAt(0) % 2, key: new TextEncoder().encode(account), value },
      ]);
    }
    await until(async () => {
      this.clock.advance(100);
      const committed = await this.log.committed('g');
      return (committed.get('rows-0') ?? 0) + (committed.get('rows-1') ?? 0) === this.sent;
    }, 'the rows to be committed');
  }

  async alerts(): Promise<readonly string[]> {
    const codec = new AlertTopicCodec(null, 'alerts');
    const found: string[] = [];
    for (let partition = 0; partition < this.settings.alerts.partitions; partition++) {
      for await (const { records } of this.log.read({ topic: 'alerts', partition }, 0)) {
        const alerts = records.flatMap(({ value }) => (value === null ? [] : (codec.decode(value) as Alert)));
        found.push(...alerts.map(({ patternId, steps }) => `${patternId} ${steps[0]!.events[0]!.id}`));
      }
    }
    return found.sort();
  }

  async verified() {
    const { settings, streams, log, clock } = this;
    const book = listBook(settings, log, clock);
    await book.open();
    const today = new ReferenceLists(await book.all());
    const current = ruleSetsOf(RULES, settings, streams, today).source;
    const warnings: string[] = [];
    const result = await verify({
      ...{ log, topic: 'rows', from: -Infinity, to: Infinity, groupId: 'g', current },
      readRuleSet: ruleSetReader({
        ...{ streams, today: () => today, current: () => [current] },
        asOf: (digests, of) => book.asOf(digests, of),
      }),
      ...{
        journalTopic: settings.journal.topic,
        alertsTopic: 'alerts',
        alertDecoder: new AlertTopicCodec(null, 'alerts'),
      },
      ...{ stream: streams[0].definition, signal: new AbortController().signal, turn: async () => undefined },
      report: (text) => warnings.push(text),
    });
    await book.stop();
    return { ...result, warnings: warnings.filter((text) => text.includes('cannot be used')) };
  }
}

const by = { author: 'ann', message: '' };
const entry = (key: string, value = '') => ({ put: [[key, value] as const], remove: [] });

describe('a list that changes under a lane', () => {
  it('takes effect at once, at a place that the journal names: a replay finds the same', async () => {
    const world = World.make();
    const one = await world.process();
    await world.send('A', 5);
    await one.lists.change('blocked', entry('A'), undefined, by);
    await world.send('A', 5);
    await one.lists.change('limit', entry('A', '4'), undefined, by);
    await world.send('A', 5);
    await one.lists.change('blocked', { put: [], remove: ['A'] }, undefined, by);
    await world.send('A', 5);
    // An alert of the very last time may not be all yet.
    await world.send('A', 0);
    expect(await world.alerts()).toEqual(['blocked e1', 'blocked e2', 'over e2', 'over e3']);
    expect(await world.verified()).toMatchObject({ equal: true, alertsLive: 4, warnings: [] });
    await one.stop();
  });

  it('is asked as it was by a process that starts again, and has its state or not', async () => {
    const world = World.make();
    for (let round = 0; round < 6; round++) {
      const one = await world.process();
      await world.send('A', 5, 2);
      await one.lists.change('blocked', round % 2 === 0 ? entry('A') : { put: [], remove: ['A'] }, undefined, by);
      await world.send('B', 5, 2);
      await one.lists.change('limit', entry('B', String(round)), undefined, by);
      await world.send('A', 5, 3);
      await one.stop();
      // Changed while nothing runs that detects.
      const lists = listBook(world.settings, world.log, world.clock);
      await lists.open();
      await lists.change('blocked', entry(`X${round}`), lists.current('blocked')!.digest, by);
      await lists.stop();
      if (round % 3 === 1) world.store = new MemoryStateStore();
    }
    const { equal, alertsLive, repeats, warnings } = await world.verified();
    expect({ equal, repeats, warnings }).toEqual({ equal: true, repeats: 0, warnings: [] });
    expect(alertsLive).toBeGreaterThan(10);
  });
});
