import type { Match } from '../../engine/index.js';
import { parseRule, type Rule } from '../../rules/index.js';
import type { ConsideredAdvance } from './consider.js';
import { Detection } from './detection.js';
import { SourceEvent } from './source-event.js';

const streams = ['payments'];

function ruleOf(body: string): Rule {
  const { rule, diagnostics } = parseRule(`key: user\nwithin: 20s\n${body}`, 'rule.yaml', [
    { name: 'payments', schema: null },
  ]);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rule!;
}

const RULES = {
  sequence: 'id: sequence\npattern: [{begin: a, where: amount > 5}, {next: b, where: amount < 5}, {followedBy: c}]',
  loop: 'id: loop\npattern: [{begin: a, where: amount > 5, times: 2+}, {followedBy: b, where: amount < 3}]',
  combinations:
    'id: combinations\npattern: [{begin: a, where: amount > 4, times: 1+}, {followedByAny: b, where: amount < 4}]',
  skipping:
    'id: skipping\nskip: pastLastEvent\npattern: [{begin: a, where: amount > 2, times: 1+, greedy: true}, {followedBy: b, where: amount < 3}]',
  absence: 'id: absence\npattern: [{begin: a, where: amount > 7}, {notFollowedBy: b, where: amount < 2}]',
  feature:
    'id: feature\nfeatures: [{name: spent, sum: amount, over: 10s}]\npattern: [{begin: a, where: spent > 15.0}]\nalert: {message: "{{ spent }}"}',
  'look back': 'id: look-back\npattern: [{begin: a}, {followedBy: b, where: amount > a.amount + 3}]',
} as const;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** Times never fall, and often stay. */
function eventsOf(seed: number, count: number): readonly SourceEvent[] {
  const draw = random(seed);
  let time = 1000;
  return Array.from({ length: count }, (_, offset) => {
    time += Math.floor(draw() * 3) * 1000;
    const fields = { user: `u${Math.floor(draw() * 3)}`, amount: Math.floor(draw() * 10) };
    return new SourceEvent(time, '', fields, offset, new Uint8Array(0), null, true, 'payments');
  });
}

const told = (rule: Rule, key: string, match: Match): string =>
  `${rule.id} ${key}: ${match.steps
    .map(({ name, events }) => `${name} ${events.map((event) => (event as SourceEvent).offset).join(',')}`)
    .join('; ')} ${JSON.stringify(match.features ?? {})}`;

describe('what an event would do', () => {
  it.each(Object.entries(RULES))('is what it then does: %s', (_, body) => {
    const rules = [ruleOf(body)];
    for (let seed = 1; seed <= 20; seed++) expect(considered(rules, seed)).toEqual(done(rules, seed));
  });

  it('is the same beside other rules of the same key', () => {
    const rules = Object.values(RULES).map(ruleOf);
    for (let seed = 1; seed <= 10; seed++) expect(considered(rules, seed)).toEqual(done(rules, seed));
  });

  it('names the farthest step of a run that it would carry on, and its place among all', () => {
    const detection = detectionOf([ruleOf(RULES.sequence)], () => undefined);
    const advances: ConsideredAdvance[] = [];
    const amounts = [6, 1, 7];
    amounts.forEach((amount, offset) => {
      const event = new SourceEvent(
        offset,
        '',
        { user: 'u', amount },
        offset,
        new Uint8Array(0),
        null,
        true,
        'payments',
      );
      detection.consider(event, {
        onMatch: () => undefined,
        onAdvance: (_rule, advance) => void advances.push(advance),
      });
      detection.clock.accept(event);
      detection.drain();
    });
    // The last one completes a match, and begins a run of its own.
    expect(advances.map(({ step, reached, of }) => [step, reached, of])).toEqual([
      ['a', 1, 3],
      ['b', 2, 3],
      ['a', 1, 3],
    ]);
  });
});

function detectionOf(
  rules: readonly Rule[],
  onMatch: (rule: Rule, key: string, match: Match, at: number, trigger: SourceEvent | null) => void,
): Detection {
  return new Detection(rules, { mode: 'event-time', outOfOrdernessMs: 3000 }, { onMatch }, { streams });
}

/** By event, what it was said to complete before it came. */
function considered(rules: readonly Rule[], seed: number): readonly (readonly string[])[] {
  const detection = detectionOf(rules, () => undefined);
  return eventsOf(seed, 40).map((event) => {
    const found: string[] = [];
    detection.consider(event, {
      onMatch: (rule, key, match) => void found.push(told(rule, key, match)),
      onAdvance: () => undefined,
    });
    detection.clock.accept(event);
    detection.drain();
    return found.sort();
  });
}

/** By event, what it completed in a stream that nobody asked anything. */
function done(rules: readonly Rule[], seed: number): readonly (readonly string[])[] {
  const events = eventsOf(seed, 40);
  const found = events.map((): string[] => []);
  const detection = detectionOf(rules, (rule, key, match, _at, trigger) => {
    if (trigger !== null) found[trigger.offset]!.push(told(rule, key, match));
  });
  for (const event of events) {
    detection.clock.accept(event);
    detection.drain();
  }
  detection.finish();
  return found.map((list) => list.sort());
}
