import {
  advanceKey,
  type EngineEvent,
  type KeyState,
  type Match,
  nextKeyDeadline,
  processKey,
  type RuleSet,
  type RuleSetOutput,
  type StepReached,
  stepsReached,
  tell,
} from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { KeyedEngine } from './keyed/keyed-engine.js';
import type { SourceEvent } from './source-event.js';

/** A run that a record would carry on without completing it. */
export interface ConsideredAdvance {
  readonly patternId: string;
  readonly key: string;
  readonly keyField: string;
  /** The farthest step that it would have; `null`: it is one of many combinations, of which none is told apart. */
  readonly step: string | null;
  /** Place of the step among those of the pattern, from 1 on, and how many there are. */
  readonly reached: number | null;
  readonly of: number;
}

export interface ConsideredKey {
  onMatch(rule: Rule, key: string, match: Match, at: number, trigger: SourceEvent): void;
  onAdvance(rule: Rule, advance: ConsideredAdvance): void;
}

/**
 * What an event would do to a key if it came next, after others that are on their way: a pure function of the key's state, which
 * stays as it is. `events`: in order of time, the one that is asked about last.
 */
export function considerKey(
  engine: KeyedEngine,
  key: string,
  events: readonly SourceEvent[],
  considered: ConsideredKey,
): void {
  const { ruleSet, rules } = engine;
  const asked = events.at(-1)!;
  ruleSet.compiler.predicates.key.value = key;
  let now: SourceEvent | null = null;
  const output: RuleSetOutput = {
    slot: 0,
    onMatch: (match) => {
      if (now !== asked || ruleSet.stopped.slots[output.slot] === 1) return;
      const telling = ruleSet.tellings[output.slot]!;
      const told = telling === null ? match : tell(telling, match, asked, asked.time);
      considered.onMatch(rules[output.slot]!, key, told, asked.time, asked);
    },
  };
  let state = engine.peek(key);
  let before: KeyState | undefined;
  for (const event of events) {
    now = null;
    before = upTo(ruleSet, state, event, output);
    now = event;
    const own = engine.notes?.own(event) ?? event;
    state = processKey(ruleSet, before, own, output);
    engine.notes?.note(own, before, state);
  }
  for (const reached of stepsReached(ruleSet, before, state, asked)) {
    const rule = rules[reached.slot]!;
    considered.onAdvance(rule, advanceOf(rule, key, ruleSet, reached));
  }
}

/** Timers that are due before the event or at it fire before it is processed. */
function upTo(
  ruleSet: RuleSet,
  given: KeyState | undefined,
  { time }: EngineEvent,
  output: RuleSetOutput,
): KeyState | undefined {
  let state = given;
  while (state !== undefined) {
    const deadline = nextKeyDeadline(ruleSet, state);
    if (deadline > time) break;
    const after = advanceKey(ruleSet, state, deadline, output);
    if (after === state) break;
    state = after;
  }
  return state;
}

function advanceOf(rule: Rule, key: string, { patterns }: RuleSet, { slot, step }: StepReached): ConsideredAdvance {
  const { steps } = patterns[slot]!;
  return {
    patternId: rule.id,
    key,
    keyField: rule.key,
    step: step === null ? null : steps[step]!,
    reached: step === null ? null : step + 1,
    of: steps.length,
  };
}
