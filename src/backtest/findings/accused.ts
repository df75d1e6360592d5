import type { EngineEvent, Match } from '../../engine/index.js';
import type { Accuses, Rule } from '../../rules/rule.js';

/** What a rule accuses, or else the back-test: `last`, `all`, or the name of a step. */
export function accusesOf(rule: Rule, otherwise: string): Accuses {
  if (rule.accuses !== undefined) return rule.accuses;
  return otherwise === 'last' || otherwise === 'all' ? otherwise : [otherwise];
}

/**
 * The events of a match that are accused, each once. The last one is that of the latest event time and, among those, of the
 * latest step. A rule that has none of the steps accuses its last event: a step's name in the settings speaks of some rules only.
 */
export function accusedEvents(match: Match, accuses: Accuses): readonly EngineEvent[] {
  if (accuses === 'all') return distinct(match.steps.flatMap((step) => step.events));
  if (accuses !== 'last') {
    const events = match.steps.flatMap((step) => (accuses.includes(step.name) ? step.events : []));
    if (events.length > 0) return distinct(events);
  }
  let last: EngineEvent | null = null;
  for (const step of match.steps) {
    for (const event of step.events) if (last === null || event.time >= last.time) last = event;
  }
  return last === null ? [] : [last];
}

const distinct = (events: readonly EngineEvent[]): readonly EngineEvent[] =>
  events.length < 2 ? events : [...new Set(events)];
