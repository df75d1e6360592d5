import {
  begin,
  eq,
  feature,
  field,
  ge,
  hopping,
  inList,
  type NamedFeature,
  session,
} from '../../../src/engine/index.js';
import type { Rule } from '../../../src/rules/rule.js';
import type { RuleSetVersion } from '../../../src/runtime/journal/rule-set-version.js';
import { jsonDecoder, listing, RULES, ruleOf, ruleSetOf, stream } from '../../harness/lane-kit.js';

const is = (type: string) => eq(field('type'), type);

const sameDevice = ruleOf('two-c', begin('C').where(is('c')).times(2).within(80).build(), { key: 'device' });
/** Over the same events, with texts, and as of before: told of each match, and its score. */
const features: readonly NamedFeature[] = [
  { name: 'kinds', feature: { fn: 'distinct', field: 'type', overMs: 60 } },
  { name: 'before', feature: { fn: 'last', field: 'type', overMs: 200, lagMs: 10 } },
  { name: 'pause', feature: { fn: 'since', overMs: 50 } },
];
const busy = ruleOf(
  'busy',
  begin('D')
    .where(is('d'))
    .where(ge(feature({ fn: 'count', overMs: 90 }), 4))
    .build(),
  {
    features,
    values: features.map((named) => feature(named.feature)),
    alert: { severity: 'high', score: { value: 2 }, message: features.map((_, index) => ({ kind: 'value', index })) },
  },
);
/** They emit when windows end, by timers alone. */
const windows: readonly Rule[] = [
  ruleOf(
    'hops',
    hopping(60, 20)
      .where(is('d'))
      .aggregate('n', { fn: 'count' })
      .aggregate('types', { fn: 'distinct', field: 'type' })
      .having(ge(field('n'), 2))
      .build(),
  ),
  ruleOf('session', session(15).aggregate('last', { fn: 'last', field: 'type' }).showing(2).build(), { key: 'device' }),
];
/** It is stopped once a key has three runs of it. */
const stops = ruleOf('stops', begin('A').where(is('a')).followedByAny('B').where(is('b')).within(120).build(), {
  limits: { runsMax: 2, overflow: 'quarantine' },
});
/** The same steps in the same way, so that runs under way go on; of another shape, so that they do not. */
const patient: Rule = {
  ...RULES[0]!,
  ...{ revision: 'a-then-b-3', pattern: begin('A').where(is('a')).followedBy('B').where(is('b')).within(150).build() },
};
const twoA: Rule = {
  ...RULES[1]!,
  revision: 'three-a-2',
  pattern: begin('A').where(is('a')).times(2).within(60).build(),
};
const changed: Rule = { ...RULES[0]!, revision: 'a-then-b-2' };

const clock = (outOfOrdernessMs: number) => ({ ...stream.clock, outOfOrdernessMs });

const isWatched = inList(field('type'), 'watched');
const seen = feature({ fn: 'count', overMs: 120, where: isWatched });
const watched = ruleOf('watched', begin('W').where(isWatched).followedBy('V').where(ge(seen, 2)).within(70).build());
const asking = ruleSetOf([RULES[0]!, { ...watched, lists: ['watched'] }, sameDevice]);

/** Rule sets that processes of one group run, one after the other or side by side while they are rolled out. */
export const VERSIONS: readonly RuleSetVersion[] = [
  ruleSetOf([...RULES, sameDevice, ...windows, stops]),
  // A rule fewer, one changed, one added, in another order, and more patience.
  ruleSetOf([busy, changed, RULES[2]!], jsonDecoder, clock(30)),
  // Another set of key fields.
  ruleSetOf([sameDevice, RULES[1]!, busy, windows[0]!, stops, RULES[2]!], jsonDecoder, clock(4)),
  // As the first, with rules that were changed: one runs on, one begins anew beside what it had under way, one forgets that.
  ruleSetOf([
    patient,
    { ...RULES[1]!, drains: true },
    twoA,
    { ...RULES[2]!, revision: 'a-without-c-2', onUpdate: 'restart' },
    sameDevice,
  ]),
  // Rules that ask a list, as it was, with other entries, and empty.
  listing(asking, 'watched', ['a', 'd']),
  listing(asking, 'watched', ['b']),
  listing(asking, 'watched', []),
  // Rules that are filled from the log, with windows and without; one is new, one was changed.
  ruleSetOf([
    RULES[0]!,
    { ...twoA, onUpdate: 'backfill', revision: 'three-a-3' },
    { ...busy, onUpdate: 'backfill' },
    sameDevice,
  ]),
];
