import { parseRule, type Rule } from '../../rules/index.js';
import type { EventSchema } from '../../rules/schema.js';
import type { DetectorListener } from '../../runtime/detector.js';
import { Lane } from '../../runtime/lane/lane.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';
import type { StateStore } from '../../runtime/ports/state-store.js';
import type { Settings } from '../../runtime/settings/index.js';
import { ruleOptionsOf } from '../../runtime/task/keyed-engine.js';
import { AlertTopicCodec } from '../compose/alert-topic-codec.js';
import { onlyStream } from '../compose/only-stream.js';
import type { RuleSource } from '../compose/rules.js';
import { makeRegistry, makeStream } from '../compose/stream-parts.js';

/** What one lane is made of, in whatever thread it runs. Settings and rules are plain data. */
export interface LaneParts {
  readonly settings: Settings;
  /** 0, 1, …: which of the lanes of this process it is. */
  readonly number: number;
  /** The rules that run here: checked already, and keyed as the topic is. */
  readonly sources: readonly RuleSource[];
  readonly clock: Clock;
  readonly log: Log;
  readonly store: StateStore;
  readonly listener: DetectorListener;
  /** What happens, in words, for the service's log. */
  readonly report: (text: string) => void;
  /** The same, for trouble that passes by itself. */
  readonly warn: (text: string, trouble: Error) => void;
}

/**
 * One lane with decoders, a registry client and compiled rules of its own; not started. Throws `AvroSchemaError` when the
 * stream's schema file does not hold any more.
 */
export function makeLane(parts: LaneParts): Lane {
  const { settings, clock, log, store, listener, report, warn } = parts;
  const stream = makeStream(onlyStream(settings), {
    settings,
    clock,
    onTrouble: (error) => warn('the schema registry does not answer; waiting for it', error),
    onRecovered: () => report('the schema registry answers again'),
  });
  const rules = parts.sources.map((source) => compiled(source, stream.schema));
  const { topic, partitions, topics } = stream.settings;
  return new Lane({
    ...{ log, store, clock, listener, report, rules },
    stream: stream.definition,
    group: { groupId: settings.kafka.groupId, topics: topics!, start: settings.start },
    decoder: stream.decoder(rules.flatMap((rule) => rule.fields)),
    encoder: new AlertTopicCodec(makeRegistry(settings), settings.alerts.topic),
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

function compiled({ file, text }: RuleSource, schema: EventSchema | null): Rule {
  const { rule } = parseRule(text, file, schema);
  if (rule === null) throw new Error(`${file} was checked and does not hold: the stream's schema has changed since`);
  return rule;
}
