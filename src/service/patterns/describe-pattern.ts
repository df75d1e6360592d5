import type { Step } from '../../engine/index.js';
import type { Rule } from '../../rules/index.js';
import type { DetectorStatus } from '../../runtime/detector.js';
import { quarantinedOf } from '../rules/quarantined.js';
import type { PatternDto, PatternHealthDto } from './pattern.dto.js';

/** `latencyMs`: see `PatternHealthDto`. */
export function describePattern(rule: Rule, status: DetectorStatus | null, latencyMs: number | null): PatternDto {
  const { id, title, status: of, key, streams, tags, revision, alert, pattern } = rule;
  return {
    ...{ id, title, description: rule.description ?? null, status: of, canary: rule.canary ?? null, key, streams },
    ...{ severity: alert.severity, score: typeof alert.score === 'number' ? alert.score : null },
    steps: stepNames(pattern.steps),
    withinMs: pattern.withinMs ?? null,
    ...{ tags, revision },
    health: healthOf(id, status, latencyMs),
  };
}

function healthOf(id: string, status: DetectorStatus | null, latencyMs: number | null): PatternHealthDto {
  return {
    matches: status?.matches.get(id) ?? 0,
    ...{ runs: status?.runs === undefined ? null : (status.runs.get(id) ?? 0), cost: costOf(id, status), latencyMs },
    quarantined: quarantinedOf(status, id),
    filling: (status?.partitions ?? []).some(({ filling }) => filling?.rules.includes(id) === true),
  };
}

/** Of all looks at events of keys, those of this pattern. */
function costOf(id: string, status: DetectorStatus | null): number | null {
  const all = [...(status?.steps.values() ?? [])].reduce((sum, steps) => sum + steps, 0);
  return all === 0 ? null : (status?.steps.get(id) ?? 0) / all;
}

export function stepNames(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => (step.kind === 'group' ? stepNames(step.steps) : [step.name]));
}
