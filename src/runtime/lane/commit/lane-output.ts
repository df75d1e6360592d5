import { canonicalJson } from '../../../engine/index.js';
import type { DetectorListener, DetectorStatus } from '../../detector.js';
import { partitionName, type TopicPartition } from '../../ports/log.js';
import { ALERT_VERSION_HEADER, type AlertEncoder } from '../../ports/outputs.js';
import type { Task, TaskOutput } from '../../task/task.js';
import type { Delivery } from './delivery.js';
import { deadLetter, lateRecord } from './rejected.js';

export interface OutputTopics {
  readonly alerts: string;
  /** Of rules whose alerts are kept apart. */
  readonly shadow: string;
  /** Partial matches that ended one step short, of rules that ask for it. */
  readonly nearMisses: string;
  readonly deadLetters: string;
  readonly late: string;
}

type ByPattern = Pick<DetectorStatus, 'matches' | 'steps' | 'runs'>;

/** Keys that are looked at, each time that a status is asked for, for the partial matches of single patterns: a millisecond or two. */
const CENSUS_KEYS = 400;

/** Where what the tasks of a lane find goes: records for the log, counters for the status, news for the listener. */
export class LaneOutput {
  readonly counts = {
    recordsIn: 0,
    recordsReplayed: 0,
    late: 0,
    deadLettered: 0,
    /** Those that can be read. */
    alerts: 0,
    nearMisses: 0,
    runsDropped: 0,
    matchesDropped: 0,
    backpressureSeconds: 0,
  };
  /** By pattern. */
  readonly matches = new Map<string, number>();
  readonly steps = new Map<string, number>();

  private readonly alertHeaders: ReadonlyMap<string, Uint8Array>;

  constructor(
    private readonly topics: OutputTopics,
    private readonly encoder: AlertEncoder,
    private readonly listener: DetectorListener,
    private readonly delivery: () => Delivery,
  ) {
    const { version } = encoder;
    this.alertHeaders = new Map(
      version === undefined ? [] : [[ALERT_VERSION_HEADER, Buffer.from(String(version))] as const],
    );
  }

  /**
   * Matches of each pattern, and how often it was stepped, in these partitions and those that were here before; its partial matches in
   * these.
   */
  byPattern(all: Iterable<{ readonly task: Pick<Task, 'takeSteps'> }>): ByPattern {
    const tasks = [...all];
    const runs = new Map<string, number>();
    const keysLeft = Math.ceil(CENSUS_KEYS / Math.max(1, tasks.length));
    for (const { task } of tasks) task.takeSteps(this.steps, { runs, keysLeft });
    return { matches: this.matches, steps: this.steps, runs };
  }

  readonly onReplayed = (records: number): void => {
    this.counts.recordsReplayed += records;
  };

  /** `isHeld`: false once the partition was given up; what is found after that is another's to give out. */
  of(partition: TopicPartition, isHeld: () => boolean): TaskOutput {
    const { counts, matches, topics, encoder, listener } = this;
    const from = partitionName(partition);
    return {
      onAlert: (alert, key, traceparent, isShadow) => {
        if (!isHeld()) return;
        const headers =
          traceparent === null
            ? this.alertHeaders
            : new Map([...this.alertHeaders, ['traceparent', Buffer.from(traceparent)] as const]);
        const record = { key, value: encoder.encode(alert), ...(headers.size === 0 ? {} : { headers }) };
        if (isShadow) return this.delivery().add(from, { topic: topics.shadow, ...record });
        this.delivery().add(from, { topic: topics.alerts, ...record }, () => {
          counts.alerts++;
          listener.onAlert?.(alert, traceparent);
        });
      },
      onNearMiss: (nearMiss, key) => {
        if (!isHeld()) return;
        const record = { topic: topics.nearMisses, key, value: Buffer.from(canonicalJson(nearMiss)) };
        this.delivery().add(from, record, () => void counts.nearMisses++);
      },
      onDeadLetter: (record, failure) => {
        if (!isHeld()) return;
        counts.deadLettered++;
        this.delivery().add(from, deadLetter(topics.deadLetters, record, partition, failure));
        listener.onDeadLetter?.(partition, record.offset, failure.reason, failure.detail);
      },
      onLate: (record, eventTime, watermark) => {
        if (!isHeld()) return;
        counts.late++;
        this.delivery().add(from, lateRecord(topics.late, record, partition, eventTime, watermark));
      },
      onMatch: (rule) => void matches.set(rule.id, (matches.get(rule.id) ?? 0) + 1),
      onRunsDropped: (_rule, _key, runs) => {
        counts.runsDropped += runs;
      },
      onMatchesDropped: (_rule, _key, dropped) => {
        counts.matchesDropped += dropped;
      },
      onQuarantined: (stopped) => listener.onQuarantined?.(partition, stopped),
    };
  }
}
