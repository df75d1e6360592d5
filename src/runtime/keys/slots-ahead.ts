import type { KeyTable } from './key-table.js';

/**
 * The slots of the keys of events that come next, looked up side by side and used as the events come, in the same order.
 *
 * A slot that was found stays its key's while no key is removed from the table; of a key that was not there, nothing is known.
 */
export class SlotsAhead {
  private readonly events: object[] = [];
  private readonly keys: string[] = [];
  private readonly slots: number[] = [];
  private readonly known: number[] = [];
  private next = 0;
  private removals = 0;

  clear(): void {
    this.events.length = 0;
    this.keys.length = 0;
    this.slots.length = 0;
    this.next = 0;
  }

  /** Adds an event, by its identity, and its key. */
  add(event: object, key: string): void {
    this.events.push(event);
    this.keys.push(key);
  }

  /** Looks up the keys; answers the slots of those that are in the table, until the next call. */
  find(table: KeyTable): readonly number[] {
    const { keys, slots, known } = this;
    this.removals = table.removals;
    table.findAll(keys, slots);
    known.length = 0;
    for (let i = 0; i < slots.length; i++) if (slots[i]! >= 0) known.push(slots[i]!);
    return known;
  }

  /** Slot of the key of an event; -1: it has none. */
  slotOf(table: KeyTable, key: string, event: object): number {
    const { events } = this;
    while (this.next < events.length && events[this.next] !== event) this.next++;
    if (this.next === events.length || this.removals !== table.removals) return table.find(key);
    const slot = this.slots[this.next]!;
    return slot >= 0 ? slot : table.find(key);
  }
}
