import type { Clock } from '../../runtime/ports/clock.js';
import type { Settings } from '../../runtime/settings/index.js';
import type { KeyOf } from '../alerts/alert-keys.js';
import type { Explain } from '../explanations/explain.js';
import { LogExplainer, type LogExplainerParts } from '../explanations/log-explainer.js';
import { oneByOne } from '../explanations/one-by-one.js';
import { listBook } from './lists/list-book.js';

export type ExplainParts = Omit<LogExplainerParts, 'book' | 'onProgress' | 'settings'> & {
  readonly clock: Clock;
  /** With the streams of now. */
  readonly settings: () => Settings;
};

/** Explains from the service's own log; what that takes is made when it is asked for first. */
export function composeExplain({ clock, settings: now, ...parts }: ExplainParts): {
  readonly explain: Explain;
  readonly keyOf: KeyOf;
} {
  let made: Promise<LogExplainer> | null = null;
  let madeFor: Settings | null = null;
  const make = async (settings: Settings): Promise<LogExplainer> => {
    const book = listBook(settings, parts.log, clock);
    await book.open();
    return new LogExplainer({ ...parts, settings, book });
  };
  const explainer = (): Promise<LogExplainer> => {
    const settings = now();
    if (settings !== madeFor) made = null;
    madeFor = settings;
    made ??= make(settings);
    return made.catch((error: unknown) => {
      made = null;
      throw error;
    });
  };
  const { signal } = new AbortController();
  return {
    explain: oneByOne(async (query) => (await explainer()).explain(query, signal)),
    keyOf: async (alert, rule) => (await explainer()).keyOf(alert, rule, signal),
  };
}
