import type { EngineEvent } from '../../../engine/index.js';
import type { KeyTable } from '../table/key-table.js';

/** What the keys of events are. */
interface KeysOfEvents {
  /** The field that is the key of every event; `null`: `keysOf` tells. */
  readonly field: string | null;
  readonly keysOf: (event: EngineEvent) => readonly string[];
  /** Whose events are meant; `null`: of all streams. */
  readonly streams: ReadonlySet<string | undefined> | null;
}

/** Keys that are of no concern here are not looked up. */
type OwnsKey = ((key: string) => boolean) | undefined;

/**
 * The slots of the keys of events that come next, looked up side by side and used as the events come, in the same order.
 *
 * A slot that was found stays its key's while no key is removed from the table; of a key that was not there, nothing is known.
 */
export class SlotsAhead {
  /** Slots that were found by the last `find`, the first `found` of them. */
  readonly slots: number[] = [];
  found = 0;
  // Lists are not emptied but written over: one that is emptied gives up its memory, and events come by the million.
  private readonly events: object[] = [];
  private readonly keys: string[] = [];
  private readonly slotsOf: number[] = [];
  private count = 0;
  private next = 0;
  private removals = 0;

  clear(): void {
    this.count = 0;
    this.next = 0;
  }

  /** Adds an event, by its identity, and its key. */
  add(event: object, key: string): void {
    this.events[this.count] = event;
    this.keys[this.count++] = key;
  }

  /** Adds the events from `from` up to `to`, with their keys. The number means nothing: their times are read for it, which are looked at next. */
  addAll(events: readonly EngineEvent[], from: number, to: number, of: KeysOfEvents, ownsKey?: OwnsKey): number {
    const { field, keysOf, streams } = of;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const event = events[i]!;
      sum += event.time;
      if (streams !== null && !streams.has(event.stream)) continue;
      if (field === null) {
        for (const key of keysOf(event)) if (ownsKey === undefined || ownsKey(key)) this.add(event, key);
        continue;
      }
      const value = event.fields[field];
      if (typeof value !== 'string' && typeof value !== 'number') continue;
      const key = typeof value === 'string' ? value : String(value);
      if (ownsKey === undefined || ownsKey(key)) this.add(event, key);
    }
    return sum;
  }

  /** Looks up the keys. */
  find(table: KeyTable): void {
    const { slots, slotsOf, count } = this;
    this.removals = table.removals;
    table.findAll(this.keys, count, slotsOf);
    let found = 0;
    for (let i = 0; i < count; i++) if (slotsOf[i]! >= 0) slots[found++] = slotsOf[i]!;
    this.found = found;
  }

  /** Slot of the key of an event; -1: it has none. */
  slotOf(table: KeyTable, key: string, event: object): number {
    const { events, keys, count } = this;
    let { next } = this;
    // An event can count for several keys.
    while (next < count && (events[next] !== event || keys[next] !== key)) next++;
    this.next = next;
    if (next === count || this.removals !== table.removals) return table.find(key);
    const slot = this.slotsOf[next]!;
    return slot >= 0 ? slot : table.find(key);
  }
}
