/** What it takes to stop a lane, take a savepoint, put it back elsewhere and go on, all in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { begin, eq, feature, field, gt, type Pattern } from '../../src/engine/index.js';
import type { Rule } from '../../src/rules/rule.js';
import type { Lane } from '../../src/runtime/lane/lane.js';
import type { LaneOptions } from '../../src/runtime/lane/options.js';
import { MemoryLog } from '../../src/runtime/memory/memory-log.js';
import { MemoryStateStore } from '../../src/runtime/memory/memory-state-store.js';
import { partitionName, type TopicPartition } from '../../src/runtime/ports/log.js';
import type { StateStore } from '../../src/runtime/ports/state-store.js';
import type { RestorePlan } from '../../src/runtime/savepoint/plan.js';
import { restoreSavepoint } from '../../src/runtime/savepoint/restore.js';
import { type TakenSavepoint, type TakeOptions, takeSavepoint } from '../../src/runtime/savepoint/take.js';
import type { EventClockOptions } from '../../src/runtime/task/order/event-clock.js';
import { ManualClock } from '../../src/runtime/testing/manual-clock.js';
import {
  jsonDecoder,
  makeLane,
  type Row,
  RULES,
  readAlerts,
  ruleOf,
  ruleSetOf,
  showAlert,
  stream,
} from '../harness/lane-kit.js';
import { until } from '../harness/until.js';

export const RELEASE = '1.2.3-test';
const text = new TextEncoder();

const is = (type: string) => eq(field('type'), type);
const recentTotal = feature({ fn: 'sum', field: 'amount', overMs: 200 });
const recentCount = feature({ fn: 'count', overMs: 150, where: is('a') });

/** Each kind of state: runs, a loop, a timer, a shared graph, features. */
export const ALL_KINDS: readonly Rule[] = [
  ...RULES,
  ruleOf('graph', anyOf('b', 120)),
  ruleOf('busy', begin('D').where(is('d')).where(gt(recentTotal, 100)).within(10).build(), {
    fields: ['account', 'amount', 'at', 'id', 'type'],
  }),
  ruleOf(
    'many-a',
    begin('A').where(is('a')).where(gt(recentCount, 3)).followedBy('C').where(is('c')).within(90).build(),
  ),
];

function anyOf(type: string, within: number): Pattern {
  return begin('A')
    .where(is('a'))
    .followedByAny('B')
    .where(is(type))
    .oneOrMore()
    .allowCombinations()
    .followedBy('D')
    .where(is('d'))
    .within(within)
    .build();
}

/** `Xa105` or `Xa105*30`: an event of account X, of type a, at 105 ms, with an amount. Words stand in order of arrival. */
export function rowsOf(words: string): Row[] {
  return words
    .trim()
    .split(/\s+/)
    .map((id) => {
      const found = /^([A-Z]+)([a-z])(\d+)(?:\*(\d+))?$/.exec(id);
      if (found === null) throw new Error(`no row: ${id}`);
      const [, account, type, at, amount] = found;
      return { id, account: account!, type: type!, at: Number(at), amount: Number(amount ?? 0) };
    });
}

export interface WorldOptions {
  readonly topic?: string;
  readonly rules?: readonly Rule[];
  readonly clock?: EventClockOptions;
}

/** A log, a state store and a group. */
export class World {
  readonly clock = new ManualClock();
  readonly log = new MemoryLog({ clock: this.clock });
  store: StateStore = new MemoryStateStore();

  private constructor(
    readonly topic: string,
    readonly partitions: number,
    readonly rules: readonly Rule[],
    readonly eventTime: EventClockOptions,
  ) {}

  static async of(
    partitions: number,
    { topic = 'rows', rules = ALL_KINDS, clock = stream.clock }: WorldOptions = {},
  ): Promise<World> {
    const world = new World(topic, partitions, rules, clock);
    await world.log.createTopic({ name: topic, partitions });
    return world;
  }

  get all(): TopicPartition[] {
    return Array.from({ length: this.partitions }, (_, partition) => ({ topic: this.topic, partition }));
  }

  async send(rows: readonly Row[]): Promise<void> {
    const producer = await this.log.producer();
    for (const r of rows) {
      const value = text.encode(JSON.stringify(r));
      await producer.send([{ topic: this.topic, key: text.encode(r.account), value, timestamp: r.at }]);
    }
    await producer.close();
  }

  lane(more: Partial<LaneOptions> = {}): Lane {
    const { log, store, clock, rules } = this;
    const group = { groupId: 'g', topics: { names: [this.topic] }, start: { at: 'earliest' } } as const;
    return makeLane({ log, store, clock }, { group, ruleSet: ruleSetOf(rules, jsonDecoder, this.eventTime), ...more });
  }

  /** Waits until a lane has processed all there is. */
  async caughtUp(lane: Lane): Promise<void> {
    const ends = await Promise.all(this.all.map((p) => this.log.offsets(p)));
    await until(() => {
      const found = lane.status().partitions;
      return (
        found.length === this.partitions &&
        found.every((p) => p.phase === 'live' && p.position === ends[p.partition]!.end)
      );
    }, 'all to be processed');
  }

  /** Runs a lane over all there is, and stops it in good order. */
  async run(rows: readonly Row[] = [], more: Partial<LaneOptions> = {}): Promise<void> {
    await this.send(rows);
    const lane = this.lane(more);
    await lane.start();
    await this.caughtUp(lane);
    await lane.stop();
  }

  async take(more: Partial<TakeOptions> = {}): Promise<TakenSavepoint> {
    return takeSavepoint(join(scratch(), 'a.savepoint'), {
      log: this.log,
      partitions: this.all,
      stateOf: (partition) => this.store.partition(partition),
      committed: await this.log.committed('g'),
      group: 'g',
      stream: { name: 'rows', keyField: 'account' },
      journalTopic: 'journal',
      ruleSets: [],
      release: RELEASE,
      nowMs: 0,
      signal: new AbortController().signal,
      ...more,
    });
  }

  restore(plan: RestorePlan): Promise<void> {
    const { log, store, clock } = this;
    return restoreSavepoint(plan, {
      ...{ log, store, clock, group: 'g', journal: { name: 'journal', partitions: 1 }, waitMs: 1000 },
      signal: new AbortController().signal,
    });
  }

  async alerts(): Promise<string[]> {
    return (await readAlerts(this.log)).map(showAlert);
  }

  async offsets(): Promise<Record<string, number>> {
    return Object.fromEntries(await this.log.committed('g'));
  }

  get names(): string[] {
    return this.all.map(partitionName);
  }
}

const folders: string[] = [];

/** A folder that is gone when the tests of the file are over. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-savepoint-'));
  folders.push(folder);
  return folder;
}

// The fixture is made without Jest.
if (typeof afterAll === 'function') {
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
}
