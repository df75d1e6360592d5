import { KeyTable } from '../table/key-table.js';
import { SlotsAhead } from './slots-ahead.js';

const tableOf = (...keys: string[]): KeyTable => {
  const table = new KeyTable();
  for (const key of keys) table.add(key);
  return table;
};

const events = ['a', 'b', 'new', 'a', 'c'].map((key) => ({ key }));

function lookedUp(table: KeyTable): SlotsAhead {
  const ahead = new SlotsAhead();
  for (const event of events) ahead.add(event, event.key);
  ahead.find(table);
  return ahead;
}

describe('slots ahead', () => {
  it('are those of the keys in the table, and are given to the events in order, some of which may not ask', () => {
    const table = tableOf('x', 'a', 'b', 'c');
    const ahead = lookedUp(table);
    expect(ahead.slots.slice(0, ahead.found)).toEqual([1, 2, 1, 3]);
    const asked = [0, 2, 3, 4].map((i) => ahead.slotOf(table, events[i]!.key, events[i]!));
    expect(asked).toEqual([1, -1, 1, 3]);
  });

  it('are looked up anew for a key that has come since, and when a key has gone since', () => {
    const table = tableOf('x', 'a', 'b', 'c');
    const ahead = lookedUp(table);
    expect(table.add('new')).toBe(4);
    expect(ahead.slotOf(table, 'new', events[2]!)).toBe(4);
    table.remove(table.find('c'));
    table.add('another');
    expect(ahead.slotOf(table, 'c', events[4]!)).toBe(-1);
  });

  it('are looked up for events that were not announced', () => {
    const table = tableOf('x', 'a');
    const ahead = lookedUp(table);
    expect(ahead.slotOf(table, 'x', {})).toBe(0);
    ahead.clear();
    expect(ahead.slotOf(table, 'a', events[0]!)).toBe(1);
  });
});
