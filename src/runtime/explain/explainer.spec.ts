import type { EngineEvent } from '../../engine/index.js';
import { parseRule, type Rule } from '../../rules/index.js';
import { payments } from '../../rules/testkit/payments.js';
import { Explainer } from './explainer.js';
import type { Explanation } from './explanation.js';
import { showExplanation } from './show.js';

const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;

function ruleOf(body: string): Rule {
  const text = `id: rule\nkey: accountId\n${body}`;
  const { rule, diagnostics } = parseRule(text, 'rule.yaml', [{ name: 'payments', schema: payments }]);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rule!;
}

/** `10 large 12000`: minutes since the start, type, amount. */
function eventsOf(rows: readonly (readonly [minutes: number, type: string, amount: number])[]): readonly EngineEvent[] {
  return rows.map(([minutes, type, amount], i) => ({
    ...{ time: START + minutes * MINUTE, seq: i + 1, kind: type },
    fields: { transactionId: `t${i + 1}`, accountId: 'A1', type, amount, country: 'DE' },
  }));
}

function explained(
  body: string,
  rows: Parameters<typeof eventsOf>[0],
  atMinutes: number,
  watermark = Number.POSITIVE_INFINITY,
): Explanation {
  const explainer = new Explainer({
    ...{ rule: ruleOf(body), key: 'A1', at: START + atMinutes * MINUTE },
    tell: ({ time, kind, fields, seq }) => ({
      ...{ id: String(fields.transactionId), eventTime: time, kind },
      ...{ topic: 'payments', partition: 0, offset: seq },
    }),
  });
  for (const event of eventsOf(rows)) explainer.feed(event);
  return explainer.finish(watermark);
}

const DRAIN = [
  'within: 10m',
  'pattern:',
  '  - {begin: large, where: amount > 10000.0}',
  '  - {next: cash, subtype: Withdrawal}',
  '  - {followedBy: transfer, subtype: Transfer, where: amount > 5000.0}',
].join('\n');

const REFUSED = 'within: 10m\npattern: [{begin: a, where: amount > 100.0}, {notFollowedBy: login, subtype: Login}';

describe('why a rule did not fire', () => {
  const cases: readonly (readonly [string, string, Parameters<typeof eventsOf>[0], number, string])[] = [
    [
      'there was nothing to begin with',
      DRAIN,
      [
        [0, 'Payment', 9800],
        [5, 'Payment', 20],
      ],
      6,
      'It did not fire. Nothing began: none of 2 events was large. The nearest, t1 at 2026-01-05 10:00:00: amount 9,800 is 200 short of > 10,000.',
    ],
    [
      'there was no event',
      DRAIN,
      [],
      6,
      'It did not fire: there is no event of accountId A1 that the rule reads from 2026-01-05 09:06:00 to 2026-01-05 10:06:00.',
    ],
    [
      'a step did not come in time',
      DRAIN,
      [
        [0, 'Payment', 12000],
        [1, 'Withdrawal', 50],
        [3, 'Transfer', 4900],
        [4, 'Payment', 8000],
        [11, 'Transfer', 9000],
      ],
      5,
      'It did not fire. A partial match came to step 2 of 3 (cash) with 2 events, the last of them at 2026-01-05 10:01:00. Time ran out at 2026-01-05 10:10:00, after the 10 m of within, and transfer had not come. Nearest to transfer of 2 events meanwhile, t3 at 2026-01-05 10:03:00: amount 4,900 is 100 short of > 5,000.',
    ],
    [
      'the next event was another',
      DRAIN,
      [
        [0, 'Payment', 12000],
        [1, 'Payment', 50],
        [2, 'Withdrawal', 50],
      ],
      2,
      "It did not fire. A partial match came to step 1 of 3 (large) at 2026-01-05 10:00:00. The next event had to be cash, and was not (t2 at 2026-01-05 10:01:00: kind 'Payment' is not 'Withdrawal').",
    ],
    [
      'it still waits',
      'pattern: [{begin: a, where: amount > 100.0}, {followedBy: b, where: amount < 1.0}]',
      [
        [0, 'Payment', 200],
        [1, 'Payment', 1.5],
      ],
      2,
      'It did not fire. A partial match came to step 1 of 2 (a) at 2026-01-05 10:00:00. It waits for b. The only event meanwhile, t2 at 2026-01-05 10:01:00: amount 1.5 is 0.5 too much for < 1.',
    ],
    [
      'what must not come came',
      `${REFUSED}, {followedBy: b, where: amount > 500.0}]`,
      [
        [0, 'Payment', 200],
        [1, 'Login', 0],
        [2, 'Payment', 900],
      ],
      2,
      "It did not fire. A partial match came to step 1 of 2 (a) at 2026-01-05 10:00:00. It met login, which must not come, at 2026-01-05 10:01:00 (t2 at 2026-01-05 10:01:00: kind is 'Login'). 1 other partial match came no farther.",
    ],
    [
      'what must not come before the end came',
      `${REFUSED}]`,
      [
        [0, 'Payment', 200],
        [1, 'Login', 0],
      ],
      2,
      "It did not fire. A partial match came to step 1 of 1 (a) at 2026-01-05 10:00:00. It met login, which must not come, at 2026-01-05 10:01:00 (t2 at 2026-01-05 10:01:00: kind is 'Login').",
    ],
    [
      'a gap was too long',
      'pattern: [{begin: a, where: amount > 100.0}, {followedBy: b, where: amount < 1.0, gap: 5m}]',
      [
        [0, 'Payment', 200],
        [6, 'Payment', 0.5],
      ],
      6,
      'It did not fire. A partial match came to step 1 of 2 (a) at 2026-01-05 10:00:00. The gap ran out at 2026-01-05 10:05:00, and b had not come.',
    ],
    [
      'until ended a loop',
      'within: 1h\npattern: [{begin: a, where: amount < 5.0, times: 3+, until: amount > 50.0, inside: consecutive}, {next: b, where: amount > 100.0}]',
      [
        [0, 'Payment', 1],
        [1, 'Payment', 2],
        [2, 'Payment', 60],
      ],
      3,
      'It did not fire. A partial match came to step 1 of 2 (a) with 2 events, the last of them at 2026-01-05 10:01:00. The loop a was ended by its until at 2026-01-05 10:02:00 (t3 at 2026-01-05 10:02:00: amount 60 is > 50). 1 other partial match came no farther.',
    ],
    [
      'a feature was below its threshold',
      'features: [{name: spent, sum: amount, over: 1h}]\npattern: [{begin: a, where: spent > 1000.0 && amount > 10.0}]',
      [
        [0, 'Payment', 400],
        [1, 'Payment', 500],
      ],
      2,
      'It did not fire. Nothing began: none of 2 events was a. The nearest, t2 at 2026-01-05 10:01:00: spent 900 is 100 short of > 1,000.',
    ],
    [
      'a window had too little',
      'window: {tumbling: 5m, aggregates: [{name: n, count: true}, {name: total, sum: amount}], having: n >= 3 && total > 100.0}',
      [
        [0, 'Payment', 400],
        [1, 'Payment', 500],
        [6, 'Payment', 1],
      ],
      7,
      'It did not fire. The nearest of 2 windows, 2026-01-05 10:00:00 to 2026-01-05 10:05:00: n 2 is 1 short of >= 3.',
    ],
  ];

  it.each(cases)('%s', (_, body, rows, at, summary) => {
    expect(explained(body, rows, at).summary).toBe(summary);
  });

  it('is not known where event time has not come that far', () => {
    const { notes, runs } = explained(DRAIN, [[0, 'Payment', 12000]], 5, START + MINUTE);
    expect(runs[0]?.end).toEqual({ why: 'open', at: START + 10 * MINUTE });
    expect(notes).toEqual(['Event time has not come that far yet: events up to then may still be on their way.']);
  });

  it('and an absence that is yet to be', () => {
    const { summary } = explained(`${REFUSED}]`, [[0, 'Payment', 200]], 5, START + 5 * MINUTE);
    expect(summary).toContain('It fires unless login comes until 2026-01-05 10:10:00.');
  });

  it('with the values of conditions and features at each step', () => {
    const features = 'features: [{name: spent, sum: amount, over: 1h}]';
    const body = `within: 10m\n${features}\npattern: [{begin: a, where: spent > 100.0}, {followedBy: b, where: amount > a.amount}]`;
    const [run] = explained(
      body,
      [
        [0, 'Payment', 200],
        [1, 'Payment', 150],
      ],
      2,
    ).runs.slice(-1);
    expect(run!.taken).toEqual([
      {
        step: 'a',
        event: expect.objectContaining({ id: 't1' }),
        features: { spent: 200 },
        condition: expect.objectContaining({ holds: true, values: { spent: 200 }, said: 'spent 200 is > 100' }),
      },
    ]);
    expect(run!.awaited[0]?.nearest).toMatchObject({
      features: { spent: 350 },
      condition: { shortBy: 50, values: { amount: 150, 'a.amount': 200 } },
    });
  });

  it('for people as a small time line', () => {
    const rows = [
      [0, 'Payment', 12000],
      [1, 'Withdrawal', 50],
      [3, 'Transfer', 4900],
    ] as const;
    expect(
      showExplanation(explained(DRAIN, rows, 5))
        .split('\n')
        .slice(4),
    ).toEqual([
      'The partial match, step 2 of 3:',
      '  2026-01-05 10:00:00      large: amount 12,000 is > 10,000  [t1]',
      "  2026-01-05 10:01:00      cash: kind is 'Withdrawal'  [t2]",
      '  2026-01-05 10:03:00      not transfer, passed over: amount 4,900 is 100 short of > 5,000  [t3]',
      '  2026-01-05 10:10:00      time ran out, after the 10 m of within, and transfer had not come',
    ]);
  });
});
