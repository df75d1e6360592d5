import fc from 'fast-check';
import { OrderBuffer } from './order-buffer.js';

describe('OrderBuffer', () => {
  it('lets events out by time, and within one time in order of arrival, however it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 })), fc.array(fc.nat(40)), (times, marks) => {
        const buffer = new OrderBuffer<{ time: number; offset: number }>();
        const events = times.map((time, offset) => ({ time, offset }));
        for (const event of events) buffer.add(event);
        const out: typeof events = [];
        for (const mark of [...marks.toSorted((a, b) => a - b), 100]) {
          for (let slot = buffer.take(mark); slot !== null; slot = buffer.take(mark)) out.push(...slot);
        }
        expect(out).toEqual(events.toSorted((a, b) => a.time - b.time || a.offset - b.offset));
        expect(buffer.size).toBe(0);
      }),
    );
  });

  it('knows the lowest offset that it holds', () => {
    const buffer = new OrderBuffer<{ time: number; offset: number }>();
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
