import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { promtool } from '../harness/servers/index.js';
import { anchorsOf } from '../house/links.js';
import { root } from '../house/source.js';
import { metricsIn, metricsText, sampleNames } from './kit/metrics-text.js';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

interface UnitTest {
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly object[] }[];
}

const folder = join(root, 'deploy/prometheus');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { groups } = parse(read('deploy/prometheus/stakeout.rules.yaml')) as { groups: { rules: Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);
const { tests } = parse(read('deploy/prometheus/stakeout.rules.test.yaml')) as { tests: UnitTest[] };

describe('the alert rules', () => {
  it.each([
    [['check', 'rules', join(folder, 'stakeout.rules.yaml')], `SUCCESS: ${alerts.length} rules found`],
    [['test', 'rules', join(folder, 'stakeout.rules.test.yaml')], 'SUCCESS'],
    [['check', 'config', '--syntax-only', join(folder, 'prometheus.yml')], 'SUCCESS'],
  ])('promtool %j', (args, success) => {
    const { status, said } = promtool(args);
    expect(said).toContain(success);
    expect(said).not.toContain('FAILED');
    expect(status).toBe(0);
  });

  it('ask for metrics that there are', async () => {
    const names = sampleNames(await metricsText());
    expect(alerts.flatMap(({ expr }) => metricsIn(expr)).filter((name) => !names.has(name))).toEqual([]);
  });

  it.each(alerts.map((alert) => [alert.alert, alert] as const))(
    '%s has a runbook, and a test in which it fires',
    (name, alert) => {
      expect(alert.labels.severity).toMatch(/^(critical|warning)$/);
      const [page, anchor] = alert.annotations.runbook_url.split('#') as [string, string];
      expect(anchorsOf(read(page))).toContain(anchor);
      const fired = tests
        .flatMap(({ alert_rule_test }) => alert_rule_test)
        .filter(({ exp_alerts }) => exp_alerts.length > 0);
      expect(fired.map(({ alertname }) => alertname)).toContain(name);
    },
  );

  it('have no runbook too many', () => {
    const headings = [...read('docs/runbooks.md').matchAll(/^## (Stakeout\w+)$/gm)].map(([, name]) => name);
    expect(headings.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });

  it('that are asked for are there', () => {
    for (const name of [
      'LagHigh',
      'CheckpointsFailing',
      'WatermarkStuck',
      'DeadLettersRising',
      'SinkBehind',
      'StateGrowing',
      'NoInput',
    ]) {
      expect(alerts.map(({ alert }) => alert)).toContain(`Stakeout${name}`);
    }
  });
});
