import {
  cellValue,
  type EngineEvent,
  type Expr,
  type KeyState,
  type RuleSet,
  type Scalar,
} from '../../engine/index.js';
import { operandsOf } from '../../rules/explain/operands.js';
import type { Rule } from '../../rules/rule.js';
import { isNoted, Noted, noteIdOf, scalarOr } from './noted.js';
import { SourceEvent } from './source-event.js';

interface Note {
  readonly id: number;
  read(event: EngineEvent): Scalar | null;
}

interface Together {
  readonly ids: readonly number[];
  readonly notes: readonly Note[];
}

/**
 * Notes values on the events that the rules of an engine hold. What it notes is of one key: so each key has an object of its own of such an
 * event. Rules of which no condition reads such values, and those that hold no event because one completes them, cost nothing.
 */
export class Notes {
  private constructor(
    /** What is noted for each slot. */
    private readonly ofSlot: readonly Together[],
  ) {}

  /** `null`: there is nothing to note. */
  static of(rules: readonly Rule[], ruleSet: RuleSet): Notes | null {
    const byId = new Map<number, Note>();
    const noteOn = (expr: Expr): Note => {
      const id = noteIdOf(expr);
      const note = byId.get(id) ?? noteOf(id, expr, ruleSet);
      byId.set(id, note);
      return note;
    };
    const ofSlot = rules.map((rule, slot) => {
      if (ruleSet.patterns[slot]!.wholeMatch !== null) return together([]);
      const read = [...operandsOf(rule).values()].flat().filter(({ expr }) => isNoted(expr));
      return together([...new Set(read.map(({ expr }) => noteOn(expr)))].sort((a, b) => a.id - b.id));
    });
    return byId.size === 0 ? null : new Notes(ofSlot);
  }

  /** The event for one key: an object of its own, on which can be noted. */
  own(event: EngineEvent): EngineEvent {
    return event instanceof SourceEvent ? event.copy() : event;
  }

  /**
   * Notes what the rules read whose states have changed, which are those that hold the event. Features have their values as of the event
   * still.
   */
  note(own: EngineEvent, before: KeyState | undefined, after: KeyState | undefined): void {
    if (after === undefined || !(own instanceof SourceEvent)) return;
    own.detach();
    const { ids, notes } = this.of(before, after);
    if (notes.length === 0) return;
    own.noted = new Noted(ids, valuesOf(notes, own));
  }

  /** What is noted of an event that only this rule takes and holds. */
  read(slot: number, event: EngineEvent): readonly (Scalar | null)[] {
    return valuesOf(this.ofSlot[slot]!.notes, event);
  }

  idsOf(slot: number): readonly number[] {
    return this.ofSlot[slot]!.ids;
  }

  /** Most keys have one rule under way. */
  private of(before: KeyState | undefined, after: KeyState): Together {
    if (after.slots.length === 1 && after.groups.length === 0) return this.ofSlot[after.slots[0]!]!;
    const notes = new Set<Note>();
    for (const slot of changedSlots(before, after)) for (const note of this.ofSlot[slot]!.notes) notes.add(note);
    return together([...notes].sort((a, b) => a.id - b.id));
  }
}

function valuesOf(notes: readonly Note[], event: EngineEvent): (Scalar | null)[] {
  const values = new Array<Scalar | null>(notes.length);
  for (let i = 0; i < notes.length; i++) values[i] = notes[i]!.read(event);
  return values;
}

const together = (notes: readonly Note[]): Together => ({ ids: notes.map(({ id }) => id), notes });

function noteOf(id: number, expr: Expr, { compiler }: RuleSet): Note {
  if (expr.op === 'feature') {
    const cell = compiler.features.cell(expr.feature);
    return { id, read: () => scalarOr(cellValue(cell)) };
  }
  const value = compiler.predicates.valueOf(expr, []);
  return { id, read: (event) => scalarOr(value(event, event.fields, null)) };
}

function* changedSlots(before: KeyState | undefined, { slots, states, groups }: KeyState): Generator<number> {
  let at = 0;
  for (const [i, slot] of slots.entries()) {
    while (before !== undefined && at < before.slots.length && before.slots[at]! < slot) at++;
    if (before === undefined || before.slots[at] !== slot || before.states[at] !== states[i]) yield slot;
  }
  for (const { state, slots: alike } of groups)
    if (before?.groups.some((group) => group.state === state) !== true) yield* alike;
}
