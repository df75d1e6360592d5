import type { Rule } from './rule.js';

/** Names of all streams that a rule reads, those included that features of other keys count alone; sorted. Empty: the only stream there is. */
export function streamsRead({ streams, otherKeys = [] }: Pick<Rule, 'streams' | 'otherKeys'>): readonly string[] {
  if (otherKeys.length === 0) return streams;
  return [...new Set([...streams, ...otherKeys.flatMap((other) => other.streams)])].sort();
}

/** Whether a rule takes the event, or counts it by its own key, as far as its stream tells. */
export const isTaken = (
  { streams }: Pick<Rule, 'streams'>,
  { stream }: { readonly stream?: string | undefined },
): boolean => streams.length === 0 || stream === undefined || streams.includes(stream);
