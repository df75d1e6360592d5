import type { Lists } from '../../../engine/index.js';
import type { ConditionPart } from '../../../rules/explain/explain-condition.js';
import { parseRule, type Rule } from '../../../rules/index.js';
import { payments } from '../../../rules/testkit/payments.js';
import { Explainer } from '../../explain/explainer.js';
import type { Alert, EventValues } from '../../ports/alert.js';
import { dice } from '../../testing/dice.js';
import { considerKey } from '../consider.js';
import { Detection } from '../detection.js';
import { Noted, noteIdOf } from '../noted.js';
import { SourceEvent } from '../source-event.js';
import { eventCodec, outlineCodec } from '../stored/event-codec.js';
import { buildAlert } from './alert-builder.js';

const MINUTE = 60_000;
const json = new TextEncoder();

function ruleOf(id: string, body: string, key = 'accountId'): Rule {
  const streams = [{ name: 'payments', schema: payments }];
  const lists = new Map([['home', 'map' as const]]);
  const { rule, diagnostics } = parseRule(`id: ${id}\nkey: ${key}\n${body}`, `${id}.yaml`, streams, { lists });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rule!;
}

const FEATURES = `
features:
  - {name: usual, avg: amount, over: 1h, lagging: 1ms}
  - {name: places, distinct: country, over: 1h}
  - {name: before, last: country, over: 1h, lagging: 1ms}
  - {name: pause, since: true, over: 10m}
`;

const RULES: Readonly<Record<string, string>> = {
  chain: `${FEATURES}
within: 20m
pattern:
  - {begin: small, where: amount < 4 && places >= 1, times: 2}
  - {followedBy: large, where: amount > usual && amount > avg(small.amount) && country != before}
skip: pastLastEvent`,
  any: `${FEATURES}
within: 5m
pattern:
  - {begin: one, where: amount > usual || pause == null}
  - {followedByAny: two, where: places > 1 && approved}`,
  absence: `${FEATURES}
within: 4m
pattern:
  - {begin: large, where: amount > usual}
  - {notFollowedBy: more, where: approved}`,
  single: `${FEATURES}
pattern: [{begin: one, where: "amount > usual && country != list('home', country)"}]`,
  list: `
within: 30m
pattern:
  - {begin: abroad, where: "country != list('home', accountId)"}
  - {followedBy: again, where: "country != abroad.country && amount > first(abroad).amount && key != 'X'"}`,
  bare: `
within: 5m
pattern: [{begin: any}, {next: other, subtype: Transfer}]`,
};

/** Changes with time: what conditions asked is told as it was then. */
class ChangingLists implements Lists {
  time = 0;

  has = (): boolean => false;
  get = (_list: string, key: string): string | undefined =>
    key === 'C' ? undefined : 'DE FR IT'.split(' ')[Math.floor(this.time / (3 * MINUTE)) % 3];
}

type Row = readonly [minute: number, key: string, amount: number, country: string, approved: boolean];

function rowsOf(seed: number): readonly Row[] {
  const random = dice(seed);
  let minute = 0;
  return Array.from({ length: 60 }, () => {
    minute += random(3);
    return [minute, 'ABC'[random(3)]!, random(8), ['DE', 'FR', 'IT'][random(3)]!, random(2) === 0];
  });
}

function eventsOf(rows: readonly Row[]): SourceEvent[] {
  return rows.map(([minute, accountId, amount, country, approved], i) => {
    const kind = i % 2 === 0 ? 'Transfer' : 'Payment';
    const fields = { transactionId: `t${i}`, accountId, amount, country, approved };
    const raw = json.encode(JSON.stringify({ kind, fields }));
    return new SourceEvent(minute * MINUTE, kind, fields, i, raw, i % 3 === 0 ? '00-trace' : null, false, 'payments');
  });
}

interface Options {
  readonly hotKeysMax?: number;
  readonly lists?: ChangingLists;
}

const source = (lists: Lists) => ({
  placeOf: ({ offset }: { readonly offset: number }) => ({ topic: 'payments', partition: 0, offset }),
  idFieldOf: () => 'transactionId',
  decodeWhole: ({ fields }: { readonly fields: Readonly<Record<string, unknown>> }) => fields,
  lists: () => lists,
});

const codec = eventCodec((raw) => JSON.parse(new TextDecoder().decode(raw)));

function alertsOf(
  rules: readonly Rule[],
  rows: readonly Row[],
  { hotKeysMax, lists = new ChangingLists() }: Options = {},
) {
  const alerts: Alert[] = [];
  const detection = new Detection(
    rules,
    { mode: 'arrival', outOfOrdernessMs: 0 },
    { onMatch: (rule, key, match, at) => void alerts.push(buildAlert(rule, key, match, at, source(lists))) },
    { lists, codec, outline: outlineCodec, streams: ['payments'], ...(hotKeysMax === undefined ? {} : { hotKeysMax }) },
  );
  for (const event of eventsOf(rows)) {
    lists.time = event.time;
    detection.clock.accept(event);
    detection.drain();
  }
  detection.finish();
  return alerts;
}

const valuesIn = (part: ConditionPart | null): EventValues | undefined => {
  if (part === null) return undefined;
  const read = Object.assign({}, part.values, ...(part.parts ?? []).map(valuesIn));
  return Object.keys(read).length === 0 ? undefined : read;
};

describe('what an alert tells of its events', () => {
  it('is what the condition of their step read at them', () => {
    const rows: readonly Row[] = [
      [0, 'A', 2, 'DE', true],
      [1, 'A', 3, 'FR', true],
      [2, 'B', 1, 'IT', true],
      [3, 'A', 9, 'IT', true],
    ];
    const [alert] = alertsOf([ruleOf('chain', RULES.chain!)], rows);
    expect(alert!.steps.map(({ step, events }) => [step, events.map(({ id, values }) => [id, values])])).toEqual([
      [
        'small',
        [
          ['t0', { amount: 2, places: 1 }],
          ['t1', { amount: 3, places: 2 }],
        ],
      ],
      ['large', [['t3', { amount: 9, usual: 2.5, 'avg(small.amount)': 2.5, country: 'IT', before: 'FR' }]]],
    ]);
  });

  it.each(Object.keys(RULES))('is the same whether its key was kept as bytes meanwhile or not: %s', (id) => {
    const rules = [ruleOf(id, RULES[id]!)];
    let told = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const alerts = alertsOf(rules, rowsOf(seed));
      expect(JSON.stringify(alertsOf(rules, rowsOf(seed), { hotKeysMax: 1 }))).toBe(JSON.stringify(alerts));
      told += alerts.length;
    }
    expect(told).toBeGreaterThan(0);
  });

  it.each(Object.keys(RULES))('does not depend on the rules beside: %s', (id) => {
    const all = Object.entries(RULES).map(([name, body]) => ruleOf(name, body));
    for (let seed = 1; seed <= 4; seed++) {
      const beside = alertsOf(all, rowsOf(seed), { hotKeysMax: 2 }).filter(({ patternId }) => patternId === id);
      expect(beside).toEqual(alertsOf([ruleOf(id, RULES[id]!)], rowsOf(seed)));
    }
  });

  it('is that of the key, where an event counts for several', () => {
    const body = `
features: [{name: seen, count: true, over: 1h}]
within: 1h
pattern: [{begin: one, where: seen < 9}, {next: two, where: seen < 9}]`;
    const rule = ruleOf('each', body, '{each: [accountId, country]}');
    const rows: readonly Row[] = [
      [0, 'A', 1, 'DE', true],
      [1, 'B', 1, 'DE', true],
      [2, 'B', 1, 'FR', true],
    ];
    const told = alertsOf([rule], rows).map(({ key, steps }) => [
      key,
      steps.flatMap(({ events }) => events.map(({ id, values }) => `${id}: ${values!.seen}`)),
    ]);
    expect(told).toEqual([
      ['DE', ['t0: 1', 't1: 2']],
      ['B', ['t1: 1', 't2: 2']],
    ]);
  });

  it.each(Object.keys(RULES))('agrees with the explanation from the log: %s', (id) => {
    const rule = ruleOf(id, RULES[id]!);
    let compared = 0;
    for (let seed = 1; seed <= 3; seed++) {
      const rows = rowsOf(seed);
      for (const alert of alertsOf([rule], rows)) {
        const lists = new ChangingLists();
        const explainer = new Explainer({
          ...{ rule, key: alert.key, at: alert.detectedAt, lists, kindParents: new Map() },
          tell: ({ time, kind, fields, seq }) => ({
            ...{ id: String(fields.transactionId), eventTime: time, kind },
            ...{ topic: 'payments', partition: 0, offset: seq },
          }),
        });
        for (const [i, event] of eventsOf(rows).entries()) {
          event.seq = i + 1;
          lists.time = event.time;
          if (event.fields.accountId === alert.key) explainer.feed(event);
        }
        explainer.onAlert(alert);
        const run = explainer.finish(Number.POSITIVE_INFINITY).runs.find(({ end }) => end.why === 'matched');
        if (run === undefined) continue;
        const told = new Map(alert.steps.flatMap(({ events }) => events.map((event) => [event.id, event.values])));
        for (const { event, condition } of run.taken) {
          // The explanation asks the lists as they are when it is made, and says of which kind the event is.
          const isOfLists = (name: string): boolean => name.startsWith('list(') || name === 'kind';
          const rest = (values: EventValues | undefined) =>
            Object.entries(values ?? {}).filter(([name]) => !isOfLists(name));
          expect(rest(told.get(event.id))).toEqual(rest(valuesIn(condition)));
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(0);
  });

  it('is what lists had when the event came', () => {
    const rows: readonly Row[] = [
      [0, 'A', 1, 'FR', true],
      [4, 'A', 2, 'IT', true],
    ];
    const [alert] = alertsOf([ruleOf('list', RULES.list!)], rows);
    const [first, second] = alert!.steps.flatMap(({ events }) => events.map(({ values }) => values));
    expect(first).toEqual({ country: 'FR', accountId: 'A', "list('home', accountId)": 'DE' });
    expect(second).toEqual({ country: 'IT', 'abroad.country': 'FR', amount: 2, 'first(abroad).amount': 1, key: 'A' });
  });

  it('is told by an answer of what a transaction would do, too', () => {
    const rule = ruleOf('chain', RULES.chain!);
    const lists = new ChangingLists();
    const events = eventsOf([
      [0, 'A', 2, 'DE', true],
      [1, 'A', 3, 'FR', true],
      [3, 'A', 9, 'IT', true],
    ]);
    const detection = new Detection(
      [rule],
      { mode: 'arrival', outOfOrdernessMs: 0 },
      { onMatch: () => undefined },
      { lists, codec, outline: outlineCodec, streams: ['payments'] },
    );
    for (const [i, event] of events.entries()) event.seq = i + 1;
    const alerts: Alert[] = [];
    considerKey(detection.engines[0]!, 'A', events, {
      onMatch: (of, key, match, at) => void alerts.push(buildAlert(of, key, match, at, source(lists))),
      onAdvance: () => undefined,
    });
    expect(alerts[0]!.steps[0]!.events[1]!.values).toEqual({ amount: 3, places: 2 });
    expect(alerts[0]!.steps[1]!.events[0]!.values).toMatchObject({ usual: 2.5, before: 'FR' });
  });
});

describe('what is noted of an event', () => {
  it('is stored with it, beside its trace context', () => {
    const event = eventsOf([[0, 'A', 1, 'DE', true]])[0]!;
    const id = noteIdOf({ op: 'const', value: 1 });
    event.noted = new Noted([id, 1, 2, 3, 4], [2.5, 'é', true, false, null]);
    const read = codec.decode(codec.encode(event).slice()) as SourceEvent;
    expect(read.noted).toEqual(event.noted);
    expect(read).toMatchObject({ time: 0, offset: 0, kind: 'Transfer', fields: event.fields, traceparent: '00-trace' });
  });

  it('costs an event of which nothing is noted no byte', () => {
    const [event, other] = eventsOf([
      [0, 'A', 1, 'DE', true],
      [0, 'A', 1, 'DE', true],
    ]);
    expect(codec.encode(other!).length).toBe(8 + 1 + 1 + 1 + 1 + other!.raw.length);
    expect((codec.decode(codec.encode(event!).slice()) as SourceEvent).noted).toBeNull();
  });
});
