import { openStores } from '../../connectors/alert-store/stores.js';
import { redisConnection } from '../../connectors/redis/connection.js';
import type { RedisSink } from '../../connectors/redis/redis-sink.js';
import { systemClock } from '../../connectors/system-clock.js';
import { type KnownLists, loadRules, type Rule, readRules } from '../../rules/index.js';
import type { Detector, DetectorListener } from '../../runtime/detector.js';
import { loadLists } from '../../runtime/lists/load-lists.js';
import { topicFilter } from '../../runtime/local-log/topic-filter.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { StateStore } from '../../runtime/ports/state-store.js';
import type { Settings } from '../../runtime/settings/index.js';
import { SourceBook } from '../../runtime/sources/source-book.js';
import { tellAll } from '../detection/detector-listeners.js';
import { ChangingDetector } from '../lanes/changing-detector.js';
import { makeDetector } from '../lanes/make-detector.js';
import { listPruner } from '../lists/list-pruner.js';
import type { Logger } from '../logging/logger.js';
import { ruleReading } from '../outline/rule-reading.js';
import type { ServiceParts } from '../parts.js';
import { RuleControl } from '../rules/rule-control.js';
import { rulesFolder } from '../rules/rules-folder.js';
import { savepointSource } from '../savepoints/savepoint-source.js';
import { makeSink, makeSinks } from '../sinks/make-sinks.js';
import { settingsFile } from '../sources/settings-file.js';
import { SourceControl } from '../sources/source-control.js';
import { StreamsNow } from '../sources/streams-now.js';
import { SwitchControl } from '../switches/switch-control.js';
import { AlertTopicCodec } from './alert-topic-codec.js';
import { awaitLog } from './await-log.js';
import { demoPart } from './demo.js';
import { composeExplain } from './explain.js';
import { listControl } from './lists/list-control.js';
import { logName, openLog } from './log.js';
import { ParsedForLists } from './rules/compiled-rules.js';
import { forwardTopic, placeOfRule, placeRules } from './rules/place-rules.js';
import { listsIn } from './rules/rule-set.js';
import { loadRunningRules, type RunningRules } from './rules/running-rules.js';
import { checkpointListener } from './stored/checkpoint-listener.js';
import { openObjectStore } from './stored/objects.js';
import { ServiceState } from './stored/store.js';
import { makeRegistry, type StreamFacts } from './streams/stream-parts.js';
import { readTableSchema, tableFeeds } from './streams/table-feeds.js';

export interface Composed {
  readonly parts: ServiceParts;
  readonly running: RunningRules;
}

/**
 * Makes everything that the settings name: log, state store, decoders, rules, sinks, the demo. Throws located errors before
 * anything is started; what was opened is closed then.
 */
export async function compose(
  settings: Settings,
  logger: () => Logger,
  settingsPath?: string | undefined,
): Promise<Composed> {
  const opened: Opened[] = [];
  try {
    return await composeParts(settings, logger, settingsPath, opened);
  } catch (error) {
    // Or the process would go on for them.
    for (const part of opened) await part.close();
    throw error;
  }
}

interface Opened {
  close(): Promise<void>;
}

/** @param opened what has to be closed, in this order, is put here. */
async function composeParts(
  settings: Settings,
  logger: () => Logger,
  settingsPath: string | undefined,
  opened: Opened[],
): Promise<Composed> {
  const clock = systemClock;
  const report = (text: string): void => logger().info(text);
  const warn = (text: string, trouble: Error): void => logger().warn({ trouble: trouble.message }, text);
  const streams = new StreamsNow(settings);
  const [stream] = streams.facts;
  const declared = await loadLists(settings.lists);
  const parsed = new ParsedForLists();
  const knownOf = (of: KnownLists) => parsed.for(of, streams.facts);
  const running = await loadRunningRules(
    ...([settings.patterns, streams.ruleStreams, declared.known, knownOf(declared.known)] as const),
  );
  const registry = makeRegistry(settings);
  const ingest = streams.ingestOf(stream.settings.name)!;
  const named = await makeSinks(settings, clock);
  const log = await openLog(settings, report);
  opened.push(log);
  const codec = new AlertTopicCodec(registry, settings.alerts.topic);
  const redis = await redisSink(settings, clock, stream);
  const sinks = [...(redis === null ? [] : [redis]), ...named];
  const openObjects = () => openObjectStore(settings, log);
  const lists = listControl({ settings, log, clock, declared, report, warn, rules: () => control.running });
  const against = () => ({ lists: lists.known, streams: streams.ruleStreams, known: knownOf(lists.known) });
  const control: RuleControl = new RuleControl({
    ...{ log, clock, topic: settings.rules.topic, approval: settings.rules.approval, initial: running, report, warn },
    read: (files) => readRules(files, against()),
    forwardsTo: (rule) => forwardTopic(rule, settings.kafka.groupId, streams.facts),
    readWith: (files, others) => readRules(files, { lists: lists.known, streams: others }),
    beforeRead: async () => {
      await sources.catchUp();
      await lists.catchUp();
    },
  });
  const switches = new SwitchControl({
    ...{ log, clock, topic: settings.switches.topic, report, warn },
    streams: () => streams.names,
  });
  const sources: SourceControl = new SourceControl({
    ...{ settings, clock, streams, report, warn, rules: control, tableSchema: (of) => readTableSchema(settings, of) },
    book: (on) => new SourceBook({ log, clock, topic: settings.sources.topic, ...on }),
  });
  const feeds = tableFeeds({
    ...{ log, clock, streams, report, warn, switches, sources },
    onDone: async () => changing?.changeSettings(streams.settings),
  });
  const pruner = listPruner({
    ...{ control: lists, log, clock, report, warn, listsIn },
    journalTopic: settings.journal.topic,
  });
  const folder = rulesFolder({
    ...{ folder: settings.patterns, control, clock, warn },
    load: () => loadRules([settings.patterns], against()),
  });
  const hasState = topicsWithState(settings.kafka.groupId, streams, () => control.running);
  const watched =
    settings.sources.watch && settingsPath !== undefined
      ? [settingsFile({ file: settingsPath, settings, control: sources, clock, report, warn })]
      : [];
  const state = new ServiceState({
    settings,
    clock,
    log,
    hasState,
    openObjects,
    report,
    listener: checkpointListener({
      ...{ report, warn, restartAfter: settings.checkpoint.restartAfter },
      restart: (partition, why) => detecting?.restart?.(partition, why),
    }),
  });
  const demo = settings.demo.enabled && ingest !== null ? [demoPart(settings.demo, log, clock, ingest)] : [];
  const closing = new AbortController();
  let store: StateStore | null = null;
  let detecting: Detector | null = null;
  let changing: ChangingDetector | null = null;
  const createDetector = async (_: Settings, listener: DetectorListener): Promise<Detector> => {
    opened.unshift(state);
    store = await state.open();
    await awaitLog({ log, clock, name: logName(settings), signal: closing.signal, onWait: warn });
    await sources.open();
    await switches.open();
    await feeds.openAhead();
    await lists.open();
    await control.open();
    if (sources.history.length > 0) await control.readAgain();
    const ahead = state.startAhead();
    const listeners = ahead === null ? [listener] : [listener, ahead.listener];
    const told = tellAll(listeners, (error) => warn('a listener failed', error as Error));
    const parts = { clock, log, store, report, warn };
    const make = (now: Settings, heard: DetectorListener): Detector =>
      makeDetector({
        ...{ ...parts, settings: feeds.asFed(now), listener: heard, rules: control.running, sources: control.sources },
        ...{ lists: lists.lists.data, paused: switches.pausedStreams },
      });
    const detector = new ChangingDetector(streams.settings, make, told);
    detecting = detector;
    changing = detector;
    switches.attach(detector);
    lists.attach(detector);
    control.attach(detector);
    sources.attach(detector);
    return detector;
  };
  return {
    running,
    parts: {
      log,
      clock,
      createDetector,
      alertDecoder: codec,
      stores: await openStores(settings.alertStore.url, settings.data.directory, () => clock.now()),
      placeOf: (rule, other) => placeOfRule(rule, settings.kafka.groupId, streams.facts, other),
      testStreams: streams.testStreams,
      ingest,
      ingestOf: (name) => streams.ingestOf(name),
      sinks,
      risk: redis,
      personalFields: streams.personal,
      pseudonyms: () => streams.pseudonyms,
      feeds,
      background: [...demo, ...state.background, pruner, feeds, ...watched, ...(settings.rules.watch ? [folder] : [])],
      rules: control,
      reading: ruleReading(
        () => streams.ruleStreams,
        () => lists.known,
        settings.patterns,
      ),
      ...composeExplain({
        ...{ settings: () => streams.settings, log, clock, report },
        sources: () => control.sources,
        lists: () => lists.lists,
      }),
      lists,
      switches,
      sources,
      makeSink: (name, sink) => makeSink(name, sink, clock),
      checkpoints: () => state.checkpoints(),
      savepoints: savepointSource({
        settings: () => streams.settings,
        log,
        sources: () => control.sources,
        lists: () => lists.lists,
        store: () => store,
      }),
      close: async () => {
        closing.abort();
        await sources.stop();
        await control.stop();
        await lists.stop();
        await switches.stop();
        for (const part of opened) await part.close();
      },
    },
  };
}

/** Those that are read, and those to which their events are written again for rules of other keys. */
function topicsWithState(group: string, streams: StreamsNow, rules: () => readonly Rule[]): (topic: string) => boolean {
  const isRead = (topic: string): boolean => streams.facts.some(({ settings }) => topicFilter(settings.topics!)(topic));
  const routed = (): readonly string[] =>
    placeRules(
      rules().map((rule) => ({ rule })),
      group,
      streams.facts,
    ).routes.map(({ topic }) => topic.name);
  return (topic) => isRead(topic) || routed().includes(topic);
}

async function redisSink(settings: Settings, clock: Clock, stream: StreamFacts): Promise<RedisSink | null> {
  const { url, prefix, expiry, maxAlerts, streamLength, timeout } = settings.redis;
  if (url === undefined) return null;
  const { RedisSink } = await import('../../connectors/redis/redis-sink.js');
  const accountField = stream.definition.keyField;
  return new RedisSink({
    ...{ url, clock, prefix, streamLength, connection: redisConnection(settings.redis) },
    ...(accountField === null ? {} : { accountField }),
    expiryMs: expiry,
    alertsMax: maxAlerts,
    timeoutMs: timeout,
  });
}
