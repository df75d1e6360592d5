import { begin, feature, ge, type KeyState, type Limits, type Match, type Pattern } from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import type { HeldRecord } from '../../keys/states/slot-events.js';
import { dice } from '../../testing/dice.js';
import { is, ruleOf } from '../../testing/typed-events.js';
import { Noted } from '../noted.js';
import { SourceEvent } from '../source-event.js';
import type { HeldEvents } from './begun-runs.js';
import { KeyedEngine, type KeyedEngineOptions } from './keyed-engine.js';
import type { StoppedRule } from './quarantine.js';

const seen = (type: string, overMs: number) => feature({ fn: 'count', overMs, where: is(type) });

/** The first two, and `repeated`, have begun runs that can be bytes; the others are what may stand beside them. */
const PATTERNS: Readonly<Record<string, Pattern>> = {
  back: begin('A')
    .where(is('a'))
    .followedByAny('B')
    .where(is('b'))
    .where(ge(seen('b', 40), 2))
    .within(30)
    .build(),
  chain: begin('A')
    .where(is('d'))
    .followedByAny('B')
    .where(is('b'))
    .followedByAny('C')
    .where(is('c'))
    .within(25)
    .build(),
  repeated: begin('A').where(is('c')).followedByAny('B').where(is('c')).within(20).build(),
  alone: begin('A').where(is('a')).build(),
  often: begin('A')
    .where(is('a'))
    .where(ge(seen('a', 20), 3))
    .build(),
  pair: begin('A').where(is('b')).followedBy('B').where(is('d')).within(15).build(),
  absence: begin('A').where(is('e')).notFollowedBy('B').where(is('a')).within(10).build(),
};

/** Events as text: slow, and plain to see. */
class TextEvents implements HeldEvents {
  written = new Uint8Array(0);
  writes = 0;
  reads = 0;

  constructor(private readonly refused = '') {}

  write(event: SourceEvent, values: readonly unknown[]): number {
    if (event.fields.type === this.refused) return -1;
    this.writes++;
    this.written = Buffer.from(JSON.stringify([event.kind, event.fields, values]));
    return this.written.length;
  }

  read({ time, seq, offset, bytes }: HeldRecord, ids: readonly number[]): SourceEvent {
    this.reads++;
    const [kind, fields, values] = JSON.parse(Buffer.from(bytes).toString());
    const event = new SourceEvent(time, kind, fields, offset, new Uint8Array(0), null, true);
    event.seq = seq;
    if (ids.length > 0) event.noted = new Noted(ids, values);
    return event;
  }
}

class Host {
  readonly told: string[] = [];
  readonly engine: KeyedEngine;

  constructor(rules: readonly Rule[], options: KeyedEngineOptions) {
    const note = ({ seq, noted }: SourceEvent) => `${seq}${noted === null ? '' : JSON.stringify(noted.values)}`;
    const output = {
      onMatch: (rule: Rule, key: string, { steps }: Match, at: number): void => {
        const events = steps.map(({ events }) => events.map((event) => note(event as SourceEvent)).join(','));
        this.told.push(`${rule.id} ${key} ${at}: ${events.join(' ')}`);
      },
      onRunsDropped: ({ id }: Rule, key: string, runs: number): void =>
        void this.told.push(`${id} ${key} drops ${runs}`),
      onQuarantined: ({ id, reason }: StoppedRule): void => void this.told.push(`${id} is stopped: ${reason}`),
    };
    this.engine = new KeyedEngine('k', rules, output, { ...options, tellsChanges: false });
  }

  process(key: string, event: SourceEvent): void {
    const { engine } = this;
    while (engine.nextTimer() <= event.time) engine.fireNext();
    engine.process(key, event);
  }
}

/** Runs of shared graphs that are alive, by the events that they began with, and what is counted of them. */
function runsOf({ ruleSet }: KeyedEngine, state: KeyState | undefined, time: number): unknown {
  return (state?.slots ?? []).flatMap((slot, i) => {
    const own = state!.states[i]!;
    if (!('sets' in own)) return [];
    const begins = new Set<number>();
    const visit = (set: (typeof own.sets)[number] | null): void => {
      if (set === null) return;
      if (set.item.newest.time + ruleSet.patterns[slot]!.windowMs > time) begins.add(set.item.newest.seq);
      visit(set.left);
      visit(set.right);
    };
    for (const set of own.sets) visit(set);
    return begins.size === 0 ? [] : [[slot, own.held, own.added, own.states, [...begins].sort()]];
  });
}

const TYPES = ['a', 'a', 'a', 'a', 'b', 'c', 'd', 'd', 'e', 'x'];

interface Case {
  readonly patterns?: readonly string[];
  readonly limits?: Partial<Limits>;
  readonly refused?: string;
  /** Event time goes on by less than this at each event. */
  readonly stepMs?: number;
  readonly of?: readonly string[];
}

function bothWays({ patterns = Object.keys(PATTERNS), limits, refused, stepMs = 8, of = TYPES }: Case, seed: number) {
  const rules = patterns.map((id) => ruleOf(id, PATTERNS[id]!, { limits }));
  const events = new TextEvents(refused);
  const [plain, held] = [new Host(rules, {}), new Host(rules, { heldEvents: events })];
  const roll = dice(seed);
  const keys = ['x', 'y', 'z'];
  let time = 1000;
  for (let seq = 1; seq <= 600; seq++) {
    time += roll(stepMs);
    const [key, type] = [keys[roll(keys.length)]!, of[roll(of.length)]!];
    for (const host of [plain, held]) {
      const event = new SourceEvent(time, '', { k: key, type }, seq, new Uint8Array(0), null, true);
      event.seq = seq;
      host.process(key, event);
      if (seq % 50 === 0) host.engine.sweep(time - 100);
    }
    if (seq % 7 !== 0) continue;
    expect(held.told).toEqual(plain.told);
    const known = [plain, held].map(({ engine }) => runsOf(engine, engine.peek(key), time));
    expect(known[1]).toEqual(known[0]);
  }
  expect(held.told).toEqual(plain.told);
  for (const host of [plain, held]) for (let n = 0; n < 20; n++) host.engine.sweep(time + 1_000_000);
  expect([held.engine.keys, held.engine.runs]).toEqual([0, 0]);
  return { events, told: held.told };
}

const CASES: readonly (readonly [string, Case])[] = [
  ['of several rules', {}],
  ['where windows end often', { stepMs: 40 }],
  ['where nothing but begins', { patterns: ['back', 'alone'], of: ['a', 'a', 'a', 'a', 'a', 'a', 'b'] }],
  ['without features', { patterns: ['chain', 'alone', 'pair'] }],
  ['with a limit of runs', { limits: { runsMax: 6 }, stepMs: 3 }],
  ['with a limit of events', { limits: { eventsMax: 5 }, stepMs: 3 }],
  ['of rules that are stopped', { limits: { runsMax: 5, overflow: 'quarantine' }, stepMs: 3 }],
  ['of which some cannot be written', { refused: 'd' }],
];

describe('BegunRuns', () => {
  it.each(CASES)('changes nothing for events %s', (_, of) => {
    for (let seed = 1; seed <= 5; seed++) bothWays(of, seed);
  });

  it('keeps events as bytes, and reads those of a key once something concerns them', () => {
    const { events, told } = bothWays({ patterns: ['back', 'alone', 'often'] }, 3);
    expect(events.writes).toBeGreaterThan(100);
    expect(events.reads).toBeGreaterThan(0);
    expect(told.some((line) => line.startsWith('back '))).toBe(true);
  });

  it('gives up where events would be read again and again', () => {
    const of = [...new Array<string>(30).fill('b'), 'a'];
    const events = new TextEvents();
    const host = new Host([ruleOf('back', PATTERNS.chain!), ruleOf('back2', PATTERNS.back!)], { heldEvents: events });
    for (let seq = 1; seq <= 20_000; seq++) {
      const event = new SourceEvent(
        1000 + (seq >> 4),
        '',
        { k: 'x', type: of[seq % of.length] },
        seq,
        new Uint8Array(0),
        null,
        true,
      );
      event.seq = seq;
      host.process('x', event);
    }
    expect(events.reads).toBeLessThanOrEqual(2 * events.writes + 1100);
  });
});
