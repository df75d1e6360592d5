import { ExplainError } from '../../../backtest/explain/explain-log.js';
import { systemClock } from '../../../connectors/system-clock.js';
import type { Explanation } from '../../../runtime/explain/explanation.js';
import type { Log } from '../../../runtime/ports/log.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { listBook, listsNow } from '../../../service/compose/lists/list-book.js';
import { openLog } from '../../../service/compose/log.js';
import { presentRules } from '../../../service/compose/rules/present-rules.js';
import { NoRulesError } from '../../../service/compose/rules/running-rules.js';
import { allFacts, ruleStreamsOf } from '../../../service/compose/streams/stream-parts.js';
import { StreamsError } from '../../../service/compose/streams/topic-streams.js';
import { type ExplanationQuery, UnknownPatternError } from '../../../service/explanations/explain.js';
import { LogExplainer } from '../../../service/explanations/log-explainer.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';

/** From the log that the settings name; `null`: another process has it, as the embedded log's own service has. */
export async function explainedFromLog(
  settings: Settings,
  asked: ExplanationQuery,
  output: Output,
): Promise<Explanation | null> {
  try {
    const log = await openedLog(settings, output);
    if (log === null) return null;
    try {
      return await explain(log, settings, asked, output);
    } finally {
      await log.close();
    }
  } catch (error) {
    const ours =
      error instanceof UnknownPatternError ||
      error instanceof ExplainError ||
      error instanceof StreamsError ||
      error instanceof NoRulesError;
    const { code, message } = error as { readonly code?: unknown; readonly message: string };
    if (ours || (typeof code === 'string' && /^(LOG|KAFKA|REGISTRY)_/.test(code)))
      throw new CommandError(message, { cause: error });
    throw error;
  }
}

async function openedLog(settings: Settings, output: Output): Promise<Log | null> {
  try {
    return await openLog(settings, (text) => output.say(text));
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'LOG_LOCKED') return null;
    throw error;
  }
}

async function explain(log: Log, settings: Settings, asked: ExplanationQuery, output: Output): Promise<Explanation> {
  const book = listBook(settings, log, systemClock);
  const lists = await listsNow(settings, book);
  const { sources } = await presentRules(settings, log, ruleStreamsOf(allFacts(settings)), lists.known);
  const explainer = new LogExplainer({
    ...{ settings, log, book },
    sources: () => sources,
    lists: () => lists,
    report: (text) => output.say(text),
    onProgress: (records) => output.progress(`${records.toLocaleString('en-US')} records replayed`),
  });
  return explainer.explain(asked, new AbortController().signal);
}
