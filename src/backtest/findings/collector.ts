import type { EngineEvent, Match } from '../../engine/index.js';
import { longestMs } from '../../rules/longest.js';
import type { Accuses, Rule } from '../../rules/rule.js';
import { scoreOf } from '../../rules/score.js';
import type { Alert } from '../../runtime/ports/alert.js';
import type { Plan } from '../plan/plan.js';
import { fieldsOf, type Protocol } from '../plan/protocol.js';
import type { FileStream } from '../run/file-streams.js';
import type { Found, RunListener } from '../run/run-options.js';
import { accusedEvents, accusesOf } from './accused.js';
import { Findings, type FoundByLane } from './findings.js';
import type { Labels } from './labels.js';
import type { Population, PopulationData } from './population.js';
import { SubjectReader } from './subjects.js';

/** Name of the set in a plan that the first one is compared with. */
export const BASELINE = 'baseline';

/** So that memory stays bounded where two rule sets differ in millions of alerts. */
const NOTES_MAX = 100_000;
/** Of rules that both sets have, the first few samples alone need one. */
const ALIKE_NOTES_MAX = 10_000;

/** What was found and counted up to some moment. */
export interface CollectorState {
  readonly found: FoundByLane;
  readonly population: PopulationData;
  readonly notes: number;
  readonly alikeNotes: number;
}

/** Listens to a run, and keeps what its alerts accuse in the scored range. */
export class Collector {
  readonly findings = new Findings();
  private readonly reader: SubjectReader;
  private readonly places: ReadonlyMap<Rule, number>;
  private readonly accuses: readonly Accuses[];
  private readonly fields: readonly string[];
  private readonly enoughAt: number;
  /** Rules of which whole alerts are made, for digest and samples; of the others, only what they accuse counts. */
  private readonly main: ReadonlySet<number>;
  /** Rules of which notes are kept, because they are what two rule sets differ in. */
  private readonly noted: ReadonlySet<number>;
  private notes = 0;
  /** Of rules that two rule sets have in common. */
  private readonly alike: ReadonlySet<number>;
  private alikeNotes = 0;

  /** @param population gets every event of the scored stream that is counted in this lane. */
  constructor(
    private readonly protocol: Protocol,
    private readonly labels: Labels | null,
    { rules, sets }: Plan,
    private readonly population: Population,
    /** Whether the alerts that are counted will be compared one by one with those of a service. */
    private readonly tellsAlerts = false,
  ) {
    this.reader = new SubjectReader(protocol);
    this.places = new Map(rules.map((rule, index) => [rule, index]));
    this.accuses = rules.map((rule) => accusesOf(rule, protocol.accuse));
    this.fields = fieldsOf(protocol);
    const horizon = Math.max(0, ...rules.map(({ pattern }) => longestMs(pattern)));
    this.main = new Set(sets[0].rules);
    const isCompared = sets.some((set) => set.name === BASELINE);
    this.noted = new Set(isCompared ? differing(sets) : []);
    this.alike = new Set(isCompared ? sets[0].rules.filter((rule) => !this.noted.has(rule)) : []);
    this.enoughAt = protocol.to + horizon;
  }

  listener(progress: Pick<RunListener, 'onProgress' | 'onBadRow'>): RunListener {
    return {
      ...progress,
      onFound: (found) => this.onFound(found),
      onRow: (stream, fields, time) => this.onRow(stream, fields, time),
      fieldsOf: (stream) => this.fieldsOf(stream),
      isEnough: (watermark) => watermark >= this.enoughAt,
    };
  }

  state(): CollectorState {
    return {
      found: this.findings.data(),
      population: this.population.data(),
      notes: this.notes,
      alikeNotes: this.alikeNotes,
    };
  }

  /** Goes on from what another has found and counted; comes before any other use. */
  goOnFrom({ found, population, notes, alikeNotes }: CollectorState): void {
    this.findings.merge(found);
    this.population.merge(population);
    this.notes = notes;
    this.alikeNotes = alikeNotes;
  }

  private fieldsOf(stream: FileStream): readonly string[] {
    return stream.settings.name === this.protocol.stream ? this.fields : [];
  }

  private onRow(stream: FileStream, fields: Readonly<Record<string, unknown>>, time: number): void {
    if (stream.settings.name === this.protocol.stream) this.population.add(fields, time);
  }

  /** Nothing that was complete before the range can accuse anything in it. */
  private onFound(found: Found): Alert | null {
    const { rule, at } = found;
    const { protocol } = this;
    if (at < protocol.from) return null;
    const place = this.places.get(rule)!;
    const isMain = this.main.has(place);
    const isCounted = isMain && at < protocol.to;
    const ofAlerts = protocol.of === 'alert';
    const subjects = ofAlerts ? [] : this.accusedOf(found, place);
    const isNoted = subjects.length > 0 && this.takesNote(place);
    const needed = isCounted || isNoted || (isMain && subjects.length > 0) || (ofAlerts && at < protocol.to);
    const alert = needed ? found.alert() : null;
    if (ofAlerts && alert !== null) subjects.push(this.alertItself(alert, at));
    if (subjects.length > 0) {
      const score = alert?.score ?? scoreOf(rule, found.match);
      const note = isNoted && alert !== null ? { note: { key: alert.key, message: alert.message } } : {};
      this.findings.add({ rule: place, at, score, subjects, ...note });
      const isRight = subjects.some((index) => this.isFraud(index));
      if (isMain && alert !== null) this.findings.show(place, alert, isRight);
    }
    if (!isCounted || alert === null) return null;
    if (this.tellsAlerts) this.findings.tell(alert);
    return alert;
  }

  /** Whether an alert of the rule is noted; if so, it counts. */
  private takesNote(place: number): boolean {
    if (this.noted.has(place)) return this.notes < NOTES_MAX && ++this.notes > 0;
    return this.alike.has(place) && this.alikeNotes < ALIKE_NOTES_MAX && ++this.alikeNotes > 0;
  }

  private accusedOf(found: Found, place: number): number[] {
    const indices: number[] = [];
    const match = ofStream(found.match, this.protocol.stream);
    for (const event of accusedEvents(match, this.accuses[place]!)) {
      const index = this.indexOf(event);
      if (index !== null && !indices.includes(index)) indices.push(index);
    }
    return indices;
  }

  private indexOf(event: EngineEvent): number | null {
    const { from, to } = this.protocol;
    if (event.time < from || event.time >= to) return null;
    const value = this.reader.idOf(event.fields);
    const id = String(value);
    return value === null || value === undefined
      ? null
      : this.findings.intern(id, event.time, () => this.reader.read(id, event.fields, event.time));
  }

  private alertItself(alert: Alert, at: number): number {
    return this.findings.intern(alert.id, at, () => this.reader.read(alert.id, {}, at));
  }

  private isFraud(index: number): boolean {
    return this.labels?.get(this.findings.subjects[index]!.id)?.isFraud === true;
  }
}

/** The match with the events of one stream alone. */
function ofStream(match: Match, stream: string): Match {
  const isOf = (event: EngineEvent): boolean => event.stream === stream;
  if (match.steps.every(({ events }) => events.every(isOf))) return match;
  const steps = match.steps.map(({ name, events }) => ({ name, events: events.filter(isOf) }));
  return { ...match, steps: steps.filter(({ events }) => events.length > 0) };
}

/** Rules that are not in both of the first set and the baseline. */
function differing(sets: Plan['sets']): number[] {
  const baseline = sets.find((set) => set.name === BASELINE)!;
  const [ours, theirs] = [new Set(sets[0].rules), new Set(baseline.rules)];
  const all = [...sets[0].rules, ...baseline.rules];
  return all.filter((rule) => !ours.has(rule) || !theirs.has(rule));
}
