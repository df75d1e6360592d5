import { systemClock } from '../../../connectors/system-clock.js';
import { type KnownLists, type KnownStreams, type RuleText, readRules } from '../../../rules/index.js';
import type { Log } from '../../../runtime/ports/log.js';
import { Rulebook } from '../../../runtime/rulebook/rulebook.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { runningTexts } from '../../rules/rule-plan.js';
import { loadRunningRules, NoRulesError } from './running-rules.js';

/** The rules that a service with these settings would run now. */
export interface PresentRules {
  readonly sources: readonly RuleText[];
  /** Of the rules topic; `null`: nothing was published, and they are the folder's. */
  readonly revision: number | null;
}

/**
 * Those of the rules topic where anything was published there, else those of the folder: as a service would take them at its start. For
 * commands that look at a service's log while it does not run here. Throws `NoRulesError` when none is left.
 */
export async function presentRules(
  settings: Settings,
  log: Log,
  streams: KnownStreams,
  lists: KnownLists,
): Promise<PresentRules> {
  const live = await publishedSet(log, settings.rules.topic);
  if (live === null)
    return { sources: (await loadRunningRules(settings.patterns, streams, lists)).sources, revision: null };
  const { rules, diagnostics } = await readRules(live.files, { streams, lists });
  const sources = runningTexts({ rules, files: live.files, draining: live.draining });
  if (sources.length > 0) return { sources, revision: live.n };
  throw new NoRulesError(
    `No rule of revision ${live.n} in ${settings.rules.topic} holds for these settings.`,
    diagnostics,
  );
}

async function publishedSet(log: Log, topic: string): Promise<Rulebook['chain']['live']> {
  if (!(await log.topics()).some(({ name }) => name === topic)) return null;
  const nothing = (): void => undefined;
  const book = new Rulebook({ log, topic, clock: systemClock, onLive: async () => undefined, onTrouble: nothing });
  await book.refresh();
  return book.chain.live;
}
