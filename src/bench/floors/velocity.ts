import type { Row } from '../stream/generate.js';
import { type Floor, stateOf } from './floor.js';

const FIVE_MINUTES = 300_000;

/** The times and amounts of the last five minutes in a ring that doubles when it is full; its length is a power of two. */
class Recent {
  count = 0;
  sum = 0;
  private times = new Float64Array(8);
  private amounts = new Float64Array(8);
  private oldest = 0;

  add(time: number, amount: number): void {
    this.forgetBefore(time - FIVE_MINUTES);
    if (this.count === this.times.length) this.grow();
    const place = (this.oldest + this.count) & (this.times.length - 1);
    this.times[place] = time;
    this.amounts[place] = amount;
    this.count++;
    this.sum += amount;
  }

  private forgetBefore(time: number): void {
    while (this.count > 0 && this.times[this.oldest]! < time) {
      this.sum -= this.amounts[this.oldest]!;
      this.oldest = (this.oldest + 1) & (this.times.length - 1);
      this.count--;
    }
  }

  private grow(): void {
    const turned = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(from.length * 2);
      to.set(from.subarray(this.oldest));
      to.set(from.subarray(0, this.oldest), from.length - this.oldest);
      return to;
    };
    this.times = turned(this.times);
    this.amounts = turned(this.amounts);
    this.oldest = 0;
  }
}

const newRecent = (): Recent => new Recent();

/** W4: at every row, ten or more rows or more than 50,000 in the last five minutes. */
export class VelocityFloor implements Floor {
  matches = 0;
  private readonly accounts = new Map<string, Recent>();

  take(row: Row): void {
    const recent = stateOf(this.accounts, row.accountId, newRecent);
    recent.add(row.eventTime, row.amount);
    if (recent.count >= 10 || recent.sum > 50_000) this.matches++;
  }

  finish(): void {}
}
