import { and, begin, type Expr, eq, type Feature, feature, field, ge } from '../../../src/engine/index.js';
import type { Rule } from '../../../src/rules/rule.js';
import type { RuleSetVersion } from '../../../src/runtime/journal/rule-set-version.js';
import type { RecordDecoder } from '../../../src/runtime/ports/decoder.js';
import type { OutgoingRecord } from '../../../src/runtime/ports/log.js';
import { forwardedDecoder } from '../../../src/runtime/repartition/forwarded-decoder.js';
import type { Route } from '../../../src/runtime/repartition/route.js';
import type { StreamDefinition } from '../../../src/runtime/stream.js';
import { jsonDecoder, RULES, ruleOf, ruleSetOf, stream } from '../../harness/lane-kit.js';
import type { Chance } from './chance.js';
import { type MakeScene, RECORDS_MS, settingsOf } from './scene.js';
import type { Arrival } from './source.js';

/**
 * Payments (`rows`) and logins, each of one to three partitions, and rules that join them, or look at one by another key. Nothing in it depends on
 * the order in which partitions are read: no two events have one time, no partition is idle, and the last record of each is later than
 * all windows. So whatever happens, what is found is what a run finds that nothing happened to.
 */
export const twoStreams: MakeScene = (chance) => {
  const topics = [
    { name: 'rows', partitions: chance.between(1, 3) },
    { name: 'logins', partitions: chance.between(1, 3) },
  ];
  return {
    ...{ topics, routed: ROUTES.map(({ topic }) => topic.name) },
    arrivals: (more) => arrivals(topics, more.between(25, 70), more.fork()),
    versions: [
      {
        digest: ROWS.digest,
        rules: (decoder) => ({
          source: { ...ROWS, decoder },
          others: new Map([['logins', { ...LOGINS, decoder }]]),
          routes: ROUTES.map((route) => ({ ...route, ruleSet: forwarded(route.ruleSet, decoder) })),
        }),
      },
    ],
    others: (decoder) => [
      { definition: logins, topics: { names: ['logins'] }, source: null, ruleSet: { ...LOGINS, decoder } },
    ],
    versionOf: (digest, decoder) => {
      const local = [ROWS, LOGINS].find((version) => version.digest === digest);
      const routed = ROUTES.find(({ ruleSet }) => ruleSet.digest === digest)?.ruleSet;
      return local === undefined ? routed && forwarded(routed, decoder) : { ...local, decoder };
    },
    settings: { ...settingsOf(chance), idleAfterMs: 0 },
  };
};

const logins: StreamDefinition = { ...stream, name: 'logins', keyField: 'user', idleAfterMs: 0 };

const forwarded = (version: RuleSetVersion, decoder: RecordDecoder): RuleSetVersion => ({
  ...version,
  decoder: forwardedDecoder(() => decoder),
});

const of = (name: string): Expr => eq({ op: 'meta', name: 'stream' }, name);
const is = (type: string): Expr => eq(field('type'), type);

function joined(id: string, pattern: Rule['pattern']): Rule {
  const fields = ['account', 'at', 'id', 'type', 'user'];
  const keyBy = { form: 'by', streams: { rows: 'account', logins: 'user' } } as const;
  return ruleOf(id, pattern, { key: 'rows.account,logins.user', keyBy, streams: ['logins', 'rows'], fields });
}

const failed = and(of('logins'), is('a'));
const paid = and(of('rows'), is('a'));
const clock = { ...stream.clock, outOfOrdernessMs: 0, forwarded: true };

const ROWS = ruleSetOf([RULES[0]!]);
const LOGINS: RuleSetVersion = { ...ruleSetOf([twice('logins')]), streams: ['logins'] };

/** Two of one kind in a row, by what the stream is keyed by. */
function twice(name: 'logins'): Rule {
  const pattern = begin('one').where(is('b')).next('two').where(is('b')).within(90).build();
  return ruleOf(`twice-${name}`, pattern, { key: 'user', streams: [name], fields: ['at', 'id', 'type', 'user'] });
}

const BY_USER: Route = {
  field: 'rows.account,logins.user',
  keyBy: { form: 'by', streams: { rows: 'account', logins: 'user' } },
  streams: ['rows', 'logins'],
  topic: { name: 'g-by-user', partitions: 2 },
  ruleSet: {
    ...ruleSetOf(
      [
        joined('login-then-paid', begin('login').where(failed).followedBy('paid').where(paid).within(80).build()),
        joined('paid-at-once', begin('login').where(of('logins')).next('paid').where(of('rows')).within(60).build()),
        joined('not-paid', begin('login').where(failed).notFollowedBy('paid').where(of('rows')).within(30).build()),
        joined(
          'often',
          begin('paid')
            .where(and(paid, ge(feature({ fn: 'count', overMs: 90, where: of('logins') }), 2)))
            .build(),
        ),
      ],
      jsonDecoder,
      clock,
    ),
    streams: ['rows', 'logins'],
  },
};

const BY_DEVICE: Route = {
  field: 'device',
  streams: ['rows'],
  topic: { name: 'rows-by-device', partitions: 2 },
  ruleSet: ruleSetOf(
    [ruleOf('device-twice', begin('C').where(is('c')).times(2).within(80).build(), { key: 'device' })],
    jsonDecoder,
    clock,
  ),
};

/** Of the device, at a payment by the account. */
const SEEN: Feature = { fn: 'count', overMs: 120, where: of('logins'), of: 'device' };
const KIND_BEFORE: Feature = { fn: 'last', field: 'type', overMs: 200, lagMs: 1, of: 'device' };
const SEEN_ELSEWHERE = ruleOf(
  'seen-elsewhere',
  begin('paid')
    .where(and(is('a'), ge(feature(SEEN), 1)))
    .followedBy('again')
    .where(eq(feature(KIND_BEFORE), 'b'))
    .within(150)
    .build(),
  {
    streams: ['rows'],
    features: [
      { name: 'seen', feature: SEEN },
      { name: 'before', feature: KIND_BEFORE },
    ],
    otherKeys: [
      {
        ...{ key: 'device', keyBy: { form: 'one', field: 'device' }, streams: ['logins', 'rows'] },
        features: [SEEN, KIND_BEFORE],
      },
    ],
    fields: ['account', 'at', 'device', 'id', 'type'],
  },
);

const COUNTING: Route = {
  field: 'device',
  streams: ['rows', 'logins'],
  topic: { name: 'g-features-by-device', partitions: 2 },
  ruleSet: {
    ...ruleSetOf([], jsonDecoder, clock),
    ...{ digest: 'counting', body: new TextEncoder().encode('counting') },
    ...{ counts: { key: 'device', for: [SEEN_ELSEWHERE] }, streams: ['rows', 'logins'] },
  },
};

const BEHIND: Route = {
  field: 'account',
  streams: ['rows'],
  from: COUNTING.topic.name,
  topic: { name: 'g-features-by-device-by-account', partitions: 2 },
  ruleSet: { ...ruleSetOf([SEEN_ELSEWHERE], jsonDecoder, { ...clock, passedOn: true }), streams: ['rows'] },
};

const ROUTES: readonly Route[] = [BY_USER, BY_DEVICE, COUNTING, BEHIND];

const text = new TextEncoder();
const ACCOUNTS = ['X', 'Y', 'Z'];
const TYPES = ['a', 'b', 'c'];
const POISON_RATE = 0.03;
const LATE_RATE = 0.08;
const EVENT_EPOCH = 1000;
const DISORDER_MS = 14;
const LATE_MS_MAX = 120;
/** Later than all windows of what came before. */
const LAST_AT = EVENT_EPOCH + RECORDS_MS + 2000;

/** Records in order of arrival: disordered, late, poisoned; and in the end one in each partition that ends all that waits. */
function arrivals(
  topics: readonly { readonly name: string; readonly partitions: number }[],
  count: number,
  chance: Chance,
): Arrival[] {
  const times = new Set<number>();
  const stepMs = RECORDS_MS / count;
  let atMs = 0;
  const all = Array.from({ length: count }, (_, i): Arrival => {
    atMs = Math.floor(atMs + (chance.happens(0.3) ? 0 : chance.next() * 2.5 * stepMs));
    const earlier = chance.between(0, chance.happens(LATE_RATE) ? LATE_MS_MAX : DISORDER_MS);
    const { name, partitions } = chance.pick(topics);
    const at = unused(times, EVENT_EPOCH + atMs - earlier);
    return { atMs, record: recordOf({ i, name, at }, chance.between(0, partitions - 1), atMs, chance) };
  });
  const last = topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, p) => [name, p] as const),
  );
  const ends = last.map(([name, partition], i): Arrival => {
    const row = rowOf(name, { id: `end${i}`, at: unused(times, LAST_AT), type: 'z' }, '-');
    const value = text.encode(JSON.stringify(row));
    return { atMs: atMs + 1, record: { topic: name, partition, key: text.encode('-'), timestamp: atMs, value } };
  });
  return [...all, ...ends];
}

function unused(times: Set<number>, wanted: number): number {
  let at = wanted;
  while (times.has(at)) at++;
  times.add(at);
  return at;
}

const rowOf = (topic: string, row: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> => ({
  ...row,
  ...(topic === 'rows' ? { account: key } : { user: key }),
});

function recordOf(
  { i, name, at }: { readonly i: number; readonly name: string; readonly at: number },
  partition: number,
  atMs: number,
  chance: Chance,
): OutgoingRecord {
  const key = chance.pick(ACCOUNTS);
  const device = chance.happens(0.8) ? `d${chance.between(1, 3)}` : null;
  const row = rowOf(name, { id: `e${i}`, device, type: chance.pick(TYPES), at }, key);
  const value = chance.happens(POISON_RATE) ? '{oops' : JSON.stringify(row);
  return { topic: name, partition, key: text.encode(key), timestamp: atMs, value: text.encode(value) };
}
