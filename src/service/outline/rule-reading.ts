import { type KnownLists, type ParsedRule, parseRule, type RuleStream, type RuleText } from '../../rules/index.js';

/** What rules are checked against while one writes them. */
export interface RuleReading {
  readonly streams: readonly RuleStream[];
  readonly lists: () => KnownLists;
  readonly parse: (text: RuleText) => ParsedRule;
}

export function ruleReading(streams: readonly RuleStream[], lists: () => KnownLists): RuleReading {
  return { streams, lists, parse: ({ file, text }) => parseRule(text, file, streams, { lists: lists() }) };
}
