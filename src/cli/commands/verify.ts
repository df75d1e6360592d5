import { type Verification, VerifyError, type VerifyOptions, verify } from '../../backtest/verify/verify.js';
import { systemClock } from '../../connectors/system-clock.js';
import { versionsOf } from '../../runtime/lane/prepare-rules.js';
import { topicFilter } from '../../runtime/local-log/topic-filter.js';
import { parseTimestamp } from '../../runtime/settings/values.js';
import { AlertTopicCodec } from '../../service/compose/alert-topic-codec.js';
import { listBook, listsNow } from '../../service/compose/lists/list-book.js';
import { openLog } from '../../service/compose/log.js';
import { pseudonymsOf } from '../../service/compose/pseudonyms.js';
import { presentRules } from '../../service/compose/rules/present-rules.js';
import { type RuleSets, ruleSetReader, ruleSetsOf } from '../../service/compose/rules/rule-set.js';
import { NoRulesError } from '../../service/compose/rules/running-rules.js';
import {
  type AllStreams,
  makeRegistry,
  makeStreams,
  ruleStreamsOf,
  type StreamParts,
} from '../../service/compose/streams/stream-parts.js';
import { StreamsError } from '../../service/compose/streams/topic-streams.js';
import { settingsNow } from '../../service/sources/settings-now.js';
import { streamsAsTheyWere } from '../../service/sources/streams-before.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { settingsOrFail } from '../settings.js';

export interface VerifyCommandOptions {
  readonly config?: string;
  readonly topic?: string;
  readonly from?: string;
  readonly to?: string;
}

const SHOWN_MAX = 20;

/** Replays what the group has committed, and compares the alerts. Exit status 0: they are the same. */
export async function verifyCommand(options: VerifyCommandOptions, output: Output): Promise<number> {
  const written = settingsOrFail(options.config ?? process.env.STAKEOUT_CONFIG);
  const from = timeOf(options.from, '--from') ?? Number.NEGATIVE_INFINITY;
  const to = timeOf(options.to, '--to') ?? Number.POSITIVE_INFINITY;
  const say = (text: string): void => output.say(text);
  const log = await openLog(written, say);
  try {
    const settings = await settingsNow(written, log);
    const context = {
      ...{ settings, clock: systemClock },
      onTrouble: (error: Error) => say(`the schema registry does not answer; waiting for it: ${error.message}`),
      onRecovered: () => say('the schema registry answers again'),
    };
    const streams = makeStreams(context);
    const topic = options.topic ?? (streams.length === 1 ? streams[0].settings.topic : undefined);
    if (topic === undefined) throw new CommandError('The service reads several topics: say which with --topic.');
    const book = listBook(settings, log, systemClock);
    const lists = await listsNow(settings, book);
    const { sources } = await presentRules(settings, log, ruleStreamsOf(streams), lists.known);
    const ruleSets = ruleSetsOf(sources, settings, streams, lists);
    const reader = ruleSetReader({
      ...{ streams, today: () => lists, asOf: (digests, today) => book.asOf(digests, today) },
      current: () => versionsOf(ruleSets),
      ...streamsAsTheyWere(context),
    });
    const replayed = replayedTopic(topic, streams, ruleSets);
    const result = await verify({
      ...{ log, topic, from, to, readRuleSet: reader },
      groupId: settings.kafka.groupId,
      journalTopic: settings.journal.topic,
      alertsTopic: settings.alerts.topic,
      shadowTopic: settings.alerts.shadowTopic,
      alertDecoder: new AlertTopicCodec(makeRegistry(settings), settings.alerts.topic),
      ...replayed,
      pseudonyms: pseudonymsOf(
        settings,
        streams.map(({ avro }) => avro),
      ),
      streams: streams.map(({ definition }) => definition),
      signal: new AbortController().signal,
      report: (text) => output.progress(text),
      onProgress: (records, of) => output.progress(`${count(records)} of ${count(of)} records replayed`),
      turn: () => new Promise((resolve) => setImmediate(resolve)),
    });
    output.progress('');
    output.result({ ...result, missing: ids(result.missing), unexpected: ids(result.unexpected) }, () =>
      summary(topic, result),
    );
    return result.equal ? 0 : 1;
  } catch (error) {
    const ours = error instanceof VerifyError || error instanceof StreamsError || error instanceof NoRulesError;
    const code = (error as { code?: unknown }).code;
    if (ours || (typeof code === 'string' && /^(LOG|KAFKA|REGISTRY)_/.test(code)))
      throw new CommandError((error as Error).message, { cause: error });
    throw error;
  } finally {
    await log.close();
  }
}

/** The stream of a topic, the rules that run on it, and which alerts are theirs. */
function replayedTopic(
  topic: string,
  streams: AllStreams,
  { source, others, routes }: RuleSets,
): Pick<VerifyOptions, 'stream' | 'current' | 'owns'> {
  const route = routes.find((r) => r.topic.name === topic);
  const isOf = ({ settings }: StreamParts): boolean =>
    route === undefined ? topicFilter(settings.topics!)(topic) : settings.name === route.streams?.[0];
  const stream = (streams.find(isOf) ?? streams[0]).definition;
  const current = route?.ruleSet ?? others.get(stream.name) ?? source;
  const own = new Set(current.rules.map(({ id }) => id));
  const elsewhere = new Set(
    [source, ...others.values(), ...routes.map(({ ruleSet }) => ruleSet)].flatMap(({ rules }) =>
      rules.map(({ id }) => id),
    ),
  );
  const routed = new Set(routes.map(({ field }) => field));
  // Of a rule that runs no more the key tells where it ran, as far as it can be told.
  const ranHere = (field: string): boolean => (route === undefined ? !routed.has(field) : field === route.field);
  const owns = (rule: string, field: string): boolean => own.has(rule) || (!elsewhere.has(rule) && ranHere(field));
  return { stream, current, owns };
}

function timeOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const time = /^\d{10,}$/.test(text) ? Number(text) : parseTimestamp(text);
  if (time === undefined)
    throw new CommandError(
      `${option} takes a time such as 2026-01-31T00:00:00Z, or milliseconds since 1970, not ${text}.`,
    );
  return time;
}

const count = (n: number): string => n.toLocaleString('en-US');
const ids = (alerts: Verification['missing']): string[] => alerts.map(({ id }) => id);

function summary(topic: string, result: Verification): string {
  const { equal, live, replayed, alertsLive, alertsReplayed, repeats, missing, unexpected, beforeRetention } = result;
  const lines = [
    `${topic}: ${count(result.records)} records replayed. ${equal ? 'The alerts are the same.' : 'The alerts are NOT the same.'}`,
    `  committed  ${count(alertsLive).padStart(10)} alerts  ${live}`,
    `  replayed   ${count(alertsReplayed).padStart(10)} alerts  ${replayed}`,
  ];
  if (repeats > 0)
    lines.push(`  ${count(repeats)} alerts are on the topic again under the same id (delivery: at-least-once)`);
  if (beforeRetention > 0)
    lines.push(
      `  ${count(beforeRetention)} alerts were left out: records that they were made of are gone from the topic`,
    );
  for (const [what, alerts] of [
    ['missing on the alerts topic', missing],
    ['not found by the replay', unexpected],
  ] as const) {
    if (alerts.length === 0) continue;
    lines.push(`  ${count(alerts.length)} ${what}:`);
    for (const { id, patternId, key, detectedAt } of alerts.slice(0, SHOWN_MAX))
      lines.push(`    ${id}  ${patternId}  ${key}  ${new Date(detectedAt).toISOString()}`);
    if (alerts.length > SHOWN_MAX) lines.push(`    … --json gives all`);
  }
  return lines.join('\n');
}
