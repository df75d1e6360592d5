import type { AlertSinkStatus } from '../../runtime/sinks/alert-sink-follower.js';
import type { Readings, Sample } from './readings.js';
import type { MetricsSources } from './sources.js';

const LABELS = ['sink'] as const;

/** Of those who read the committed alerts. */
export function addSinkMetrics(readings: Readings, { sinks, handlerStatus, liveStreams }: MetricsSources): void {
  const each = (read: (status: AlertSinkStatus) => number) => (): readonly Sample[] =>
    sinks.map((sink) => {
      const status = sink.status();
      return [{ sink: status.name }, read(status)] as const;
    });
  readings.gauges(
    'stakeout_sink_lag_records',
    'Committed alerts that a sink has not written yet',
    LABELS,
    each(({ lag }) => [...lag.values()].reduce((sum, records) => sum + records, 0)),
  );
  readings.counters(
    'stakeout_sink_written_total',
    'Alerts that a sink has written',
    LABELS,
    each(({ written }) => written),
  );
  readings.counters(
    'stakeout_sink_dead_letters_total',
    'Records that a sink will never write, as dead letters',
    LABELS,
    each(({ deadLettered }) => deadLettered),
  );
  readings.counters(
    'stakeout_sink_failures_total',
    'Tries of a sink that failed',
    LABELS,
    each(({ failures }) => failures),
  );
  readings.counters(
    'stakeout_handler_calls_total',
    "Calls of the application's own handlers of alerts; dropped: no call, because too many alerts were waiting",
    ['result'],
    () => {
      const { handled, failed, dropped } = handlerStatus();
      return [
        [{ result: 'ok' }, handled],
        [{ result: 'failed' }, failed],
        [{ result: 'dropped' }, dropped],
      ];
    },
  );
  readings.gauge('stakeout_live_streams', 'Clients that watch alerts live', liveStreams);
}
