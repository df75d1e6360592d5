import type { DashboardSpec, PanelSpec, Query } from './grafana.js';

const of = 'job=~"$job", instance=~"$instance"';
/** A metric of the instances that are chosen. */
const m = (name: string, more = ''): string => `stakeout_${name}{${of}${more && `, ${more}`}}`;
const rate = (name: string, more = ''): string => `rate(${m(name, more)}[$__rate_interval])`;
const quantiles = (name: string): readonly Query[] =>
  [0.5, 0.95, 0.99].map((q) => ({
    expr: `histogram_quantile(${q}, sum by (le) (${rate(`${name}_bucket`)}))`,
    legend: `${q * 100} of 100 within`,
  }));
const panel = (
  title: string,
  unit: string,
  description: string,
  ...queries: (readonly [expr: string, legend: string])[]
): PanelSpec => ({
  ...{ title, unit, description },
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
});
const stat = (
  title: string,
  unit: string,
  description: string,
  expr: string,
  thresholds?: readonly [number, number],
): PanelSpec => ({
  ...{ title, unit, description, kind: 'stat', width: 4, queries: [{ expr, legend: title }] },
  ...(thresholds && { thresholds }),
});
const PARTITION = '{{topic}}-{{partition}}';

export const overview: DashboardSpec = {
  uid: 'stakeout-overview',
  title: 'stakeout: overview',
  description: 'Is it well, does it keep up, do alerts arrive?',
  rows: [
    {
      title: 'Now',
      panels: [
        stat('Instances', 'short', 'That answer Prometheus.', `count(${m('build_info')})`),
        stat(
          'Not running',
          'short',
          'Instances whose detection is not in the phase running.',
          `count(${m('detector_phase', 'phase="running"')} == 0) or vector(0)`,
          [1, 1],
        ),
        stat('Partitions live', 'short', 'Over all instances.', `sum(${m('partitions', 'phase="live"')})`),
        stat(
          'Restoring',
          'short',
          'Partitions of which no event is looked at yet.',
          `sum(${m('partitions', 'phase="restoring"')})`,
          [1, 10],
        ),
        stat(
          'Behind',
          's',
          'The partition that is farthest behind, by the time of the log.',
          `max(${m('lag_seconds')})`,
          [60, 600],
        ),
        stat('Patterns stopped', 'short', 'Once for each partition.', `sum(${m('patterns_quarantined')})`, [1, 1]),
      ],
    },
    {
      title: 'Way of an event',
      panels: [
        panel('Records', 'reqps', 'Taken in, a second.', [
          `sum by (instance) (${rate('records_total')})`,
          '{{instance}}',
        ]),
        panel('Behind, in records', 'short', 'Between what is processed and the end of the log.', [
          m('lag_records'),
          PARTITION,
        ]),
        panel('Behind, in time', 's', 'Age of the next record by the time of the log, while there are more.', [
          m('lag_seconds'),
          PARTITION,
        ]),
        panel('Event time behind the clock', 's', 'With the wait for events that are out of order.', [
          `max by (topic, partition) (${m('event_time_lag_seconds')})`,
          PARTITION,
        ]),
        panel(
          'Watermarks',
          'dateTimeAsIso',
          'The event time up to which everything is processed: one ahead of the clock makes all that comes late.',
          [`1000 * max by (topic, partition) (${m('watermark_timestamp_seconds')})`, PARTITION],
        ),
        panel(
          'Late and unreadable',
          'reqps',
          'Events behind the watermark, and dead letters.',
          [`sum(${rate('late_total')})`, 'late'],
          [`sum(${rate('dead_letters_total')})`, 'dead letters'],
        ),
        panel(
          'Tables',
          'short',
          'Rows of tables that are in the topics of their streams, and tables that cannot be read on.',
          [`max by (stream) (${m('table_rows')})`, '{{stream}}'],
          [`max by (stream) (${m('table_in_trouble')})`, '{{stream}} in trouble'],
        ),
        panel('Waiting for event time', 'short', 'Events that are held back until the watermark passes them.', [
          `sum by (instance) (${m('buffered_events')})`,
          '{{instance}}',
        ]),
      ],
    },
    {
      title: 'Alerts',
      panels: [
        panel('Alerts', 'reqps', 'Committed, a second.', [`sum(${rate('alerts_total')})`, 'alerts']),
        {
          ...panel('From event time to committed alert', 's', 'Of the moment at which a match is complete.'),
          queries: quantiles('alert_latency_seconds'),
        },
        panel('Sinks behind', 'short', 'Alerts that are committed and not written yet.', [
          `sum by (sink) (${m('sink_lag_records')})`,
          '{{sink}}',
        ]),
        panel(
          'Sinks',
          'reqps',
          'Alerts written, tries that failed, and alerts that a sink refused for good.',
          [`sum by (sink) (${rate('sink_written_total')})`, '{{sink}} written'],
          [`sum by (sink) (${rate('sink_failures_total')})`, '{{sink}} failed'],
          [`sum by (sink) (${rate('sink_dead_letters_total')})`, '{{sink}} refused'],
        ),
        panel('Handlers of the application', 'reqps', 'Calls by result.', [
          `sum by (result) (${rate('handler_calls_total')})`,
          '{{result}}',
        ]),
        panel('Live watchers', 'short', 'Clients that watch alerts live.', [`sum(${m('live_streams')})`, 'clients']),
      ],
    },
    {
      title: 'Decisions',
      panels: [
        {
          ...panel('Time of a decision', 's', 'Of those that were answered; the aim is 99 of 100 within 10 ms.'),
          queries: quantiles('decision_seconds'),
        },
        panel(
          'Decisions',
          'reqps',
          'By outcome. Partial: some rules had no say. Refused: what was sent does not hold. Away: its state or the log did not answer.',
          [`sum by (outcome) (${rate('decisions_total')})`, '{{outcome}}'],
        ),
      ],
    },
  ],
};

export const patterns: DashboardSpec = {
  uid: 'stakeout-patterns',
  title: 'stakeout: patterns',
  description: 'What each pattern finds, and what it costs.',
  rows: [
    {
      title: 'Rule set',
      panels: [
        stat('Revision', 'none', 'In force; 0: none was published.', `max(${m('rules_revision')})`),
        stat(
          'Revisions in force',
          'short',
          'More than one: instances are on their way to another.',
          `count(count by (value) (count_values("value", ${m('rules_revision')})))`,
          [2, 3],
        ),
        stat('Wait for approval', 'short', 'Revisions that another person must approve.', `max(${m('rules_pending')})`),
        stat(
          'History intact',
          'bool_yes_no',
          'No: someone has changed the history of the rules.',
          `min(${m('rules_history_intact')})`,
        ),
        stat(
          'Still to be filled',
          'short',
          'Records to be read for rules that are filled from the log.',
          `sum(${m('rules_filling_records')})`,
        ),
        stat(
          'Stopped',
          'short',
          'Patterns in quarantine, once for each partition.',
          `sum(${m('patterns_quarantined')})`,
          [1, 1],
        ),
      ],
    },
    {
      title: 'Each pattern',
      panels: [
        {
          ...panel('Matches', 'reqps', 'A second, by pattern.', [
            `topk(15, sum by (pattern) (${rate('matches_total')}))`,
            '{{pattern}}',
          ]),
          width: 12,
        },
        {
          ...panel(
            'Cost',
            'reqps',
            'How often a pattern had to look at an event of a key, a second. Patterns that do the same are stepped as one.',
            [`topk(15, sum by (pattern) (${rate('pattern_steps_total')}))`, '{{pattern}}'],
          ),
          width: 12,
        },
        {
          ...panel('Partial matches of each', 'short', 'Alive, by pattern; an estimate where many keys have any.', [
            `topk(15, sum by (pattern) (${m('pattern_runs')}))`,
            '{{pattern}}',
          ]),
          width: 12,
        },
        {
          ...panel(
            'Until its alerts are committed',
            's',
            'From the event time at which a match is complete: what 99 in 100 of the newest 1,000 alerts of a pattern did not exceed, on the slowest instance.',
            [`topk(15, max by (pattern) (${m('pattern_alert_latency_seconds')}))`, '{{pattern}}'],
          ),
          width: 12,
        },
        panel('Rules by status', 'short', 'Of the set in force.', [`max by (status) (${m('rules')})`, '{{status}}']),
        panel('Partial matches', 'short', 'Alive.', [`sum by (instance) (${m('runs_alive')})`, '{{instance}}']),
        panel(
          'Given up at a limit',
          'reqps',
          'Partial matches, and matches that were not written out.',
          [`sum(${rate('runs_dropped_total')})`, 'partial matches'],
          [`sum(${rate('matches_dropped_total')})`, 'matches'],
        ),
        panel('Near misses', 'reqps', 'Partial matches that ended one step short, of patterns that tell them.', [
          `sum(${rate('near_misses_total')})`,
          'near misses',
        ]),
      ],
    },
  ],
};

export const internals: DashboardSpec = {
  uid: 'stakeout-internals',
  title: 'stakeout: state and machines',
  description: 'State, checkpoints, lanes, threads.',
  rows: [
    {
      title: 'State',
      panels: [
        panel(
          'Keys',
          'short',
          'Ready for use, and kept as bytes.',
          [`sum(${m('keys_hot')})`, 'ready'],
          [`sum(${m('keys_cold')})`, 'as bytes'],
          [`sum(${m('keys')})`, 'all'],
        ),
        panel(
          'State',
          'bytes',
          'Of keys, but for that of keys that are ready.',
          [`sum by (instance) (${m('state_bytes')})`, '{{instance}}'],
          [`sum(${m('keys_cold_bytes')})`, 'cold keys'],
          [`sum(${m('keys_table_bytes')})`, 'tables'],
          [`sum(${m('state_records_bytes')})`, 'what is in the store'],
        ),
        panel('Windows in a file', 'bytes', 'Windows of features beyond the bound on memory.', [
          `sum(${m('windows_spilled_bytes')})`,
          'bytes',
        ]),
        panel('Windows found in memory', 'percentunit', 'Of those that were looked at.', [
          `sum(${m('windows_hits')}) / (sum(${m('windows_hits')}) + sum(${m('windows_misses')}))`,
          'hits',
        ]),
        panel('Keys with windows in a file', 'short', 'Their windows come back with their next event.', [
          `sum(${m('windows_spilled_keys')})`,
          'keys',
        ]),
        panel('Replayed', 'reqps', 'Records that are replayed to restore state.', [
          `sum by (instance) (${rate('replayed_records_total')})`,
          '{{instance}}',
        ]),
      ],
    },
    {
      title: 'Checkpoints',
      panels: [
        panel('Checkpoints', 'reqps', 'A second, by result.', [
          `sum by (result) (${rate('checkpoints_total')})`,
          '{{result}}',
        ]),
        panel('Age of the last', 's', 'By partition.', [m('checkpoint_age_seconds'), PARTITION]),
        panel('Duration of the last', 's', 'By partition.', [m('checkpoint_duration_seconds'), PARTITION]),
        panel('Size of the last', 'bytes', 'By partition.', [m('checkpoint_size_bytes'), PARTITION]),
        panel('Written', 'Bps', 'Bytes of checkpoints a second.', [
          `sum(${rate('checkpoint_written_bytes_total')})`,
          'bytes',
        ]),
        panel('Changed since the last', 'bytes', 'Memory that holds it.', [
          `sum by (instance) (${m('checkpoint_changed_bytes')})`,
          '{{instance}}',
        ]),
      ],
    },
    {
      title: 'Lanes and threads',
      panels: [
        panel('Lanes busy', 'percentunit', 'Share of its core that each lane uses.', [
          rate('lane_busy_seconds_total'),
          '{{instance}} lane {{lane}}',
        ]),
        panel(
          'Back pressure',
          'percentunit',
          'Share of the time in which no input was taken, because output was not durable yet.',
          [rate('backpressure_seconds_total'), '{{instance}}'],
        ),
        panel('Outputs waiting', 'short', 'Records that were given out and are not durable or not committed yet.', [
          m('outputs_waiting_records'),
          '{{instance}}',
        ]),
        { ...panel('Time of a batch', 's', 'Of up to a thousand records.'), queries: quantiles('batch_seconds') },
        { ...panel('Time of a commit', 's', 'Alerts, journal and offsets.'), queries: quantiles('commit_seconds') },
        panel('Commits', 'reqps', 'By result; those that failed are tried again.', [
          `sum by (result) (${rate('commit_seconds_count')})`,
          '{{result}}',
        ]),
        panel('Garbage collection of lanes', 'percentunit', 'Share of the time.', [
          rate('lane_gc_seconds_total'),
          '{{instance}} lane {{lane}}',
        ]),
        panel('Pauses of lanes', 'reqps', 'Garbage collections a second.', [
          rate('lane_gc_pauses_total'),
          '{{instance}} lane {{lane}}',
        ]),
        panel(
          'Event loops held up',
          's',
          'The longest time of late: of lanes, and of the main thread.',
          [m('lane_eventloop_delay_seconds'), '{{instance}} lane {{lane}}'],
          [`nodejs_eventloop_lag_max_seconds{${of}}`, '{{instance}} main'],
        ),
        panel(
          'Memory',
          'bytes',
          'Of the process, and of lanes.',
          [`process_resident_memory_bytes{${of}}`, '{{instance}}'],
          [m('lane_heap_bytes'), '{{instance}} lane {{lane}}'],
        ),
        panel('Processor', 'percentunit', 'Cores that the process uses.', [
          `rate(process_cpu_seconds_total{${of}}[$__rate_interval])`,
          '{{instance}}',
        ]),
        panel(
          'Restarts',
          'short',
          'Of lanes and of processes, in an hour.',
          [`sum by (instance, lane) (increase(${m('lane_restarts_total')}[1h]))`, '{{instance}} lane {{lane}}'],
          [`changes(process_start_time_seconds{${of}}[1h])`, '{{instance}} process'],
        ),
        panel('Versions', 'short', 'Instances by version.', [
          `count by (version, node) (${m('build_info')})`,
          '{{version}} on Node {{node}}',
        ]),
      ],
    },
  ],
};

export const dashboards: readonly DashboardSpec[] = [overview, patterns, internals];
