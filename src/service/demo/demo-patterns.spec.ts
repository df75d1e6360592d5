import {
  compileRuleSet,
  type EngineEvent,
  type FieldValue,
  type KeyState,
  type Match,
  processKey,
} from '../../engine/index.js';
import { loadRules, parseRule, type Rule } from '../../rules/index.js';
import { shippedPatterns } from '../../runtime/settings/index.js';
import { DemoGenerator } from './demo-generator.js';
import { SCENARIOS } from './demo-scenarios.js';
import type { DemoTransaction } from './demo-transaction.js';

/** The demo stream through the engine: what a person sees who starts the service for the first time. */
const START = Date.UTC(2026, 0, 15, 9);
const EVERY_MS = 20;

interface Found {
  readonly ruleId: string;
  readonly account: string;
  /** When the last record of the match was written, after the start. */
  readonly writtenAtMs: number;
}

/** Runs rules over the first so many seconds of the stream, by event time and key, as the service does. */
function alerts(rules: readonly Rule[], seconds: number): readonly Found[] {
  const generator = new DemoGenerator({ seed: 1 });
  const written = Array.from({ length: seconds * (1_000 / EVERY_MS) }, (_unused, i) => ({
    atMs: i * EVERY_MS,
    transaction: generator.next(START + i * EVERY_MS),
  })).map((record, seq) => ({ ...record, event: eventOf(record.transaction, seq) }));
  const inOrder = [...written].sort((a, b) => a.event.time - b.event.time || a.event.seq - b.event.seq);
  return rules.flatMap((rule) => {
    // Compiled once: there are thousands of keys.
    const compiled = compileRuleSet([{ id: rule.id, pattern: rule.pattern }], { sharing: 'never' });
    const states = new Map<FieldValue, KeyState | undefined>();
    const found: Found[] = [];
    for (const { event, transaction } of inOrder) {
      const key = event.fields[rule.key];
      if (key === null || key === undefined) continue;
      const onMatch = ({ steps }: Match): void => {
        const writtenAtMs = Math.max(
          ...steps.flatMap(({ events }) => events.map(({ seq }) => written[seq]?.atMs ?? 0)),
        );
        found.push({ ruleId: rule.id, account: transaction.accountId, writtenAtMs });
      };
      states.set(key, processKey(compiled, states.get(key), event, { slot: 0, onMatch }));
    }
    return found;
  });
}

function eventOf(transaction: DemoTransaction, seq: number): EngineEvent {
  return { time: transaction.eventTime, seq, kind: transaction.type, fields: { ...transaction } };
}

const offshoreDrain = `id: offshore-drain
title: Large payment, a withdrawal, then offshore
status: live
key: accountId
within: 10m
pattern:
  - begin: large
    where: amount > 10000.0
  - next: cash
    subtype: Withdrawal
  - followedBy: offshore
    where: country == 'OFFSHORE'
skip: pastLastEvent
alert:
  severity: high
  score: 80
  message: "{{ offshore.amount }} sent offshore {{ duration }} after {{ large.amount }}"
`;

describe('the demo stream', () => {
  it('gives the classic sequence of three within three seconds, and again about every one and a half minutes', () => {
    const { rule, diagnostics } = parseRule(offshoreDrain, 'pattern.yaml', null);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const found = rule === null ? [] : alerts([rule], 600);
    expect(found[0]?.writtenAtMs).toBeLessThanOrEqual(3_000);
    expect(found.length).toBeGreaterThanOrEqual(5);
    expect(found.length).toBeLessThanOrEqual(10);
  });

  it('sets off every shipped pattern that a scenario is named after', async () => {
    const { rules } = await loadRules([shippedPatterns]);
    const named = rules.filter(({ id }) => SCENARIOS.some(({ name }) => name === id));
    const found = new Set(alerts(named, 150).map(({ ruleId }) => ruleId));
    expect(named.map(({ id }) => id).filter((id) => !found.has(id))).toEqual([]);
  });
});
