/** As much of Grafana's dashboard format as ours use (schema version 41). */
export interface Query {
  readonly expr: string;
  /** How a series is named: `{{topic}}-{{partition}}`. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly title: string;
  readonly description: string;
  readonly queries: readonly Query[];
  /** One of Grafana's: `short`, `s`, `bytes`, `percentunit`, `reqps`. */
  readonly unit: string;
  readonly kind?: 'timeseries' | 'stat' | 'table' | 'heatmap';
  /** From which value on it is orange, and red. */
  readonly thresholds?: readonly [number, number];
  /** Of 24. */
  readonly width?: number;
}

export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

export interface DashboardSpec {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly RowSpec[];
}

const HEIGHT = 8;
const STAT_HEIGHT = 4;
const COLUMNS = 24;
const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

/** The dashboard as Grafana imports it. */
export function dashboard({ uid, title, description, rows }: DashboardSpec): object {
  return {
    uid,
    title,
    description,
    tags: ['stakeout'],
    schemaVersion: 41,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [] },
    links: [
      {
        title: 'stakeout',
        type: 'dashboards',
        tags: ['stakeout'],
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
    ],
    templating: { list: [datasourceVariable(), variable('job', ''), variable('instance', ', job=~"$job"')] },
    panels: panelsOf(rows),
  };
}

/** Every query of a dashboard, with what Grafana would put in place of its variables. */
export const queriesOf = ({ rows }: DashboardSpec): readonly string[] =>
  rows.flatMap(({ panels }) =>
    panels.flatMap(({ queries }) =>
      queries.map(({ expr }) =>
        expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', '.*').replaceAll('$instance', '.*'),
      ),
    ),
  );

function panelsOf(rows: readonly RowSpec[]): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: at(0, y, COLUMNS, 1),
      panels: [],
    });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const spec of row.panels) {
      const width = spec.width ?? 8;
      const height = spec.kind === 'stat' ? STAT_HEIGHT : HEIGHT;
      if (x + width > COLUMNS) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      panels.push(panel(panels.length + 1, spec, at(x, y, width, height)));
      x += width;
      tallest = Math.max(tallest, height);
    }
    y += tallest;
  }
  return panels;
}

const at = (x: number, y: number, w: number, h: number): object => ({ x, y, w, h });

function panel(id: number, spec: PanelSpec, gridPos: object): object {
  const { title, description, queries, unit, kind = 'timeseries', thresholds } = spec;
  const instant = kind === 'stat' || kind === 'table';
  return {
    ...{ id, type: kind, title, description, gridPos, datasource: DATASOURCE },
    targets: queries.map(({ expr, legend }, i) => ({
      ...{ refId: String.fromCharCode(65 + i), datasource: DATASOURCE, expr, legendFormat: legend },
      ...(instant ? { instant: true, range: false } : { range: true }),
      ...(kind === 'table' ? { format: 'table' } : kind === 'heatmap' ? { format: 'heatmap' } : {}),
    })),
    fieldConfig: {
      defaults: { unit, min: 0, thresholds: stepsOf(thresholds), ...(kind === 'timeseries' ? { custom: lines } : {}) },
      overrides: [],
    },
    options: optionsOf(kind),
  };
}

const lines = { drawStyle: 'line', lineWidth: 1, fillOpacity: 8, showPoints: 'never', spanNulls: false };

function stepsOf(thresholds: readonly [number, number] | undefined): object {
  const steps: object[] = [{ color: 'green', value: null }];
  if (thresholds !== undefined)
    steps.push({ color: 'orange', value: thresholds[0] }, { color: 'red', value: thresholds[1] });
  return { mode: 'absolute', steps };
}

function optionsOf(kind: NonNullable<PanelSpec['kind']>): object {
  switch (kind) {
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'stat':
      return {
        colorMode: 'value',
        graphMode: 'none',
        justifyMode: 'auto',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        textMode: 'auto',
      };
    case 'table':
      return { showHeader: true, cellHeight: 'sm' };
    case 'heatmap':
      return {
        calculate: false,
        color: { mode: 'scheme', scheme: 'Oranges', steps: 64 },
        yAxis: { unit: 's' },
        tooltip: { mode: 'single' },
      };
  }
}

const datasourceVariable = (): object => ({
  ...{
    name: 'datasource',
    label: 'Prometheus',
    type: 'datasource',
    query: 'prometheus',
    hide: 0,
    refresh: 1,
    regex: '',
  },
  ...{ multi: false, includeAll: false, current: {}, options: [] },
});

const variable = (name: string, matchers: string): object => ({
  ...{ name, type: 'query', datasource: DATASOURCE, hide: 0, refresh: 2, sort: 1, multi: true, includeAll: true },
  ...{ allValue: '.*', current: { text: 'All', value: '$__all' }, options: [], regex: '' },
  query: {
    query: `label_values(stakeout_build_info${matchers === '' ? '' : `{${matchers.slice(2)}}`}, ${name})`,
    refId: name,
  },
});
