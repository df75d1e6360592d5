import { search, TooMany } from './matches.js';
import { takenText } from './texts.js';

const RESULTS_MAX = 100;
const ORDERS_MAX = 500;
/** Throws `TooMany` where there is more to try than is worth it. */
export function expectedResults(pattern, stream, meaning) {
  const found = search(pattern, stream, meaning);
  const skip = pattern.skip ?? { strategy: 'noSkip' };
  if (skip.strategy === 'noSkip') return [{ matches: found.matches, timeouts: found.timeouts }];
  return new Emitting(stream, skip, found).run();
}
class Emitting {
  stream;
  skip;
  found;
  results = new Map();
  tried = new Set();
  feedOf;
  constructor(stream, skip, found) {
    this.stream = stream;
    this.skip = skip;
    this.found = found;
    this.feedOf = new Map(stream.map(({ event }, i) => [event, i]));
  }
  run() {
    const dropped = this.stream.map(() => Number.POSITIVE_INFINITY);
    this.enter({ moment: 0, waiting: [], dropped, emitted: [] });
    return [...this.results.values()];
  }
  /** Matches that are complete at this moment join those that wait. */
  enter(world) {
    if (world.moment === 2 * this.stream.length) {
      this.finish(world);
      return;
    }
    const complete = this.found.matches.filter(
      (m) => m.moment === world.moment && world.dropped[m.first] > world.moment,
    );
    this.emit({ ...world, waiting: [...world.waiting, ...complete] });
  }
  emit(world) {
    const { waiting, moment, dropped } = world;
    const first = Math.min(...waiting.map((m) => m.first));
    const isHeld = this.found.aliveUntil.some((until, i) => i < first && until >= moment && dropped[i] > moment);
    if (waiting.length === 0 || isHeld) {
      this.enter({ ...world, moment: moment + 1 });
      return;
    }
    const ready = new Map();
    for (const match of waiting) if (match.first === first) ready.set(takenText(match.taken), match);
    if (ready.size === 1 || this.isNew(world)) for (const match of ready.values()) this.emitOne(world, match);
  }
  /** Different orders of ties can lead to the same. */
  isNew({ moment, waiting, emitted, dropped }) {
    const texts = (matches) => matches.map(matchText).sort();
    const key = JSON.stringify([moment, texts(waiting), texts(emitted), dropped]);
    if (this.tried.has(key)) return false;
    if (this.tried.size > ORDERS_MAX) throw new TooMany(`more than ${ORDERS_MAX} orders of ties`);
    this.tried.add(key);
    return true;
  }
  emitOne(world, match) {
    const end = this.dropsBefore(match);
    if (end === 'error') {
      this.finish(world, world.moment);
      return;
    }
    const rest = world.waiting.filter((m) => m !== match && m.first >= end);
    const dropped = world.dropped.map((moment, i) => (i < end ? Math.min(moment, world.moment) : moment));
    this.emit({ ...world, waiting: rest, dropped, emitted: [...world.emitted, { ...match, moment: world.moment }] });
  }
  /** The first feed whose event is not dropped. */
  dropsBefore(match) {
    const { skip } = this;
    const feeds = (taken) => taken.map((t) => this.feedOf.get(t.event));
    if (skip.strategy === 'toNext') return match.first + 1;
    if (skip.strategy === 'pastLastEvent') return feeds(match.taken).at(-1) + 1;
    if (skip.strategy === 'noSkip') return 0;
    const ofStep = feeds(match.taken.filter((t) => t.step === skip.step));
    const target = ofStep.at(skip.strategy === 'toFirst' ? 0 : -1);
    if (skip.onMiss === 'error' && (target === undefined || target === match.first)) return 'error';
    return target ?? 0;
  }
  finish(world, failedAt) {
    const timeouts = this.found.timeouts.filter((t) => world.dropped[t.first] >= t.moment);
    const key = `${failedAt} ${world.emitted.map(matchText).sort().join('\n')} ${world.dropped}`;
    this.results.set(key, { matches: world.emitted, timeouts, ...(failedAt === undefined ? {} : { failedAt }) });
    if (this.results.size > RESULTS_MAX) throw new TooMany(`more than ${RESULTS_MAX} results`);
  }
}
const matchText = (match) => `${match.moment} ${takenText(match.taken)}`;
