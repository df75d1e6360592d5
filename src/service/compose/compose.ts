import { RedisSink } from '../../connectors/redis/redis-sink.js';
import { systemClock } from '../../connectors/system-clock.js';
import type { Detector, DetectorListener } from '../../runtime/detector.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Settings } from '../../runtime/settings/index.js';
import { makeDetector } from '../lanes/make-detector.js';
import type { Logger } from '../logging/logger.js';
import { personalFields } from '../logging/redact.js';
import type { ServiceParts } from '../parts.js';
import { AlertTopicCodec } from './alert-topic-codec.js';
import { demoPart } from './demo.js';
import { streamIngest } from './ingest.js';
import { openLog } from './log.js';
import { onlyStream } from './only-stream.js';
import { loadRunningRules, type RunningRules } from './rules.js';
import { openStore } from './store.js';
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
    const parts = { settings, clock, log, store, listener, report, warn };
    return makeDetector({ ...parts, rules: running.rules, sources: running.sources });
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
