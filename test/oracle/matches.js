import { Continuations } from './partial.js';
import { END, isPending } from './place.js';
/** More partial matches than are worth trying. */
export class TooMany extends Error {}
export function search(pattern, stream, meaning, partialMax = 3000) {
  return new Searching(pattern, stream, meaning, partialMax).run();
}
class Searching {
  stream;
  partialMax;
  continuations;
  matches = [];
  timeouts = [];
  aliveUntil;
  tried = 0;
  constructor(pattern, stream, meaning, partialMax) {
    this.stream = stream;
    this.partialMax = partialMax;
    this.continuations = new Continuations(pattern, meaning);
    this.aliveUntil = stream.map(() => -1);
  }
  run() {
    const { start } = this.continuations.places;
    for (const first of this.stream.keys()) {
      if (start !== END) this.process([], { place: start, waiting: false }, first, first);
    }
    return { matches: this.matches, timeouts: this.timeouts, aliveUntil: this.aliveUntil };
  }
  /** Follows a partial match from before feed `i`. */
  follow(taken, standing, first, i) {
    if (++this.tried > this.partialMax) throw new TooMany(`more than ${this.partialMax} partial matches`);
    this.aliveUntil[first] = Math.max(this.aliveUntil[first], 2 * i - 1);
    if (i === this.stream.length) return;
    const moment = 2 * i;
    const time = this.endOfWindow(taken, standing, this.stream[i].time);
    if (time === null) {
      this.aliveUntil[first] = Math.max(this.aliveUntil[first], moment);
      this.process(taken, standing, first, i);
    } else if (isPending(standing.place)) {
      this.matches.push({ moment, first, taken });
    } else {
      this.timeouts.push({ moment, first, taken, time });
    }
  }
  process(taken, standing, first, i) {
    const { event } = this.stream[i];
    if (event === undefined) {
      if (taken.length > 0) this.follow(taken, standing, first, i + 1);
      return;
    }
    const moment = 2 * i + 1;
    const { takes, stays, confirmed, forbidden } = this.continuations.of(taken, standing, event);
    for (let n = 0; n < confirmed; n++) this.matches.push({ moment, first, taken });
    for (const { step, to, complete } of takes) {
      const more = [...taken, { step, event }];
      if (complete) this.matches.push({ moment, first, taken: more });
      if (!forbidden && to !== END) this.follow(more, { place: to, waiting: false }, first, i + 1);
    }
    if (forbidden || taken.length === 0) return;
    for (const stay of stays) this.follow(taken, stay, first, i + 1);
  }
  /** When the window of a partial match ended, if it has; the longest wait goes before the window of the match. */
  endOfWindow(taken, standing, now) {
    const { places } = this.continuations;
    const gapMs = standing.waiting ? 0 : places.gapMs(standing.place);
    const gapEnd = taken.at(-1).event.time + gapMs;
    if (gapMs > 0 && now >= gapEnd) return gapEnd;
    const end = taken[0].event.time + places.windowMs;
    return places.windowMs > 0 && now >= end ? end : null;
  }
}
