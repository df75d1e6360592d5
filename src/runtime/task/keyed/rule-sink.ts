import {
  dropSlot,
  type EngineEvent,
  heldEvents,
  type KeyState,
  type Match,
  type MatchSet,
  type NearMiss,
  type RuleSet,
  type RuleSetOutput,
  type SkipError,
  slotRuns,
  tell,
} from '../../../engine/index.js';
import type { Rule } from '../../../rules/rule.js';
import type { KeyedOutput } from './keyed-options.js';
import { type Looking, Quarantine } from './quarantine.js';

/** Of the events that change what is known of a key, one of so many is followed by a look at how much that is. */
const MEASURED_EVERY = 16;

/** Has features read as of a time, for a key's slot. */
type ReadFeatures = (keySlot: number, time: number) => void;

/** Takes what the rules of an engine find for one key after the other, and gives it to the host with what it is of. */
export class RuleSink implements RuleSetOutput, Looking {
  /** Of the rule set: which rule speaks. */
  slot = 0;
  key = '';
  time = 0;
  /** The event under test; `null`: time alone moves on. */
  event: EngineEvent | null = null;
  readonly quarantine: Quarantine;
  readonly onMatches: ((set: MatchSet) => void) | undefined;
  /** Of a timer: the key's slot, until features have been read as of its time; else -1. */
  private unread = -1;
  /** Matches that this event has had so far; those of the rule that spoke last; and which were told before and come again. */
  private told = 0;
  private toldOf = -1;
  private toldOfSlot = 0;
  private again = 0;
  /** Near misses that were told of this event; they come again where another rule throws. */
  private readonly nearMisses = new Set<string>();

  constructor(
    private readonly rules: readonly Rule[],
    private readonly ruleSet: RuleSet,
    private readonly output: KeyedOutput,
    private readonly readFeatures: ReadFeatures,
  ) {
    this.quarantine = new Quarantine(rules, ruleSet, output);
    if (output.onMatches !== undefined) this.onMatches = (set) => this.matchesOf(set);
  }

  /** An event of a key, or (`null`) the end of a window at `time`. `unread`: the key's slot, if its features are not yet read. */
  begin(key: string, time: number, event: EngineEvent | null, unread: number): void {
    this.key = key;
    this.time = time;
    this.event = event;
    this.unread = unread;
    this.told = 0;
    this.toldOf = -1;
    this.again = 0;
    if (this.nearMisses.size > 0) this.nearMisses.clear();
  }

  /** A rule has one for each event that its partial matches begin with. */
  onNearMiss(nearMiss: NearMiss): void {
    const { slot, nearMisses } = this;
    const name = `${slot} ${nearMiss.steps[0]!.events[0]!.seq}`;
    if (this.quarantine.has(slot) || nearMisses.has(name)) return;
    nearMisses.add(name);
    this.output.onNearMiss?.(this.rules[slot]!, this.key, nearMiss);
  }

  onMatch(match: Match): void {
    const { slot, rules, quarantine } = this;
    if (quarantine.has(slot)) return;
    this.told++;
    this.toldOfSlot = this.toldOf === slot ? this.toldOfSlot + 1 : 1;
    this.toldOf = slot;
    if (this.again > 0) this.again--;
    else if (this.toldOfSlot > this.ruleSet.slots[slot]!.limits.matchesMax) this.onMatchesDropped(1);
    else this.output.onMatch(rules[slot]!, this.key, this.withValues(match), this.time);
  }

  private matchesOf(set: MatchSet): void {
    if (!this.quarantine.has(this.slot)) this.output.onMatches?.(this.rules[this.slot]!, this.key, set, this.time);
  }

  onWindowEnd(time: number): void {
    this.read(time);
  }

  onRunsDropped(runs: number): void {
    this.output.onRunsDropped?.(this.rules[this.slot]!, this.key, runs);
    const { runsMax } = this.ruleSet.slots[this.slot]!.limits;
    this.quarantine.exceeded(this.slot, 'runs', `more than ${runsMax} partial matches of one key`, this);
  }

  onMatchesDropped(matches: number): void {
    this.output.onMatchesDropped?.(this.rules[this.slot]!, this.key, matches);
    const { matchesMax } = this.ruleSet.slots[this.slot]!.limits;
    this.quarantine.exceeded(this.slot, 'matches', `more than ${matchesMax} matches at one event`, this);
  }

  onSkipError(error: SkipError): void {
    this.output.onSkipError?.(this.rules[this.slot]!, this.key, error);
  }

  /**
   * Something was done with the rules, and one of them has thrown: it is stopped, and all can be done again without it; what has been told
   * is not told twice. The first time, slots go one by one from then on, so that it is known which of them it is. Throws what cannot be
   * helped so.
   */
  recover(error: unknown): void {
    const { stopped } = this.ruleSet;
    const known = stopped.apart;
    if (known && this.quarantine.has(this.slot)) throw error;
    this.again = known && this.toldOf === this.slot ? this.told - this.toldOfSlot : this.told;
    if (known) this.quarantine.stop(this.slot, 'error', String((error as Error)?.message ?? error), this);
    stopped.apart = true;
    this.told = 0;
    this.toldOf = -1;
  }

  /**
   * The state without that of rules that hold more than they may. That is measured at some events alone; which ones follows from the
   * order of events, as results must.
   */
  bounded(state: KeyState, { seq }: EngineEvent): KeyState | undefined {
    return seq % MEASURED_EVERY === 0 ? this.measured(state) : state;
  }

  /** Apart from `bounded`: its closures would be made at every event. */
  private measured(state: KeyState): KeyState | undefined {
    let kept: KeyState | undefined = state;
    const look = (slot: number, held: number, runs: number): void => {
      const { eventsMax } = this.ruleSet.slots[slot]!.limits;
      if (held <= eventsMax || kept === undefined) return;
      kept = dropSlot(this.ruleSet, kept, slot);
      this.output.onRunsDropped?.(this.rules[slot]!, this.key, runs);
      this.quarantine.exceeded(slot, 'events', `more than ${eventsMax} events held for one key`, this);
    };
    const enough = (slot: number): number => this.ruleSet.slots[slot]!.limits.eventsMax;
    state.slots.forEach((slot, i) => {
      const of = state.states[i]!;
      look(slot, heldEvents(of, enough(slot)), slotRuns(of));
    });
    for (const { state: of, slots } of state.groups) {
      const held = heldEvents(of, Math.max(...slots.map(enough)));
      for (const slot of slots) look(slot, held, slotRuns(of));
    }
    return kept;
  }

  /** The match with what its rule tells of it: features as of now, which after a timer nobody has read yet. */
  private withValues(match: Match): Match {
    const telling = this.ruleSet.tellings[this.slot]!;
    if (telling === null) return match;
    this.read(this.time);
    return tell(telling, match, this.event, this.time);
  }

  private read(time: number): void {
    if (this.unread < 0) return;
    this.readFeatures(this.unread, time);
    this.unread = -1;
  }
}
