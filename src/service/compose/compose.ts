import { RedisSink } from '../../connectors/redis/redis-sink.js';
import { systemClock } from '../../connectors/system-clock.js';
import type { Rule } from '../../rules/index.js';
import type { CheckpointListener } from '../../runtime/checkpoint/options.js';
import type { Detector, DetectorListener } from '../../runtime/detector.js';
import { topicFilter } from '../../runtime/local-log/topic-filter.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { partitionName } from '../../runtime/ports/log.js';
import type { StateStore } from '../../runtime/ports/state-store.js';
import { routeTopic } from '../../runtime/repartition/route.js';
import type { Settings, StreamSettings } from '../../runtime/settings/index.js';
import { makeDetector } from '../lanes/make-detector.js';
import type { Logger } from '../logging/logger.js';
import { personalFields } from '../logging/redact.js';
import type { ServiceParts } from '../parts.js';
import { savepointSource } from '../savepoints/savepoint-source.js';
import { AlertTopicCodec } from './alert-topic-codec.js';
import { demoPart } from './demo.js';
import { streamIngest } from './ingest.js';
import { keepLists, openLists } from './lists.js';
import { openLog } from './log.js';
import { openObjectStore } from './objects.js';
import { onlyStream } from './only-stream.js';
import { loadRunningRules, type RunningRules } from './rules.js';
import { ServiceState } from './store.js';
import { makeRegistry, type StreamFacts, streamFacts } from './stream-parts.js';

export interface Composed {
  readonly parts: ServiceParts;
  readonly running: RunningRules;
}

/**
 * Makes everything that the settings name: log, state store, decoders, rules, sinks, the demo. Throws located errors before
 * anything is started; what was opened is closed then.
 */
export async function compose(settings: Settings, logger: () => Logger): Promise<Composed> {
  const clock = systemClock;
  const report = (text: string): void => logger().info(text);
  const warn = (text: string, trouble: Error): void => logger().warn({ trouble: trouble.message }, text);
  const stream = streamFacts(onlyStream(settings));
  const lists = await openLists(settings);
  const running = await loadRunningRules(settings.patterns, stream.schema, lists.known);
  await keepLists(settings, lists, running.rules);
  const registry = makeRegistry(settings);
  const ingest = streamIngest(stream.settings, stream.avro, registry);
  const log = await openLog(settings, report);
  const codec = new AlertTopicCodec(registry, settings.alerts.topic);
  const redis = redisSink(settings, clock, stream);
  const opened: { close(): Promise<void> }[] = [log];
  const openObjects = () => openObjectStore(settings, log);
  const hasState = topicsWithState(stream.settings, running.rules);
  const state = new ServiceState({
    settings,
    clock,
    log,
    hasState,
    openObjects,
    report,
    listener: checkpointLog(warn, report),
  });
  const demo = settings.demo.enabled && ingest !== null ? [demoPart(settings.demo, log, clock, ingest)] : [];
  let store: StateStore | null = null;
  const createDetector = async (_: Settings, listener: DetectorListener): Promise<Detector> => {
    opened.unshift(state);
    store = await state.open();
    const parts = { settings, clock, log, store, listener, report, warn };
    return makeDetector({ ...parts, rules: running.rules, sources: running.sources, lists: lists.data });
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
      background: [...demo, ...state.background],
      checkpoints: () => state.checkpoints(),
      savepoints: savepointSource({ settings, log, sources: running.sources, lists, store: () => store }),
      close: async () => {
        for (const part of opened) await part.close();
      },
    },
  };
}

/** Single failures are reported as they come. */
function checkpointLog(
  warn: (text: string, trouble: Error) => void,
  report: (text: string) => void,
): CheckpointListener {
  return {
    onDegraded: (partition, error) => warn(`checkpoints of ${partitionName(partition)} fail again and again`, error),
    onRecovered: (partition) => report(`checkpoints of ${partitionName(partition)} are written again`),
  };
}

/** Those that are read, and those to which their events are written again for rules of other keys. */
function topicsWithState(stream: StreamSettings, rules: readonly Rule[]): (topic: string) => boolean {
  const isRead = topicFilter(stream.topics!);
  const routes = new Set(rules.map(({ key }) => routeTopic(stream.topic ?? stream.name, key)));
  return (topic) => isRead(topic) || routes.has(topic);
}

function redisSink(settings: Settings, clock: Clock, stream: StreamFacts): RedisSink | null {
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
