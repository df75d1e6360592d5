import { RedisSink } from '../../connectors/redis/redis-sink.js';
import { systemClock } from '../../connectors/system-clock.js';
import type { Rule } from '../../rules/index.js';
import type { Detector, DetectorListener } from '../../runtime/detector.js';
import { Lane } from '../../runtime/lane/lane.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import { ruleOptionsOf } from '../../runtime/task/keyed-engine.js';
import type { Logger } from '../logging/logger.js';
import { personalFields } from '../logging/redact.js';
import type { ServiceParts } from '../parts.js';
import { AlertTopicCodec } from './alert-topic-codec.js';
import { demoPart } from './demo.js';
import { streamIngest } from './ingest.js';
import { openLog } from './log.js';
import { loadRunningRules, type RunningRules, rulesByKey } from './rules.js';
import { openStore } from './store.js';
import { makeRegistry, makeStream, type StreamParts } from './stream-parts.js';

export interface Composed {
  readonly parts: ServiceParts;
  readonly running: RunningRules;
}

/** More streams than one cannot be joined yet. */
export class StreamsError extends Error {
  readonly code = 'STREAMS';
}

/**
 * Makes everything that the settings name: log, state store, decoders, rules, sinks, the demo. Throws located errors before
 * anything is started; what was opened is closed then.
 */
export async function compose(settings: Settings, logger: () => Logger): Promise<Composed> {
  const clock = systemClock;
  const report = (text: string): void => logger().info(text);
  const stream = makeStream(onlyStream(settings), {
    settings,
    clock,
    onTrouble: (error) =>
      logger().warn({ trouble: error.message }, 'the schema registry does not answer; waiting for it'),
    onRecovered: () => logger().info('the schema registry answers again'),
  });
  const running = await loadRunningRules(settings.patterns, stream.schema);
  const registry = makeRegistry(settings);
  const ingest = streamIngest(stream.settings, stream.avro, registry);
  const log = await openLog(settings, report);
  const codec = new AlertTopicCodec(registry, settings.alerts.topic);
  const redis = redisSink(settings, clock, stream);
  const opened: { close(): Promise<void> }[] = [log];
  const createDetector = async (_: Settings, listener: DetectorListener): Promise<Detector> => {
    const store = await openStore(settings);
    opened.unshift(store);
    return makeLane({ settings, clock, stream, log, rules: running.rules, codec, listener, report, store });
  };
  return {
    running,
    parts: {
      log,
      clock,
      createDetector,
      alertDecoder: codec,
      ingest,
      sinks: redis === null ? [] : [redis],
      risk: redis,
      personalFields: personalFields(stream.avro),
      background: settings.demo.enabled && ingest !== null ? [demoPart(settings.demo, log, clock, ingest)] : [],
      close: async () => {
        for (const part of opened) await part.close();
      },
    },
  };
}

function onlyStream(settings: Settings): StreamSettings {
  const streams = Object.values(settings.streams).filter((stream) => stream.topics !== undefined);
  if (streams.length === 1) return streams[0]!;
  const names = streams.map((stream) => stream.name).join(', ');
  throw new StreamsError(
    streams.length === 0
      ? 'No stream reads a topic: set streams.<name>.topic.'
      : `The service reads one stream, and the settings name ${streams.length}: ${names}. Run one service for each.`,
  );
}

function redisSink(settings: Settings, clock: Clock, stream: StreamParts): RedisSink | null {
  const { url, prefix, expiry, maxAlerts, streamLength, timeout } = settings.redis;
  if (url === undefined) return null;
  const accountField = stream.definition.keyField;
  return new RedisSink({
    ...{ url, clock, prefix, streamLength },
    ...(accountField === null ? {} : { accountField }),
    expiryMs: expiry,
    alertsMax: maxAlerts,
    timeoutMs: timeout,
  });
}

interface LaneParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly stream: StreamParts;
  readonly log: Log;
  readonly rules: readonly Rule[];
  readonly codec: AlertTopicCodec;
  readonly listener: DetectorListener;
  readonly report: (text: string) => void;
  readonly store: Awaited<ReturnType<typeof openStore>>;
}

async function makeLane(parts: LaneParts): Promise<Lane> {
  const { settings, clock, stream, log, codec, listener, report, store } = parts;
  const { topic, partitions, topics } = stream.settings;
  const { fit, unfit } = rulesByKey(parts.rules, stream.definition.keyField, partitions);
  for (const rule of unfit) {
    report(
      `${rule.id} is left out: it is keyed by ${rule.key}, but the topic by ${stream.definition.keyField}. Only with one partition can it run.`,
    );
  }
  return new Lane({
    ...{ log, store, clock, listener, report },
    stream: stream.definition,
    group: { groupId: settings.kafka.groupId, topics: topics!, start: settings.start },
    rules: fit,
    decoder: stream.decoder(fit.flatMap((rule) => rule.fields)),
    encoder: codec,
    source: topic === undefined ? null : { name: topic, partitions },
    alerts: { name: settings.alerts.topic, partitions: settings.alerts.partitions },
    deadLetters: { name: settings.deadLetters.topic, partitions: 1 },
    late: { name: settings.late.topic, partitions: 1 },
    commitIntervalMs: settings.commit.interval,
    commitRecords: settings.commit.records,
    snapshotIntervalMs: settings.snapshot.interval,
    hotKeysMax: settings.engine.hotKeysMax,
    ...ruleOptionsOf(settings.engine),
    stopwatch: () => performance.now() / 1000,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  });
}
