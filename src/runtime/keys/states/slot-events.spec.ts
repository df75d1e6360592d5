import fc from 'fast-check';
import { SlotEvents } from './slot-events.js';

interface Row {
  readonly time: number;
  readonly seq: number;
  readonly offset: number;
  readonly text: string;
}

const SLOTS = 40;

const append = fc.record({
  slot: fc.nat(SLOTS - 1),
  step: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(5000)),
  length: fc.oneof(fc.nat(40), fc.nat(900)),
  keepMs: fc.oneof(fc.nat(100), fc.nat(100_000)),
});
const action = fc.oneof(
  { weight: 12, arbitrary: append },
  { weight: 1, arbitrary: fc.record({ gone: fc.nat(SLOTS - 1) }) },
);

const rowsOf = (events: SlotEvents, slot: number, time: number): Row[] => {
  const rows: Row[] = [];
  events.forEachAfter(slot, time, ({ bytes, ...record }) =>
    rows.push({ ...record, text: Buffer.from(bytes).toString() }),
  );
  return rows;
};

describe('SlotEvents', () => {
  it('has the events of each slot that are young enough, whatever comes and goes, and what is counted of it', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
        const events = new SlotEvents();
        events.reserve(SLOTS);
        const model = new Map<number, Row[]>();
        let [time, seq] = [0, 0];
        for (const does of actions) {
          if ('gone' in does) {
            if (events.has(does.gone)) events.delete(does.gone);
            model.delete(does.gone);
            continue;
          }
          const { slot, step, length, keepMs } = does;
          time += step;
          seq++;
          const row: Row = { time, seq, offset: 7 * seq, text: String(seq).padEnd(length, '.').slice(0, length) };
          const kept = (model.get(slot) ?? []).filter((known) => known.time > time - keepMs);
          model.set(slot, [...kept, row]);
          events.append(slot, row, Buffer.from(`${row.text}and more`), length, time - keepMs);
          events.setCounts(slot, seq, length);
          expect([events.count(slot), events.newestTime(slot)]).toEqual([kept.length + 1, time]);
        }
        for (let slot = 0; slot < SLOTS; slot++) {
          const rows = model.get(slot) ?? [];
          expect(events.has(slot)).toBe(rows.length > 0);
          if (rows.length === 0) continue;
          expect(rowsOf(events, slot, Number.NEGATIVE_INFINITY)).toEqual(rows);
          expect(events.firstCount(slot)).toBe(rows.at(-1)!.seq);
          const young = rows.filter((row, i) => row.time > time - 50 || i === rows.length - 1);
          expect(rowsOf(events, slot, time - 50)).toEqual(young);
        }
      }),
      { numRuns: 60 },
    );
  });
});
