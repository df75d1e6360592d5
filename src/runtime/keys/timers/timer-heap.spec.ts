import { dice } from '../../testing/dice.js';
import { TimerHeap } from './timer-heap.js';

describe('a timer heap', () => {
  it('gives timers out by time, then by the order it was given', () => {
    const heap = new TimerHeap((a, b) => b - a);
    heap.reserve(10);
    heap.advance(1, 50);
    heap.advance(2, 40);
    heap.advance(3, 50);
    heap.advance(4, 50);
    expect(heap.nextTime()).toBe(40);
    expect([heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([2, 4, 3, 1, -1]);
    expect(heap.nextTime()).toBe(Number.POSITIVE_INFINITY);
  });

  it('moves a timer forward, never back', () => {
    const heap = new TimerHeap((a, b) => a - b);
    heap.reserve(10);
    heap.advance(5, 100);
    heap.advance(6, 90);
    heap.advance(5, 80);
    heap.advance(6, 95);
    expect([heap.timeOf(5), heap.timeOf(6), heap.timeOf(7)]).toEqual([80, 90, Number.POSITIVE_INFINITY]);
    expect(heap.size).toBe(2);
    expect([heap.pop(), heap.pop()]).toEqual([5, 6]);
    expect(heap.timeOf(5)).toBe(Number.POSITIVE_INFINITY);
  });

  it('agrees with a sorted list, through a long random life', () => {
    const random = dice(11);
    const rank = Array.from({ length: 500 }, () => random(1_000_000_000));
    const heap = new TimerHeap((a, b) => rank[a]! - rank[b]!);
    heap.reserve(500);
    const known = new Map<number, number>();
    for (let i = 0; i < 20_000; i++) {
      if (random(3) > 0) {
        const [slot, time] = [random(500), random(200)];
        heap.advance(slot, time);
        known.set(slot, Math.min(time, known.get(slot) ?? Number.POSITIVE_INFINITY));
      } else if (known.size > 0) {
        const first = [...known].reduce((a, b) =>
          b[1] < a[1] || (b[1] === a[1] && rank[b[0]]! < rank[a[0]]!) ? b : a,
        );
        expect(heap.nextTime()).toBe(first[1]);
        expect(heap.pop()).toBe(first[0]);
        known.delete(first[0]);
      }
      expect(heap.size).toBe(known.size);
    }
  });
});
