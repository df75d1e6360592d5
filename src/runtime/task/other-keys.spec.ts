import { parseRule, type Rule } from '../../rules/index.js';
import { Detection } from './detection.js';
import { SourceEvent } from './source-event.js';

const STREAMS = ['payments', 'chargebacks'];
const known = STREAMS.map((name) => ({ name, schema: null }));

const FEATURES = `
  - {name: atTerminal, count: true, over: 20ms, key: terminal}
  - {name: frauds, count: true, from: chargebacks, over: 30ms, lagging: 5ms, key: terminal}
  - {name: large, sum: amount, where: amount > 5, over: 25ms, key: [terminal, device]}
  - {name: users, distinct: user, over: 40ms, key: device}
  - {name: before, last: user, over: 40ms, lagging: 1ms, key: device}
  - {name: own, count: true, over: 20ms}
`;

function ruleOf(body: string): Rule {
  const { rule, diagnostics } = parseRule(`id: r\nkey: user\nfrom: payments\n${body}`, 'r.yaml', known);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rule!;
}

/** It matches every payment, and tells the features at it. */
const TELLING = ruleOf(`features:${FEATURES}pattern:
  - {begin: one, where: atTerminal + frauds + large + users + own >= 0 || before == ''}
`);

interface Row {
  readonly time: number;
  readonly stream: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

/** In order of time, of which several have the same; some lack a key. */
function randomRows(seed: number, count: number): readonly Row[] {
  const roll = random(seed);
  let time = 1000;
  return Array.from({ length: count }, () => {
    time += roll(4);
    const some = (name: string, values: number) => (roll(6) === 0 ? {} : { [name]: `${name}${roll(values)}` });
    const stream = STREAMS[roll(3) === 0 ? 1 : 0]!;
    const own = stream === 'payments' ? { user: `u${roll(4)}`, amount: roll(10), ...some('device', 3) } : {};
    return { time, stream, fields: { ...own, ...some('terminal', 3) } };
  });
}

/** What the features are at each payment, each computed anew from all rows up to it. */
function naive(rows: readonly Row[]): readonly object[] {
  return rows.flatMap(({ time, stream, fields }, i) => {
    if (stream !== 'payments') return [];
    const before = rows.slice(0, i + 1);
    const of = (names: readonly string[], from: string, over: number, lag = 0): readonly Row[] =>
      before.filter(
        (row) =>
          row.stream === from &&
          row.time >= time - lag - over &&
          row.time <= time - lag &&
          names.every((name) => fields[name] !== undefined && row.fields[name] === fields[name]),
      );
    const users = of(['device'], 'payments', 40);
    return {
      atTerminal: of(['terminal'], 'payments', 20).length,
      frauds: of(['terminal'], 'chargebacks', 30, 5).length,
      large: of(['terminal', 'device'], 'payments', 25)
        .map((row) => Number(row.fields.amount))
        .filter((amount) => amount > 5)
        .reduce((sum, amount) => sum + amount, 0),
      users: new Set(users.map((row) => row.fields.user)).size,
      before: of(['device'], 'payments', 40, 1).at(-1)?.fields.user ?? null,
      own: of(['user'], 'payments', 20).length,
    };
  });
}

function eventsOf(rows: readonly Row[]): readonly SourceEvent[] {
  return rows.map(
    ({ time, stream, fields }, offset) =>
      new SourceEvent(time, '', fields, offset, new Uint8Array(0), null, true, stream),
  );
}

const CLOCK = { mode: 'arrival', outOfOrdernessMs: 0 } as const;

function toldBy(rules: readonly Rule[], rows: readonly Row[], ownsKey?: (key: string) => boolean): readonly object[] {
  const told: object[] = [];
  const onMatch = (_rule: Rule, _key: string, match: { readonly features?: object }) => void told.push(match.features!);
  const options = { streams: STREAMS, ...(ownsKey && { ownsKey }) };
  const detection = new Detection(rules, CLOCK, { onMatch }, options);
  for (const event of eventsOf(rows)) {
    detection.clock.accept(event);
    detection.drain();
  }
  return told;
}

describe('features of other keys', () => {
  it.each([1, 2, 3, 4, 5, 6])('are at each event what all earlier events of its key make (seed %i)', (seed) => {
    const rows = randomRows(seed, 400);
    const wanted = naive(rows);
    expect(wanted.length).toBeGreaterThan(200);
    expect(toldBy([TELLING], rows)).toEqual(wanted);
  });

  it('count the events of all keys, whichever keys of the rule are here', () => {
    const rows = randomRows(7, 400);
    const isOwn = (key: string): boolean => key === 'u1' || key === 'u2';
    const wanted = naive(rows);
    const payments = rows.filter(({ stream }) => stream === 'payments');
    expect(toldBy([TELLING], rows, isOwn)).toEqual(wanted.filter((_, i) => isOwn(String(payments[i]!.fields.user))));
  });

  it('are missing where the end of a window completes a match: no event is there', () => {
    const row = (time: number, user: string, terminal: string): Row => ({
      ...{ time, stream: 'payments' },
      fields: { user, terminal, amount: 1 },
    });
    const rows = [row(1, 'u', 't'), row(2, 'v', 't'), row(50, 'x', 's')];
    const rule = ruleOf(`within: 10ms
features: [{name: n, count: true, over: 1s, key: terminal}]
pattern: [{begin: a, where: n >= 2}, {notFollowedBy: b}]
alert: {message: "{{ n }}"}
`);
    expect(toldBy([rule], rows)).toEqual([{ n: null }]);
  });

  it('do not break what must follow at once by events that they count alone', () => {
    const rule = ruleOf(`within: 1s
features: [{name: n, count: true, from: chargebacks, over: 1s, key: terminal}]
pattern: [{begin: a}, {next: b, where: n >= 1}]
`);
    const fields = { user: 'u', terminal: 't', amount: 1 };
    const rows = [
      { time: 1, stream: 'payments', fields },
      { time: 2, stream: 'chargebacks', fields },
      { time: 3, stream: 'payments', fields },
    ];
    expect(toldBy([rule], rows)).toEqual([{ n: 1 }]);
  });

  it.each([1, 2, 3])('are told of an event that is asked about as they are once it has come (seed %i)', (seed) => {
    const rows = randomRows(seed, 120);
    const told: object[] = [];
    const asked: object[] = [];
    const onMatch = (_rule: Rule, _key: string, match: { readonly features?: object }) =>
      void told.push(match.features!);
    const clock = { mode: 'event-time', outOfOrdernessMs: 5 } as const;
    const detection = new Detection([TELLING], clock, { onMatch }, { streams: STREAMS });
    for (const event of eventsOf(rows)) {
      detection.consider(event, {
        onMatch: (_rule, _key, match) => void asked.push(match.features!),
        onAdvance: () => undefined,
      });
      event.told = null;
      detection.clock.accept(event);
      detection.drain();
    }
    detection.finish();
    expect(told).toEqual(naive(rows));
    expect(asked).toEqual(told);
  });
});
