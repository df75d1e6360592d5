import { parseRule, type Rule } from '../../rules/index.js';
import { Detection } from './detection.js';
import { SourceEvent } from './source-event.js';

const STREAMS = ['payments', 'logins'];
const known = STREAMS.map((name) => ({ name, schema: null }));

function ruleOf(id: string, body: string): Rule {
  const { rule, diagnostics } = parseRule(`id: ${id}\nwithin: 1h\n${body}`, `${id}.yaml`, known);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rule!;
}

type Row = readonly [time: number, stream: string, fields: Readonly<Record<string, unknown>>, forKey?: string];

/** Runs rules over rows in order of time; a match is told as `rule key: offsets`. */
function found(rules: readonly Rule[], rows: readonly Row[], streams = STREAMS): readonly string[] {
  const matches: string[] = [];
  const clock = { mode: 'event-time', outOfOrdernessMs: 0 } as const;
  const onMatch = (rule: Rule, key: string, match: { steps: readonly { events: readonly unknown[] }[] }): void => {
    const events = match.steps.flatMap((step) => step.events.map((event) => (event as SourceEvent).offset));
    matches.push(`${rule.id} ${key}: ${events.join(' ')}`);
  };
  const detection = new Detection(rules, clock, { onMatch }, { streams });
  rows.forEach(([time, stream, fields, forKey], offset) => {
    const event = new SourceEvent(time, '', fields, offset, new Uint8Array(0), null, true, stream, forKey ?? null);
    detection.clock.accept(event);
  });
  detection.finish();
  return matches;
}

describe('rules over several streams', () => {
  const joined = ruleOf(
    'joined',
    'key: user\npattern: [{begin: l, from: logins}, {next: p, from: payments, where: amount > 1}]',
  );
  const alone = ruleOf('alone', 'key: user\nfrom: payments\npattern: [{begin: a, where: amount > 1}, {next: b}]');

  it('find what comes of all that they read, in order of event time', () => {
    const rows: Row[] = [
      [2, 'payments', { user: 'A', amount: 5 }],
      [1, 'logins', { user: 'A' }],
      [3, 'payments', { user: 'A', amount: 5 }],
    ];
    expect(found([joined], rows)).toEqual(['joined A: 1 0']);
  });

  it('see nothing of the streams that they do not read', () => {
    const rows: Row[] = [
      [1, 'payments', { user: 'A', amount: 5 }],
      [2, 'logins', { user: 'A' }],
      [3, 'payments', { user: 'A', amount: 0 }],
    ];
    expect(found([joined, alone], rows)).toEqual(['alone A: 0 2']);
  });

  it('run in an engine for each key and choice of streams, whose name does not change with the streams there are', () => {
    const namesOf = (streams: readonly string[], ...rules: Rule[]): readonly string[] => {
      const clock = { mode: 'arrival', outOfOrdernessMs: 0 } as const;
      return new Detection(rules, clock, { onMatch: () => undefined }, { streams }).engines.map((e) => e.keyField);
    };
    const logins = ruleOf('logins', 'key: user\nfrom: logins\npattern: [{begin: l}]');
    expect(namesOf(STREAMS, joined, alone, logins)).toEqual(['user of logins,payments', 'user', 'user of logins']);
    expect(namesOf(['payments'], alone)).toEqual(['user']);
    expect(namesOf([], alone)).toEqual(['user']);
  });
});

describe('keys of other forms', () => {
  const rule = (key: string, where = 'true') =>
    ruleOf('r', `key: ${key}\nfrom: [payments, logins]\npattern: [{begin: a, where: ${where}}, {followedBy: b}]`);

  it.each<[string, Rule, readonly Row[], readonly string[]]>([
    [
      'a pair counts where both are there, and parts never run together',
      rule('[a, b]'),
      [
        [1, 'payments', { a: 'x', b: 1 }],
        [2, 'payments', { a: 'x' }],
        [3, 'logins', { a: 'x', b: 1 }],
        [4, 'payments', { a: 'x/y', b: 'z' }],
        [5, 'payments', { a: 'x', b: 'y/z' }],
      ],
      ['r x/1: 0 2'],
    ],
    [
      'each counts once for each value, in the order of the fields, and once for equal ones',
      rule('{each: [from, to]}'),
      [
        [1, 'payments', { from: 'A', to: 'B' }],
        [2, 'payments', { from: 'B', to: 'A' }],
        [3, 'payments', { from: 'C', to: 'C' }],
        [4, 'payments', { from: 'D', to: 'C' }],
      ],
      ['r B: 0 1', 'r A: 0 1', 'r C: 2 3'],
    ],
    [
      'a field for each stream',
      rule('{by: {payments: account, logins: user}}'),
      [
        [1, 'logins', { user: 'A', account: 'no' }],
        [2, 'payments', { user: 'no', account: 'A' }],
        [3, 'payments', { user: 'A' }],
      ],
      ['r A: 0 1'],
    ],
    [
      'a forwarded event counts for the key that it was forwarded for alone',
      rule('{each: [from, to]}'),
      [
        [1, 'payments', { from: 'A', to: 'B' }, 'A'],
        [2, 'payments', { from: 'A', to: 'B' }, 'A'],
      ],
      ['r A: 0 1'],
    ],
    [
      'conditions read the key that the event is counted for',
      rule('{each: [from, to]}', 'to == key'),
      [
        [1, 'payments', { from: 'A', to: 'B' }],
        [2, 'payments', { from: 'A', to: 'B' }],
      ],
      ['r B: 0 1'],
    ],
  ])('%s', (_, given, rows, expected) => {
    expect(found([given], rows)).toEqual(expected);
  });

  it('have features of their own, which can ask for the key', () => {
    const flow = ruleOf(
      'flow',
      `key: {each: [from, to]}
from: payments
features:
  - {name: came, sum: amount, over: 1h, where: to == key}
  - {name: went, sum: amount, over: 1h, where: from == key}
pattern: [{begin: a, where: came >= 10 && went >= 10}]`,
    );
    const rows: Row[] = [
      [1, 'payments', { from: 'A', to: 'B', amount: 10 }],
      [2, 'payments', { from: 'B', to: 'C', amount: 9 }],
      [3, 'payments', { from: 'B', to: 'C', amount: 1 }],
    ];
    expect(found([flow], rows)).toEqual(['flow B: 2']);
  });
});
