/** Lets so many in at a time; the others wait, in order. */
export class Gate {
  private readonly waiting: (() => void)[] = [];
  private free: number;

  constructor(places = 1) {
    this.free = places;
  }

  async run<T>(act: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
