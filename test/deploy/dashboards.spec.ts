import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { promtool } from '../harness/servers/index.js';
import { dashboards } from './kit/dashboards.js';
import { expectGenerated } from './kit/generated.js';
import { dashboard, queriesOf } from './kit/grafana.js';
import { metricsIn, metricsText, sampleNames } from './kit/metrics-text.js';

describe('the dashboards for Grafana', () => {
  it.each(dashboards.map((spec) => [spec.uid, spec] as const))('%s is up to date, for the chart too', (uid, spec) => {
    const text = `${JSON.stringify(dashboard(spec), null, 2)}\n`;
    expectGenerated(`deploy/grafana/dashboards/${uid}.json`, text);
    expectGenerated(`k8s/chart/files/dashboards/${uid}.json`, text);
  });

  it.each(dashboards.map((spec) => [spec.uid, spec] as const))('%s asks what Prometheus understands', (_, spec) => {
    const folder = mkdtempSync(join(tmpdir(), 'stakeout-dashboards-'));
    try {
      const rules = queriesOf(spec).map((expr, i) => ({ record: `query:${i}`, expr }));
      const file = join(folder, 'queries.yaml');
      writeFileSync(file, stringify({ groups: [{ name: 'queries', rules }] }));
      const { status, said } = promtool(['check', 'rules', '--lint=none', file]);
      expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining(`${rules.length} rules found`) });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('ask for metrics that there are', async () => {
    const names = sampleNames(await metricsText());
    expect(
      dashboards
        .flatMap(queriesOf)
        .flatMap(metricsIn)
        .filter((name) => !names.has(name)),
    ).toEqual([]);
  });

  it('show every metric of ours', async () => {
    const shown = new Set(dashboards.flatMap(queriesOf).flatMap(metricsIn));
    const ours = [...sampleNames(await metricsText())].filter((name) => name.startsWith('stakeout_'));
    // A count and a sum stand beside the buckets, from which quantiles are made.
    const missing = ours.filter((name) => !shown.has(name) && !/_(sum|count)$/.test(name));
    expect(missing).toEqual(['stakeout_position_records']);
  });

  it('have panels that lie beside each other, not over each other', () => {
    for (const spec of dashboards) {
      const { panels } = dashboard(spec) as {
        panels: { id: number; gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[];
      };
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    }
  });
});
