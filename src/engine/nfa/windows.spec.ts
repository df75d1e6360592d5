import fc from 'fast-check';
import { decodeKeyState, type EventCodec, encodeKeyState } from '../codec/key-state-codec.js';
import type { EngineEvent } from '../event.js';
import type { Scalar } from '../expression/expression.js';
import { and, eq, field, ge, gt } from '../pattern/builder.js';
import type { Pattern } from '../pattern/pattern.js';
import type { WindowAggregate, WindowForm } from '../pattern/window.js';
import { hopping, session, tumbling, type WindowBuilder } from '../pattern/window-builder.js';
import type { KeyState } from '../ruleset/key-state.js';
import { advanceKey, compileRuleSet, nextKeyDeadline, processKey, type RuleSet } from '../ruleset/rule-set.js';
import { PatternRunner } from '../runner.js';
import type { Match } from './output.js';

const codec: EventCodec = {
  encode: (event) => new TextEncoder().encode(JSON.stringify(event)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as EngineEvent,
};

const event = (time: number, fields: Record<string, unknown> = {}): EngineEvent => ({
  time,
  seq: time,
  kind: '',
  fields,
});

/** What windows tell, as `start..end values`, in order. */
function emitted(builder: WindowBuilder, times: readonly (number | EngineEvent)[]): string[] {
  const runner = new PatternRunner(builder.build());
  const events = times.map((one) => (typeof one === 'number' ? event(one) : one));
  const matches = [...events.flatMap((one) => runner.feed(one)), ...runner.advance(Number.MAX_SAFE_INTEGER)];
  return matches.map(({ window }) => {
    const { windowStart, windowEnd, firstTime: _, lastTime: __, ...values } = window!.fields;
    return `${windowStart}..${windowEnd} ${Object.values(values).join(' ')}`.trim();
  });
}

describe('a window', () => {
  it.each<[string, WindowBuilder, readonly number[], readonly string[]]>([
    [
      'of a fixed length begins at whole multiples of it; its end is in the next one',
      tumbling(10),
      [3, 9, 10, 19, 31],
      ['0..10 2', '10..20 2', '30..40 1'],
    ],
    ['is moved on by an offset', tumbling(10).offset(3), [2, 3, 12, 13], ['-7..3 1', '3..13 2', '13..23 1']],
    [
      'that hops counts each event as often as it comes by',
      hopping(10, 5),
      [0, 7, 12],
      ['-5..5 1', '0..10 2', '5..15 2', '10..20 1'],
    ],
    [
      'that hops at no divisor of its length is put together of smaller parts',
      hopping(10, 4),
      [0, 9],
      ['-8..2 1', '-4..6 1', '0..10 2', '4..14 1', '8..18 1'],
    ],
    [
      'that is a session ends a gap after its newest event; one just then begins another',
      session(10),
      [1, 10, 15, 25, 40],
      ['1..25 3', '25..35 1', '40..50 1'],
    ],
    ['that is a session is no longer than it may be', session(10, 12), [0, 9, 11, 12], ['0..12 3', '12..22 1']],
  ])('%s', (_, builder, times, expected) => {
    expect(emitted(builder.aggregate('n', { fn: 'count' }), times)).toEqual(expected);
  });

  it('counts the events of its step alone, and gives a match where the result fits', () => {
    const builder = tumbling(10)
      .where(gt(field('amount'), 5))
      .aggregate('n', { fn: 'count' })
      .aggregate('large', { fn: 'count', where: gt(field('amount'), 100) })
      .having(and(ge(field('n'), 2), ge(field('windowEnd'), 20)));
    const amounts = [9, 9, 1, 9, 200, 9];
    const events = amounts.map((amount, i) => event([0, 1, 11, 12, 13, 25][i]!, { amount }));
    expect(emitted(builder, events)).toEqual(['10..20 2 1']);
  });

  it('shows its newest events, as many as asked for', () => {
    const runner = new PatternRunner(hopping(10, 5).showing(2).build());
    for (const time of [1, 2, 3, 6]) runner.feed(event(time));
    const shown = runner.advance(100).map(({ steps }) => steps[0]!.events.map(({ time }) => time));
    expect(shown).toEqual([[3, 6], [6]]);
  });

  it('is refused where it makes no sense', () => {
    const windows: [WindowForm, string][] = [
      [{ kind: 'tumbling', sizeMs: 0 }, 'window-not-positive'],
      [{ kind: 'hopping', sizeMs: 5, everyMs: 6 }, 'bad-window-pace'],
      [{ kind: 'hopping', sizeMs: 30 * 86_400_000, everyMs: 1000 }, 'window-too-fine'],
      [{ kind: 'tumbling', sizeMs: 5, offsetMs: 5 }, 'bad-window-offset'],
      [{ kind: 'session', gapMs: 5, maxMs: 4 }, 'bad-session-max'],
    ];
    for (const [form, code] of windows) {
      const pattern: Pattern = { ...tumbling(1).build(), window: { form, aggregates: [] } };
      expect(() => compileRuleSet([{ id: 'w', pattern }])).toThrow(code);
    }
    const twice = tumbling(1).aggregate('n', { fn: 'count' }).aggregate('n', { fn: 'sum', field: 'x' });
    expect(() => compileRuleSet([{ id: 'w', pattern: twice.build() }])).toThrow('duplicate-aggregate-name');
  });
});

const AGGREGATES: readonly WindowAggregate[] = [
  { name: 'n', fn: 'count' },
  ...(['sum', 'avg', 'min', 'max', 'stddev', 'median', 'distinct'] as const).map((fn) => ({
    ...{ name: fn, fn, field: 'amount' },
  })),
  { name: 'high', fn: 'quantile', field: 'amount', q: 0.9 },
  { name: 'where', fn: 'first', field: 'country' },
  { name: 'to', fn: 'last', field: 'country' },
  { name: 'lands', fn: 'distinct', field: 'country' },
  { name: 'home', fn: 'count', where: eq(field('country'), 'DE') },
];

interface Spec {
  readonly form: WindowForm;
  readonly events: readonly EngineEvent[];
}

const forms: fc.Arbitrary<WindowForm> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(100))
    .map(([sizeMs, n]) => ({ kind: 'tumbling', sizeMs, offsetMs: n % sizeMs }) as const),
  fc.tuple(fc.integer({ min: 1, max: 20 }), fc.nat(100), fc.nat(100)).map(([sizeMs, a, b]) => {
    const everyMs = 1 + (a % sizeMs);
    return { kind: 'hopping', sizeMs, everyMs, offsetMs: b % everyMs } as const;
  }),
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.option(fc.integer({ min: 9, max: 20 }), { nil: undefined }))
    .map(([gapMs, maxMs]) => ({ kind: 'session', gapMs, ...(maxMs === undefined ? {} : { maxMs }) }) as const),
);

const fields = fc.record({
  amount: fc.option(
    fc.integer({ min: -500, max: 500 }).map((x) => x / 100),
    { nil: null },
  ),
  country: fc.constantFrom('DE', 'FR', null),
  counts: fc.boolean(),
});

const specs: fc.Arbitrary<Spec> = fc.record({
  form: forms,
  events: fc.array(fc.tuple(fc.nat(8), fields), { maxLength: 30 }).map((rows) => {
    let time = 0;
    return rows.map(([pause, of], seq) => {
      time += pause;
      return { time, seq, kind: '', fields: of };
    });
  }),
});

/** Windows by the definition: recomputed from all events. */
function expectedOf({ form, events }: Spec): string[] {
  const counted = events.filter(({ fields: { counts } }) => counts === true);
  return windowsOf(form, counted)
    .sort((a, b) => a.end - b.end)
    .map(({ start, end, inside }) => tell(start, end, inside));
}

interface Naive {
  readonly start: number;
  readonly end: number;
  readonly inside: readonly EngineEvent[];
}

function windowsOf(form: WindowForm, events: readonly EngineEvent[]): Naive[] {
  if (form.kind === 'session') return sessionsOf(form.gapMs, form.maxMs ?? Number.POSITIVE_INFINITY, events);
  const { sizeMs, offsetMs = 0 } = form;
  const everyMs = form.kind === 'hopping' ? form.everyMs : sizeMs;
  const windows: Naive[] = [];
  const last = events.at(-1)?.time ?? 0;
  for (let start = offsetMs - sizeMs * everyMs; start <= last; start += everyMs) {
    const inside = events.filter(({ time }) => time >= start && time < start + sizeMs);
    if (inside.length > 0) windows.push({ start, end: start + sizeMs, inside });
  }
  return windows;
}

function sessionsOf(gapMs: number, maxMs: number, events: readonly EngineEvent[]): Naive[] {
  const sessions: EngineEvent[][] = [];
  for (const one of events) {
    const open = sessions.at(-1);
    const goesOn = open !== undefined && one.time < open.at(-1)!.time + gapMs && one.time < open[0]!.time + maxMs;
    if (goesOn) open.push(one);
    else sessions.push([one]);
  }
  return sessions.map((inside) => {
    const start = inside[0]!.time;
    return { start, end: Math.min(inside.at(-1)!.time + gapMs, start + maxMs), inside };
  });
}

function tell(start: number, end: number, inside: readonly EngineEvent[]): string {
  const cents = inside.flatMap(({ fields: { amount } }) =>
    amount === null ? [] : Math.round((amount as number) * 100),
  );
  const sorted = cents.toSorted((a, b) => a - b);
  const lands = inside.flatMap(({ fields: { country } }) => (country === null ? [] : (country as string)));
  const total = cents.reduce((a, b) => a + b, 0);
  const squares = cents.reduce((a, b) => a + b * b, 0);
  const n = cents.length;
  const values: (Scalar | null)[] = [
    ...[start, end, inside[0]!.time, inside.at(-1)!.time, inside.length, total / 100],
    ...(n === 0 ? [null, null, null, null, null] : [total / 100 / n, sorted[0]! / 100, sorted.at(-1)! / 100]),
    ...(n === 0 ? [] : [Math.sqrt(n * squares - total * total) / n / 100, quantile(sorted, 0.5)]),
    ...[new Set(cents).size, n === 0 ? null : quantile(sorted, 0.9)],
    ...[lands[0] ?? null, lands.at(-1) ?? null, new Set(lands).size],
    lands.filter((land) => land === 'DE').length,
  ];
  return say(values);
}

function quantile(sorted: readonly number[], q: number): number {
  const rank = (sorted.length - 1) * q;
  const [below, above] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  return (below + (above - below) * (rank % 1)) / 100;
}

/** Roots and quotients can differ in the last place. */
const say = (values: readonly (Scalar | null)[]): string =>
  values.map((value) => (typeof value === 'number' ? (Math.round(value * 1e9) / 1e9 + 0).toFixed(9) : value)).join(' ');

function rulesOf(form: WindowForm): RuleSet {
  const builder = tumbling(1).where(eq(field('counts'), true));
  const pattern: Pattern = { ...builder.build(), window: { form, aggregates: AGGREGATES } };
  // Another pattern beside it, whose runs stand in the same state.
  const other: Pattern = {
    steps: ['a', 'b'].map((name, i) => ({
      ...({ kind: 'event', name, contiguity: i === 0 ? 'start' : 'followedBy' } as const),
      where: eq(field('country'), i === 0 ? 'DE' : 'FR'),
    })),
    withinMs: 15,
  };
  return compileRuleSet([
    { id: 'other', pattern: other },
    { id: 'window', pattern },
  ]);
}

/** Runs the host's part: time is moved on to each deadline, and the state is written and read again after every event. */
function found({ form, events }: Spec, restores: boolean): { windows: string[]; others: number; left: unknown } {
  const rules = rulesOf(form);
  const windows: string[] = [];
  let others = 0;
  const output = {
    slot: 0,
    onMatch: ({ window }: Match): void => {
      if (window === undefined) others++;
      else windows.push(say(Object.values(window.fields)));
    },
  };
  let state: KeyState | undefined;
  const moveTo = (time: number): void => {
    for (;;) {
      const deadline = state === undefined ? Number.POSITIVE_INFINITY : nextKeyDeadline(rules, state);
      if (deadline > time) return;
      state = advanceKey(rules, state, deadline, output);
    }
  };
  const save = (): void => {
    if (restores && state !== undefined) state = decodeKeyState(encodeKeyState(state, rules, codec), rules, codec);
  };
  for (const one of events) {
    moveTo(one.time);
    save();
    state = processKey(rules, state, one, output);
    save();
  }
  moveTo(Number.MAX_SAFE_INTEGER);
  return { windows, others, left: state?.slots.filter((slot) => slot === 1) ?? [] };
}

describe('windows against recomputation', () => {
  it('tell the same as all events that are in them, saved and restored at every event', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const expected = expectedOf(spec);
        const whole = found(spec, false);
        expect(whole.windows).toEqual(expected);
        expect(whole.left).toEqual([]);
        expect(found(spec, true)).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  it('leave an earlier state as it was', () => {
    const rules = rulesOf({ kind: 'tumbling', sizeMs: 100 });
    const output = { slot: 0, onMatch: () => undefined };
    const rows = [1, 2, 3, 4].map((amount, i) => event(i, { amount, country: 'DE', counts: true }));
    const states: KeyState[] = [];
    for (const row of rows) states.push(processKey(rules, states.at(-1), row, output)!);
    const bytes = states.map((state) => encodeKeyState(state, rules, codec));
    const told = (state: KeyState): unknown => {
      const windows: unknown[] = [];
      advanceKey(rules, state, 100, { slot: 0, onMatch: ({ window }) => void windows.push(window?.fields) });
      return windows;
    };
    const before = states.map(told);
    processKey(rules, states[1], event(9, { amount: 9, country: 'FR', counts: true }), output);
    expect(states.map(told)).toEqual(before);
    expect(states.map((state) => encodeKeyState(state, rules, codec))).toEqual(bytes);
  });
});
