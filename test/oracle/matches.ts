import type { EngineEvent, Pattern } from '../../src/engine/index.js';
import { Continuations, type Meaning, type Standing, type Taken } from './partial.js';
import { END, isPending } from './place.js';

/**
 * All matches of a pattern over one key's stream, by trying everything.
 *
 * A match begins at any event that can be its first. Each event after it is given to every way in which the partial match
 * can stand (`partial.ts`), and each outcome is followed on its own to the end of the stream. Partial matches are not merged,
 * shared or kept: what the same events give in two ways is found, and counted, twice.
 *
 * Time is told in moments: 2i is the advance to the time of feed i, 2i + 1 the processing of its event.
 */

/** Event time moves on, and then an event may be processed. Times do not fall, and `seq` rises. */
export interface Feed {
  readonly time: number;
  readonly event?: EngineEvent;
}

export type Stream = readonly Feed[];

export interface FoundMatch {
  readonly moment: number;
  /** Number of the feed that brought the first event. */
  readonly first: number;
  readonly taken: readonly Taken[];
}

export interface FoundTimeout extends FoundMatch {
  /** When the window ended. */
  readonly time: number;
}

export interface Search {
  readonly matches: readonly FoundMatch[];
  readonly timeouts: readonly FoundTimeout[];
  /** By the feed that brought the first event: the last moment after which something that begins there is still under way. */
  readonly aliveUntil: readonly number[];
}

/** More partial matches than are worth trying. */
export class TooMany extends Error {}

export function search(pattern: Pattern, stream: Stream, meaning: Meaning, partialMax = 3000): Search {
  return new Searching(pattern, stream, meaning, partialMax).run();
}

class Searching {
  private readonly continuations: Continuations;
  private readonly matches: FoundMatch[] = [];
  private readonly timeouts: FoundTimeout[] = [];
  private readonly aliveUntil: number[];
  private tried = 0;

  constructor(
    pattern: Pattern,
    private readonly stream: Stream,
    meaning: Meaning,
    private readonly partialMax: number,
  ) {
    this.continuations = new Continuations(pattern, meaning);
    this.aliveUntil = stream.map(() => -1);
  }

  run(): Search {
    const { start } = this.continuations.places;
    for (const first of this.stream.keys()) {
      if (start !== END) this.process([], { place: start, waiting: false }, first, first);
    }
    return { matches: this.matches, timeouts: this.timeouts, aliveUntil: this.aliveUntil };
  }

  /** Follows a partial match from before feed `i`. */
  private follow(taken: readonly Taken[], standing: Standing, first: number, i: number): void {
    if (++this.tried > this.partialMax) throw new TooMany(`more than ${this.partialMax} partial matches`);
    this.aliveUntil[first] = Math.max(this.aliveUntil[first]!, 2 * i - 1);
    if (i === this.stream.length) return;
    const moment = 2 * i;
    const time = this.endOfWindow(taken, standing, this.stream[i]!.time);
    if (time === null) {
      this.aliveUntil[first] = Math.max(this.aliveUntil[first]!, moment);
      this.process(taken, standing, first, i);
    } else if (isPending(standing.place)) {
      this.matches.push({ moment, first, taken });
    } else {
      this.timeouts.push({ moment, first, taken, time });
    }
  }

  private process(taken: readonly Taken[], standing: Standing, first: number, i: number): void {
    const { event } = this.stream[i]!;
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
  private endOfWindow(taken: readonly Taken[], standing: Standing, now: number): number | null {
    const { places } = this.continuations;
    const gapMs = standing.waiting ? 0 : places.gapMs(standing.place);
    const gapEnd = taken.at(-1)!.event.time + gapMs;
    if (gapMs > 0 && now >= gapEnd) return gapEnd;
    const end = taken[0]!.event.time + places.windowMs;
    return places.windowMs > 0 && now >= end ? end : null;
  }
}
