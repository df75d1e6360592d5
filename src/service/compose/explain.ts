import type { Clock } from '../../runtime/ports/clock.js';
import type { Explain } from '../explanations/explanations.controller.js';
import { LogExplainer, type LogExplainerParts } from '../explanations/log-explainer.js';
import { oneByOne } from '../explanations/one-by-one.js';
import { listBook } from './lists.js';

export type ExplainParts = Omit<LogExplainerParts, 'book' | 'onProgress'> & { readonly clock: Clock };

/** Explains from the service's own log; what that takes is made when it is asked for first. */
export function composeExplain({ clock, ...parts }: ExplainParts): Explain {
  let made: Promise<LogExplainer> | null = null;
  const make = async (): Promise<LogExplainer> => {
    const book = listBook(parts.settings, parts.log, clock);
    await book.open();
    return new LogExplainer({ ...parts, book });
  };
  return oneByOne(async (query) => {
    made ??= make();
    const explainer = await made.catch((error: unknown) => {
      made = null;
      throw error;
    });
    return explainer.explain(query, new AbortController().signal);
  });
}
