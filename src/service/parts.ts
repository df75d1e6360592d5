import type { Stores } from '../connectors/alert-store/stores.js';
import type { Risk } from '../connectors/redis/redis-sink.js';
import type { TestStream } from '../rules/index.js';
import type { CheckpointStatus } from '../runtime/checkpoint/options.js';
import type { Detector, DetectorListener } from '../runtime/detector.js';
import type { Clock } from '../runtime/ports/clock.js';
import type { Log } from '../runtime/ports/log.js';
import type { Settings, SinkSettings } from '../runtime/settings/index.js';
import type { AlertDecoder, AlertSink, CollectingSink } from '../runtime/sinks/alert-sink.js';
import type { Pseudonyms } from '../runtime/task/alert/pseudonyms.js';
import type { KeyOf } from './alerts/alert-keys.js';
import type { BacktestRunner } from './backtests/backtest-job.js';
import type { Explain } from './explanations/explain.js';
import type { PlaceOf } from './features/rule-place.js';
import type { TableFeeds } from './feeds/table-feeds.js';
import type { ListControl } from './lists/list-control.js';
import type { RuleReading } from './outline/rule-reading.js';
import type { RuleControl } from './rules/rule-control.js';
import type { SavepointSource } from './savepoints/savepoint-jobs.js';
import type { SourceControl } from './sources/source-control.js';
import type { SwitchControl } from './switches/switch-control.js';
import type { TransactionIngest } from './transactions/transaction-ingest.js';

/** Makes the detector, not started yet. What it throws ends the start of the service. */
export type DetectorFactory = (settings: Settings, listener: DetectorListener) => Promise<Detector>;

/** What Redis knows of a key; `RedisSink` is one. */
export interface RiskReader {
  /** `keyField`: the field the key is of; absent: the account's. `null`: no alert lately. Throws when Redis is away. */
  readRisk(key: string, keyField?: string): Promise<Risk | null>;
}

/** Something that runs beside detection: the demo stream. */
export interface BackgroundPart {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What the service is put together from. It starts and stops all of them; `close` comes last. */
export interface ServiceParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly createDetector: DetectorFactory;
  readonly alertDecoder: AlertDecoder;
  /** `null`: nothing can be sent in (the stream has no single topic, or its records cannot be written). */
  readonly ingest: TransactionIngest | null;
  /** The same for each stream by its name; undefined: there is no such stream. Absent: `ingest` is all there is. */
  readonly ingestOf?: (stream: string) => TransactionIngest | null | undefined;
  readonly sinks: readonly (AlertSink | CollectingSink)[];
  readonly risk: RiskReader | null;
  /** Names of fields that are never logged; see `personalFields`. */
  readonly personalFields: ReadonlySet<string>;
  /** What stands for personal values in alerts now; absent: the values themselves. */
  readonly pseudonyms?: () => Pseudonyms | undefined;
  readonly background: readonly BackgroundPart[];
  /** Absent: savepoints cannot be asked for while it runs. */
  readonly savepoints?: SavepointSource;
  /** Absent: no back-tests can be asked for. */
  readonly backtests?: BacktestRunner;
  /** Absent: why a rule did not fire cannot be asked. */
  readonly explain?: Explain;
  /** The key of an alert that has a pseudonym in its place; absent: it cannot be told. */
  readonly keyOf?: KeyOf;
  /** What rules are checked against while one writes them. Absent: it is not known. */
  readonly reading?: RuleReading;
  /** Absent: rules cannot be changed while it runs. */
  readonly rules?: RuleControl;
  /** Where a rule runs, so that it can be asked; absent: that is not known. */
  readonly placeOf?: PlaceOf;
  /** Absent: reference lists cannot be changed while it runs. */
  readonly lists?: ListControl;
  /** Absent: nothing can be paused. */
  readonly switches?: SwitchControl;
  /** Where alerts are kept to be asked for, who changed what, and what was answered; absent: in memory. */
  readonly stores?: Stores;
  /** Absent: streams and sinks are those of the settings. */
  readonly sources?: SourceControl;
  /** How far tables that are streams were read; absent: there are none. */
  readonly feeds?: TableFeeds;
  /** Makes a sink that was registered. */
  readonly makeSink?: (name: string, sink: SinkSettings) => Promise<AlertSink | CollectingSink>;
  /** What tests of rules may send; absent: nothing is known of the streams. */
  readonly testStreams?: readonly TestStream[];
  /** Checkpoints of the partitions that are owned here; absent: none are made. */
  readonly checkpoints?: () => readonly CheckpointStatus[];
  /** Closes the log, the state store, connections. */
  close(): Promise<void>;
}
