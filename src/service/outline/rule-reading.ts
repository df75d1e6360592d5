import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type KnownLists, type ParsedRule, parseRule, type RuleStream, type RuleText } from '../../rules/index.js';

const TESTS = 'tests.yaml';

/** What rules are checked against while one writes them. */
export interface RuleReading {
  readonly streams: readonly RuleStream[];
  readonly lists: () => KnownLists;
  readonly parse: (text: RuleText) => ParsedRule;
  /** The tests beside the file of a rule; `null`: there are none, or it does not lie in the folder of patterns. */
  readonly testsBeside: (file: string) => Promise<string | null>;
}

/** @param folder of patterns. */
export function ruleReading(
  streams: () => readonly RuleStream[],
  lists: () => KnownLists,
  folder: string,
): RuleReading {
  return {
    get streams() {
      return streams();
    },
    lists,
    parse: ({ file, text }) => parseRule(text, file, streams(), { lists: lists() }),
    testsBeside: async (file) => {
      // What a rule says its file is may be anything: it was published by whoever may.
      const path = join(dirname(resolve(file)), TESTS);
      const inside = relative(resolve(folder), path);
      if (inside.startsWith('..') || inside.startsWith(sep)) return null;
      return readFile(path, 'utf8').catch(() => null);
    },
  };
}
