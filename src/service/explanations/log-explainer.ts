import { ExplainError, explainFromLog } from '../../backtest/explain/explain-log.js';
import { systemClock } from '../../connectors/system-clock.js';
import type { Rule, RuleText } from '../../rules/index.js';
import { suggest } from '../../rules/source/nearest.js';
import type { Explanation } from '../../runtime/explain/explanation.js';
import type { RuleSetVersion } from '../../runtime/journal/rule-set-version.js';
import { versionsOf } from '../../runtime/lane/prepare-rules.js';
import type { ListBook } from '../../runtime/lists/list-book.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import { topicFilter } from '../../runtime/local-log/topic-filter.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { Log } from '../../runtime/ports/log.js';
import type { Settings } from '../../runtime/settings/index.js';
import { pseudonymsOf } from '../compose/pseudonyms.js';
import { type RuleSets, ruleSetReader, ruleSetsOf } from '../compose/rules/rule-set.js';
import { type AllStreams, makeStreams } from '../compose/streams/stream-parts.js';
import { streamsAsTheyWere } from '../sources/streams-before.js';
import { type ExplanationQuery, UnknownPatternError } from './explain.js';
import { keyOfAlert } from './key-of-alert.js';

export interface LogExplainerParts {
  readonly settings: Settings;
  readonly log: Log;
  /** The rules of now, as texts. */
  readonly sources: () => readonly RuleText[];
  /** The reference lists of now. */
  readonly lists: () => ReferenceLists | Promise<ReferenceLists>;
  /** All versions of the lists; opened by whoever asks. */
  readonly book: ListBook;
  readonly report: (text: string) => void;
  readonly onProgress?: (records: number) => void;
}

/** Answers from the log, whichever instance it is asked at: nothing of the state of partitions is needed. */
export class LogExplainer {
  private readonly streams: AllStreams;
  private readonly before: ReturnType<typeof streamsAsTheyWere>;

  /** Throws as `makeStreams` does. */
  constructor(private readonly parts: LogExplainerParts) {
    const { settings, report } = parts;
    const context = {
      ...{ settings, clock: systemClock },
      onTrouble: (error: Error) => report(`the schema registry does not answer; waiting for it: ${error.message}`),
      onRecovered: () => report('the schema registry answers again'),
    };
    this.streams = makeStreams(context);
    this.before = streamsAsTheyWere(context);
  }

  /** Throws `UnknownPatternError` and `ExplainError`. */
  async explain({ pattern, key, at }: ExplanationQuery, signal: AbortSignal): Promise<Explanation> {
    const { settings, log, book, onProgress } = this.parts;
    const { streams } = this;
    const lists = await this.parts.lists();
    const sets = ruleSetsOf(this.parts.sources(), settings, streams, lists);
    const place = await this.placeOf(pattern, sets);
    const readRuleSet = ruleSetReader({
      ...{ streams, today: () => lists, current: () => versionsOf(sets), ...this.before },
      asOf: async (digests, today) => {
        await book.refresh();
        return book.asOf(digests, today);
      },
    });
    return explainFromLog({
      ...{ log, pattern, key, at, signal, readRuleSet, ...place },
      journalTopic: settings.journal.topic,
      streams: streams.map(({ definition }) => definition),
      turn: () => new Promise((resolve) => setImmediate(resolve)),
      pseudonyms: this.pseudonyms,
      ...(onProgress && { onProgress }),
    });
  }

  /** See `keyOfAlert`. */
  keyOf(alert: Alert, { keyBy }: Rule, signal: AbortSignal): Promise<string | null> {
    const { streams, pseudonyms } = this;
    return keyOfAlert(alert, keyBy, { log: this.parts.log, streams, pseudonyms, signal });
  }

  private get pseudonyms() {
    return pseudonymsOf(
      this.parts.settings,
      this.streams.map(({ avro }) => avro),
    );
  }

  /** Where the rule runs now. */
  private async placeOf(pattern: string, { source, others, routes }: RuleSets) {
    const { streams } = this;
    const has = ({ rules }: RuleSetVersion): boolean => rules.some(({ id }) => id === pattern);
    const route = routes.find(({ ruleSet }) => has(ruleSet));
    if (route !== undefined) {
      const first = streams.find(({ settings }) => settings.name === route.streams?.[0]) ?? streams[0];
      return { topics: [route.topic.name], stream: first.definition, current: route.ruleSet };
    }
    const local = [...others].find(([, version]) => has(version));
    const [name, current] = has(source) ? [streams[0].settings.name, source] : (local ?? [null, null]);
    const own = streams.find(({ settings }) => settings.name === name);
    if (own === undefined || current === null) throw unknown(pattern, versionsOf({ source, others, routes }));
    const reads = topicFilter(own.settings.topics!);
    const topics = (await this.parts.log.topics()).map((topic) => topic.name).filter(reads);
    if (topics.length === 0) throw new ExplainError(`There is no topic of the stream ${own.settings.name} yet.`);
    return { topics, stream: own.definition, current };
  }
}

function unknown(pattern: string, versions: readonly RuleSetVersion[]): UnknownPatternError {
  const ids = versions.flatMap(({ rules }) => rules.map(({ id }) => id));
  return new UnknownPatternError(`No rule ${pattern} runs. ${suggest(pattern, ids)}`);
}
