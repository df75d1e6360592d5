import fc from 'fast-check';
import { OrderBuffer } from './order-buffer.js';

interface Event {
  readonly time: number;
  readonly offset: number;
}

/** What the buffer is to do, the slow way: a list in order of arrival. */
class SortedList {
  readonly events: Event[] = [];

  get first(): Event | undefined {
    return this.events.toSorted((a, b) => a.time - b.time || a.offset - b.offset)[0];
  }

  take(watermark: number): Event | null {
    const { first } = this;
    if (first === undefined || first.time > watermark) return null;
    this.events.splice(this.events.indexOf(first), 1);
    return first;
  }

  lowestOffset(): number | null {
    return this.events.length === 0 ? null : Math.min(...this.events.map((event) => event.offset));
  }
}

const YEAR_MS = 365 * 86_400_000;

/** Times of one ms, of some, of seconds, of hours and of years beside each other. */
const time = fc.oneof(
  fc.constantFrom(0, 4095, 4096, 1_700_000_000_000),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_040 }),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_010_000 }),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_036_000_000 }),
  fc.integer({ min: 0, max: 200 * YEAR_MS }),
);
const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ add: fc.array(time, { maxLength: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ add: time.map((t) => new Array<number>(300).fill(t)) }) },
  { weight: 3, arbitrary: fc.record({ watermark: time, atMost: fc.nat(60) }) },
);

describe('OrderBuffer', () => {
  it('gives events back by time, and within one time in order of arrival, whatever the times and whenever it is asked', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const [buffer, list] = [new OrderBuffer<Event>(), new SortedList()];
        let offset = 0;
        const same = (): void => {
          expect(buffer.size).toBe(list.events.length);
          expect(buffer.lowestOffset()).toBe(list.lowestOffset());
          expect(buffer.firstTime()).toBe(list.first?.time);
        };
        const take = (watermark: number, atMost: number): void => {
          for (let n = 0; n < atMost; n++) {
            const expected = list.take(watermark);
            expect(buffer.take(watermark)).toBe(expected);
            if (expected === null) return;
          }
        };
        for (const does of actions) {
          if ('add' in does) {
            for (const at of does.add) {
              const event = { time: at, offset: offset++ };
              buffer.add(event);
              list.events.push(event);
            }
          } else {
            take(does.watermark, does.atMost);
          }
          same();
        }
        take(Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY);
        same();
        expect(buffer.size).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the order behind a moving watermark for as long as a stream runs', () => {
    const buffer = new OrderBuffer<Event>();
    const [taken, events]: [Event[], Event[]] = [[], []];
    for (let offset = 0; offset < 60_000; offset++) {
      const event = { time: 1000 * offset - ((offset * 7919) % 30_000), offset };
      events.push(event);
      buffer.add(event);
      for (let next = buffer.take(1000 * offset - 30_000); next !== null; next = buffer.take(1000 * offset - 30_000)) {
        taken.push(next);
      }
    }
    expect(buffer.size).toBeLessThan(100);
    for (let next = buffer.take(Infinity); next !== null; next = buffer.take(Infinity)) taken.push(next);
    expect(taken).toEqual(events.toSorted((a, b) => a.time - b.time || a.offset - b.offset));
  });

  it('takes an event of an earlier time than any that it holds first, though later ones were asked for', () => {
    const buffer = new OrderBuffer<Event>();
    for (const [offset, at] of [9000, 9001, 9001].entries()) buffer.add({ time: at, offset });
    expect(buffer.take(9500)).toEqual({ time: 9000, offset: 0 });
    buffer.add({ time: 20, offset: 3 });
    expect(buffer.firstTime()).toBe(20);
    expect([1, 2, 3].map(() => buffer.take(9500)?.offset)).toEqual([3, 1, 2]);
    expect(buffer.take(9500)).toBeNull();
  });

  it('knows the lowest offset that it holds', () => {
    const buffer = new OrderBuffer<Event>();
    expect(buffer.lowestOffset()).toBeNull();
    buffer.add({ time: 5, offset: 7 });
    buffer.add({ time: 9, offset: 6 });
    expect(buffer.lowestOffset()).toBe(6);
    buffer.take(5);
    expect(buffer.lowestOffset()).toBe(6);
    buffer.take(9);
    expect(buffer.lowestOffset()).toBeNull();
  });
});
