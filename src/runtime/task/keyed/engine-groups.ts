import { fieldName } from '../../../engine/index.js';
import { type Keyed, keysBy } from '../../../rules/key-of.js';
import type { Rule } from '../../../rules/rule.js';

/** Rules that run in one engine: they have one key, and see the same events. */
export interface EngineGroup {
  /** Names the engine, in cuts too: the key, and with several streams those whose events it sees. */
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** `streams`: those whose events come, the one that is meant where none is named first. */
export function engineGroups(rules: readonly Rule[], streams: readonly string[]): readonly EngineGroup[] {
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) {
    const name = engineName(rule, streams);
    groups.set(name, [...(groups.get(name) ?? []), rule]);
  }
  return [...groups].map(([name, group]) => ({ name, rules: group }));
}

function engineName({ key, streams: read }: Rule, [first, second]: readonly string[]): string {
  const isPlain = second === undefined || read.length === 0 || (read.length === 1 && read[0] === first);
  return isPlain ? key : `${key} of ${read.join(',')}`;
}

/** Which events an engine sees, and for which keys. Invariant: all of its rules have one key and the same streams. */
export interface EngineInput {
  /** The field that is the key of every event; `null`: `keysOf` tells. */
  readonly field: string | null;
  readonly keysOf: (event: Keyed) => readonly string[];
  /** `null`: of all streams. */
  readonly streams: ReadonlySet<string | undefined> | null;
}

/** `streams`: those whose events come. */
export function inputOf(rule: Rule | undefined, streams: readonly string[]): EngineInput {
  const keyBy = rule?.keyBy ?? { form: 'one', field: '' };
  const read = rule?.streams ?? [];
  const seesAll = read.length === 0 || streams.every((stream) => read.includes(stream));
  return {
    field: keyBy.form === 'one' ? fieldName(keyBy.field) : null,
    keysOf: keysBy(keyBy),
    streams: seesAll ? null : new Set(read),
  };
}
