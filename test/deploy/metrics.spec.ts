import { promtool } from '../harness/servers/index.js';
import { metricsText } from './kit/metrics-text.js';

const LABELS = [
  ...['lane', 'le', 'outcome', 'partition', 'pattern', 'phase', 'result', 'sink', 'stream', 'status', 'topic'],
  ...['node', 'version'],
];

describe('metrics', () => {
  it('are what promtool takes for well made: units in their names, help, counters that end with total', async () => {
    const lines = (await metricsText()).split('\n').filter((line) => !/^(# (HELP|TYPE) )?nodejs_/.test(line));
    expect(promtool(['check', 'metrics'], `${lines.join('\n')}\n`)).toEqual({ status: 0, said: '' });
  });

  it('have labels of which there are only so many: of accounts or events there are none', async () => {
    const ours = (await metricsText()).split('\n').filter((line) => line.startsWith('stakeout_'));
    const labels = ours.flatMap((line) => [...line.matchAll(/[{,]([a-z_]+)="/g)].map(([, name]) => name!));
    expect([...new Set(labels)].filter((name) => !LABELS.includes(name))).toEqual([]);
  });

  it.each([
    'stakeout_lag_records{topic="transactions",partition="0"} 4',
    'stakeout_lag_seconds{topic="transactions",partition="0"} 9.999',
    'stakeout_position_records{topic="transactions",partition="0"} 5',
    'stakeout_watermark_timestamp_seconds{topic="transactions",partition="0"} 0.001',
    'stakeout_partitions{phase="live"} 1',
    'stakeout_partitions{phase="restoring"} 0',
    'stakeout_pattern_steps_total{pattern="drain"} 7',
    'stakeout_pattern_runs{pattern="drain"} 5',
    'stakeout_state_bytes 7',
    'stakeout_checkpoints_total{topic="transactions",partition="0",result="ok"} 2',
    'stakeout_checkpoints_total{topic="transactions",partition="0",result="failed"} 1',
    'stakeout_checkpoint_age_seconds{topic="transactions",partition="0"} 10',
    'stakeout_checkpoint_duration_seconds{topic="transactions",partition="0"} 0.02',
    'stakeout_checkpoint_size_bytes{topic="transactions",partition="0"} 300',
    'stakeout_checkpoint_written_bytes_total{topic="transactions",partition="0"} 600',
    'stakeout_sink_lag_records{sink="redis"} 3',
    'stakeout_lane_restarts_total{lane="0"} 1',
    'stakeout_lane_busy_seconds_total{lane="0"} 2',
    'stakeout_lane_gc_seconds_total{lane="0"} 3',
    'stakeout_lane_eventloop_delay_seconds{lane="0"} 0.5',
    'stakeout_alert_latency_seconds_count 1',
    'stakeout_decisions_total{outcome="answered"} 1',
    'stakeout_decisions_total{outcome="refused"} 1',
    'stakeout_decisions_total{outcome="away"} 0',
    'stakeout_decision_seconds_bucket{le="0.003"} 0',
    'stakeout_decision_seconds_bucket{le="0.005"} 1',
    'stakeout_decision_seconds_count 1',
  ])('tell %s', async (line) => {
    expect((await metricsText()).split('\n')).toContain(line);
  });
});
