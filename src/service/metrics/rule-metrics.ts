import type { Readings } from './readings.js';
import type { MetricsSources } from './sources.js';

/** What is in force, what waits for someone, and what is on its way. */
export function addRuleMetrics(readings: Readings, { rules, detectorStatus }: MetricsSources): void {
  readings.gauge('stakeout_rules_revision', 'Revision of the rule set in force; 0: none was published', () => {
    const status = rules();
    return status === null ? null : (status.revision ?? 0);
  });
  readings.gauge('stakeout_rules_pending', 'Revisions that wait for approval', () => rules()?.pending.length ?? null);
  readings.gauge('stakeout_rules_history_intact', '0: someone has changed the history of the rules', () => {
    const status = rules();
    return status === null ? null : Number(status.intact);
  });
  readings.gauge(
    'stakeout_rules_filling_records',
    'Records still to be read for rules that are filled from the log',
    () =>
      (detectorStatus()?.partitions ?? []).reduce(
        (sum, { filling, position }) => sum + (filling === undefined ? 0 : Math.max(0, position - filling.position)),
        0,
      ),
  );
  readings.gauges(
    'stakeout_rules',
    'Rules of the set in force by status; canary: live for some of the keys',
    ['status'],
    () => Object.entries(rules()?.counts ?? {}).map(([status, count]) => [{ status }, count]),
  );
}
