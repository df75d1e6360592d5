import { holds } from './evaluate.js';
import {
  END,
  isLoop,
  isOptional,
  isPending,
  mayPass,
  negationAfter,
  negationsBefore,
  Places,
  stepAt,
} from './place.js';
/** How partial matches of one pattern go on, by recursion over the structure of the pattern. */
export class Continuations {
  meaning;
  places;
  constructor(pattern, meaning) {
    this.meaning = meaning;
    this.places = new Places(pattern, meaning.quantifierGap);
  }
  /** All ways in which a partial match goes on with an event. */
  of(taken, standing, event) {
    return new Continuation(this.places, this.meaning, taken, event).from(standing);
  }
}
class Continuation {
  places;
  meaning;
  taken;
  event;
  found = { takes: [], stays: [], confirmed: 0, forbidden: false };
  constructor(places, meaning, taken, event) {
    this.places = places;
    this.meaning = meaning;
    this.taken = taken;
    this.event = event;
  }
  from(standing) {
    const { place, waiting } = standing;
    if (!waiting) {
      this.visit(place, place);
      return this.found;
    }
    this.forbid(place.scope, isLoop(place) ? negationAfter(place) : negationsBefore(place));
    this.take(place);
    this.passOver(place, standing);
    return this.found;
  }
  /** `home`: the place of the outermost group that begins here. */
  visit(place, home) {
    if (place === END || this.isBarred(place)) return;
    const step = stepAt(place);
    if (isPending(place)) {
      if (this.fits(step, place.scope)) this.found.forbidden = true;
      else this.found.stays.push({ place, waiting: false });
    } else if (step.contiguity === 'notNext') {
      this.visitNotNext(place);
    } else {
      this.forbid(place.scope, this.negationsAt(place));
      if (step.kind === 'group') this.visitGroup(place, home);
      else this.visitStep(place, home);
    }
  }
  visitNotNext(place) {
    const next = this.places.beyond(place);
    if (this.fits(stepAt(place), place.scope)) this.found.forbidden = true;
    else if (next === END) this.found.confirmed++;
    else this.visit(next, next);
  }
  visitGroup(place, home) {
    // Right after a repetition the group around must not have ended, or it does not even begin another one.
    if (isAfterRepetition(place) && this.isEnded(place.scope)) return;
    const again = isAfterRepetition(place) ? { ...place, untimed: false } : place;
    this.visit(withLifted(this.places.head(place), place.lifted), home === place ? again : home);
    this.pass(place);
  }
  visitStep(place, home) {
    this.take(place);
    const decides = isLoop(place) || mayPass(place) || beginsOptionalGroup(place);
    this.passOver(place, decides ? { place, waiting: true } : { place: home, waiting: false });
    this.pass(place);
  }
  pass(place) {
    if (!mayPass(place) || this.isEnded(place.scope)) return;
    for (const next of this.passed(place)) {
      if (next === END) continue;
      const lifted = withLifted(next, place.lifted);
      this.visit(lifted, lifted);
    }
  }
  /** What follows a step that is left. */
  passed(place) {
    const { greedy, until } = stepAt(place);
    const ends = greedy && until !== undefined && this.holds(until);
    return [ends ? this.places.beyondUngreedy(place) : this.places.beyond(place)];
  }
  take(place) {
    const step = stepAt(place);
    if (step.kind === 'group' || !this.fits(step, place.scope) || (step.until && this.holds(step.until))) return;
    if (!this.comesInTime(place)) return;
    const next = this.places.after(place);
    const to = next === END || !isOptional(step) ? next : withLifted(next, negationsBefore(place));
    this.found.takes.push({ step: step.name, to, complete: this.mayEnd(to) });
  }
  passOver(place, then) {
    const step = stepAt(place);
    const how = place.done === 0 ? beforeFirst(place) : between(place);
    if (how === 'strict' || this.isEnded(place.scope)) return;
    if (place.done > 0 && step.until && this.holds(step.until)) return;
    if (how === 'any' || !this.fitsAlone(step) || !this.comesInTime(place)) this.found.stays.push(then);
  }
  /** Where the longest wait of a quantifier is meant for every occurrence: soon enough after the one before. */
  comesInTime(place) {
    const gapMs = stepAt(place).quantifier?.gapMs ?? 0;
    if (this.meaning.quantifierGap === 'flink' || gapMs === 0 || place.done === 0) return true;
    return this.event.time - this.taken.at(-1).event.time < gapMs;
  }
  /** Whether the end can be reached without another event. The event just taken is looked at, but not yet counted in. */
  mayEnd(place) {
    if (place === END) return true;
    if (isPending(place) || this.isBarred(place)) return false;
    const step = stepAt(place);
    if (step.contiguity === 'notNext') {
      const next = this.places.beyond(place);
      return next !== END && !this.fits(step, place.scope) && this.mayEnd(next);
    }
    if (step.kind === 'group' && this.mayEnd(this.places.head(place))) return true;
    return mayPass(place) && !this.isEnded(place.scope) && this.passed(place).some((next) => this.mayEnd(next));
  }
  negationsAt(place) {
    if (place.done === 0) return negationsBefore(place).filter((step) => !place.lifted.includes(step));
    return stepAt(place).kind === 'group' && isLoop(place) ? [] : negationAfter(place);
  }
  forbid(scope, negations) {
    if (negations.some((step) => this.fits(step, scope))) this.found.forbidden = true;
  }
  isBarred(place) {
    return place.bars.some(({ step, scope }) => this.fits(step, scope));
  }
  /** The group around has come to its `until`. */
  isEnded(scope) {
    const until = scope.group?.step.until;
    return until !== undefined && this.holds(until);
  }
  fits(step, scope) {
    return this.fitsAlone(step) && !this.isEnded(scope);
  }
  fitsAlone(step) {
    if (step.kind === 'group') return true;
    if (step.subtype !== undefined && !this.isKind(step.subtype)) return false;
    return step.where === undefined || this.holds(step.where);
  }
  isKind(kind) {
    for (let own = this.event.kind; own !== undefined; own = this.meaning.kindParents.get(own))
      if (own === kind) return true;
    return false;
  }
  holds(condition) {
    return holds(condition, this.event, (step) => this.taken.filter((t) => t.step === step).map((t) => t.event));
  }
}
/** What may be passed over before the first occurrence; the first step of a group follows as the group does. */
function beforeFirst(place) {
  const { group } = place.scope;
  if (group === null || place.index > 0) return byContiguity(stepAt(place));
  return group.place.done === 0 ? byContiguity(group.step) : byInside(group.step);
}
/** What may be passed over between the occurrences; of the first step of a group, what the group says. */
function between(place) {
  const { group } = place.scope;
  return byInside(group !== null && place.index === 0 ? group.step : stepAt(place));
}
function byContiguity(step) {
  if (step.contiguity === 'followedByAny') return 'any';
  return step.contiguity === 'followedBy' ? 'fitting' : 'strict';
}
function byInside(step) {
  if (step.inside === 'combinations') return 'any';
  return step.inside === 'consecutive' ? 'strict' : 'fitting';
}
/** The group has just been repeated without need; it has passed over nothing since. */
const isAfterRepetition = (place) =>
  stepAt(place).kind === 'group' && isLoop(place) && place.untimed && place.lifted.length === 0;
/** Where negations no longer matter, no longest wait holds either. */
const withLifted = (place, negations) =>
  negations.length === 0 ? place : { ...place, lifted: [...place.lifted, ...negations], untimed: true };
function beginsOptionalGroup(place) {
  const { group } = place.scope;
  return group !== null && place.index === 0 && group.place.done === 0 && isOptional(group.step);
}
