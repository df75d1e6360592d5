import { Gauge, type Registry } from 'prom-client';
import type { MetricsSources } from './metrics.js';

/** What is in force, what waits for someone, and what is on its way. */
export function addRuleMetrics(
  registry: Registry,
  { rules, detectorStatus }: Pick<MetricsSources, 'rules' | 'detectorStatus'>,
): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number | null): void => {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        const value = read();
        this.reset();
        if (value !== null) this.set(value);
      },
    });
  };
  gauge('stakeout_rules_revision', 'Revision of the rule set in force; 0: none was published', () => {
    const status = rules();
    return status === null ? null : (status.revision ?? 0);
  });
  gauge('stakeout_rules_pending', 'Revisions that wait for approval', () => rules()?.pending.length ?? null);
  gauge('stakeout_rules_history_intact', '0: someone has changed the history of the rules', () => {
    const status = rules();
    return status === null ? null : Number(status.intact);
  });
  gauge('stakeout_rules_filling_records', 'Records still to be read for rules that are filled from the log', () =>
    (detectorStatus()?.partitions ?? []).reduce(
      (sum, { filling, position }) => sum + (filling === undefined ? 0 : Math.max(0, position - filling.position)),
      0,
    ),
  );
  new Gauge({
    name: 'stakeout_rules',
    help: 'Rules of the set in force by status; canary: live for some of the keys',
    labelNames: ['status'],
    registers,
    collect() {
      this.reset();
      for (const [status, count] of Object.entries(rules()?.counts ?? {})) this.set({ status }, count);
    },
  });
}
