import type { Limits, OverflowPolicy } from '../../engine/index.js';
import type { Rule } from '../rule.js';
import type { Section } from './yaml-section.js';

export const LIMIT_KEYS = ['runs', 'matches', 'events', 'overflow'] as const;
const POLICIES: readonly OverflowPolicy[] = ['dropOldest', 'dropNewest', 'restart', 'quarantine'];
const MOST = 10_000_000;

/** `limits` of a rule: how much it may hold for a key, and what happens beyond; what it does not say, the settings do. */
export function readLimits(rule: Section): Pick<Rule, 'limits'> {
  const section = rule.section('limits', 'limits', LIMIT_KEYS);
  if (section === undefined) return {};
  const count = (key: string): number | undefined =>
    section.parsed(key, 'bad-value', `a whole number from 1 to ${MOST}`, parseCount);
  const [runsMax, matchesMax, eventsMax] = [count('runs'), count('matches'), count('events')];
  const overflow = section.choice('overflow', POLICIES);
  const limits: Partial<Limits> = {
    ...(runsMax === undefined ? {} : { runsMax }),
    ...(matchesMax === undefined ? {} : { matchesMax }),
    ...(eventsMax === undefined ? {} : { eventsMax }),
    ...(overflow === undefined ? {} : { overflow }),
  };
  return Object.keys(limits).length === 0 ? {} : { limits };
}

function parseCount(text: string): number | undefined {
  const count = Number(text);
  return /^\d+$/.test(text) && count >= 1 && count <= MOST ? count : undefined;
}
