import { begin, eq, field, type Pattern } from '../../src/engine/index.js';
import type { Rule } from '../../src/rules/rule.js';
import {
  digestWithLists,
  type ReadRuleSet,
  type RuleSetVersion,
  ruleSetDigest,
} from '../../src/runtime/journal/rule-set-version.js';
import { Lane } from '../../src/runtime/lane/lane.js';
import type { LaneOptions } from '../../src/runtime/lane/options.js';
import { listOf } from '../../src/runtime/lists/read-list.js';
import { listData, ReferenceLists } from '../../src/runtime/lists/reference-lists.js';
import { MemoryLog } from '../../src/runtime/memory/memory-log.js';
import { MemoryStateStore } from '../../src/runtime/memory/memory-state-store.js';
import type { Alert } from '../../src/runtime/ports/alert.js';
import { type DecodedRecord, DecodeFailure, type RecordDecoder } from '../../src/runtime/ports/decoder.js';
import type { Log, LogRecord, OutgoingRecord } from '../../src/runtime/ports/log.js';
import type { StateStore } from '../../src/runtime/ports/state-store.js';
import type { StreamDefinition } from '../../src/runtime/stream.js';
import { ManualClock } from '../../src/runtime/testing/manual-clock.js';
import { until } from './until.js';

/** What it takes to run a lane in a test: JSON records, a rule or two, and the alerts read back. */
const text = new TextEncoder();
const utf8 = new TextDecoder();

export interface Row {
  readonly id: string;
  readonly account: string;
  readonly type: string;
  readonly at: number;
  readonly [field: string]: unknown;
}

export const jsonDecoder: RecordDecoder = {
  prepare: () => undefined,
  decode(record: LogRecord): DecodedRecord | DecodeFailure {
    try {
      return { fields: JSON.parse(utf8.decode(record.value!)) as Record<string, unknown>, recordName: 'Row' };
    } catch (error) {
      return new DecodeFailure('malformed', (error as Error).message);
    }
  },
  decodeWhole: (raw) => JSON.parse(utf8.decode(raw)) as Record<string, unknown>,
};

export const stream: StreamDefinition = {
  name: 'rows',
  keyField: 'account',
  timeField: 'at',
  idField: 'id',
  kindField: 'type',
  kindParents: new Map(),
  clock: { mode: 'event-time', outOfOrdernessMs: 10 },
  idleAfterMs: 1000,
};

export function ruleOf(id: string, pattern: Pattern, more: Partial<Rule> = {}): Rule {
  return {
    id,
    title: id,
    status: 'live',
    key: 'account',
    keyBy: { form: 'one', field: more.key ?? 'account' },
    streams: [],
    pattern,
    alert: { severity: 'high', score: 50, message: [{ kind: 'text', text: id }] },
    tags: [],
    revision: `${id}-1`,
    source: id,
    fields: ['account', 'at', 'id', 'type'],
    ...more,
  };
}

const is = (type: string) => eq(field('type'), type);

export const RULES: readonly Rule[] = [
  ruleOf('a-then-b', begin('A').where(is('a')).followedBy('B').where(is('b')).within(100).build()),
  ruleOf('three-a', begin('A').where(is('a')).times(3).within(60).skip({ strategy: 'pastLastEvent' }).build()),
  ruleOf('a-without-c', begin('A').where(is('a')).notFollowedBy('C').where(is('c')).within(40).build()),
];

export const row = (topic: string, r: Row): OutgoingRecord => ({
  topic,
  partition: 0,
  key: text.encode(r.account),
  value: text.encode(JSON.stringify(r)),
  timestamp: 0,
});

/** `Xa100 Yb101`: account X, type a, at 100, and so on; each text is its row's id. */
export const rowsOf = (texts: string): readonly OutgoingRecord[] =>
  texts.split(/\s+/).map((text) => {
    const [, account, type, at] = /^([A-Z])([a-z])(\d+)$/.exec(text)!;
    return row('rows', { id: text, account: account!, type: type!, at: Number(at) });
  });

const versions = new Map<string, RuleSetVersion>();

/** A rule set whose body is its name. */
export function ruleSetOf(
  rules: readonly Rule[],
  decoder: RecordDecoder = jsonDecoder,
  clock = stream.clock,
): RuleSetVersion {
  const digest = ruleSetDigest(rules, {}, clock);
  const version = { digest, rules, decoder, clock, options: {}, body: text.encode(digest) };
  versions.set(digest, version);
  return version;
}

/** The same rules, asking a list that holds these entries. */
export function listing(version: RuleSetVersion, list: string, entries: readonly string[]): RuleSetVersion {
  const lists = new ReferenceLists({ [list]: listData('set', listOf(entries)) });
  const apart = version.apart ?? { digest: version.digest, body: version.body };
  const digest = digestWithLists(apart.digest, lists.digests([list]));
  const listed = { ...version, digest, apart, body: text.encode(digest), options: { ...version.options, lists } };
  versions.set(digest, listed);
  return listed;
}

export const readRuleSet: ReadRuleSet = async (body) => {
  const version = versions.get(utf8.decode(body));
  if (version === undefined) throw new Error('no such rule set');
  return version;
};

export interface LaneKit {
  readonly log: Log;
  readonly store: StateStore;
  readonly clock: ManualClock;
}

export type MemoryKit = LaneKit & { readonly log: MemoryLog };

/** All of it in memory, with the topic of the rows. */
export async function memoryKit(partitions = 1): Promise<MemoryKit> {
  const clock = new ManualClock();
  const log = new MemoryLog({ clock });
  await log.createTopic({ name: 'rows', partitions });
  return { log, store: new MemoryStateStore(), clock };
}

/** Has time go on until the first partition is committed to its end. */
export async function allCommitted({ log, clock }: LaneKit): Promise<void> {
  const { end } = await log.offsets({ topic: 'rows', partition: 0 });
  await until(async () => {
    clock.advance(100);
    return (await log.committed('g')).get('rows-0') === end;
  }, 'all committed');
}

export function makeLane(kit: LaneKit, more: Partial<LaneOptions> = {}): Lane {
  return new Lane({
    ...kit,
    stream,
    group: { groupId: 'g', topics: { names: ['rows'] }, start: { at: 'earliest' } },
    ruleSet: ruleSetOf(RULES),
    readRuleSet,
    routes: [],
    encoder: { encode: (alert) => text.encode(JSON.stringify(alert)) },
    source: null,
    alerts: { name: 'alerts', partitions: 1 },
    deadLetters: { name: 'dead-letters', partitions: 1 },
    late: { name: 'late', partitions: 1 },
    journal: { name: 'journal', partitions: 1 },
    delivery: 'exactly-once',
    commitIntervalMs: 100,
    commitRecords: 1000,
    snapshotIntervalMs: 500,
    stopwatch: () => kit.clock.now() / 1000,
    turn: async () => undefined,
    listener: {},
    report: () => undefined,
    ...more,
  });
}

export async function readAll(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const { begin: from } = await log.offsets({ topic, partition: 0 });
  for await (const batch of log.read({ topic, partition: 0 }, from)) records.push(...batch.records);
  return records;
}

export const readAlerts = async (log: Log): Promise<Alert[]> =>
  (await readAll(log, 'alerts')).map((r) => JSON.parse(utf8.decode(r.value!)) as Alert);

export const showAlert = (alert: Alert): string =>
  `${alert.patternId} ${alert.key} ${alert.steps.map((s) => s.events.map((e) => e.id).join(',')).join(' ')}`;
