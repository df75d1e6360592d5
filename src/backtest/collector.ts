import type { EngineEvent, Match } from '../engine/index.js';
import type { Accuses, Rule } from '../rules/rule.js';
import type { Alert } from '../runtime/ports/alert.js';
import { accusedEvents, accusesOf } from './accused.js';
import { Findings } from './findings.js';
import type { Labels } from './labels/labels.js';
import type { Population } from './population.js';
import { fieldsOf, type Protocol } from './protocol.js';
import type { FileStream, Found, RunListener } from './run-files.js';
import { SubjectReader } from './subjects.js';

/** Listens to a run, and keeps what its alerts accuse in the scored range. */
export class Collector implements RunListener {
  readonly findings = new Findings();
  private readonly reader: SubjectReader;
  private readonly places: ReadonlyMap<Rule, number>;
  private readonly accuses: readonly Accuses[];
  private readonly fields: readonly string[];
  private readonly enoughAt: number;

  /**
   * @param alertsOf rules of which whole alerts are made, for the digest and as samples; of the others, only what they accuse counts.
   * @param population gets every event of the scored stream; `null`: someone else counts them.
   */
  constructor(
    private readonly protocol: Protocol,
    private readonly labels: Labels | null,
    rules: readonly Rule[],
    private readonly alertsOf: ReadonlySet<Rule>,
    private readonly population: Population | null,
  ) {
    this.reader = new SubjectReader(protocol);
    this.places = new Map(rules.map((rule, index) => [rule, index]));
    this.accuses = rules.map((rule) => accusesOf(rule, protocol.accuse));
    this.fields = fieldsOf(protocol);
    const horizon = Math.max(0, ...rules.map(longestMs));
    this.enoughAt = protocol.to + horizon;
  }

  fieldsOf(stream: FileStream): readonly string[] {
    return stream.settings.name === this.protocol.stream ? this.fields : [];
  }

  onRow(stream: FileStream, fields: Readonly<Record<string, unknown>>, time: number): void {
    if (this.population !== null && stream.settings.name === this.protocol.stream) this.population.add(fields, time);
  }

  isEnough(watermark: number): boolean {
    return watermark >= this.enoughAt;
  }

  /** Nothing that was complete before the range can accuse anything in it. */
  onFound(found: Found): Alert | null {
    const { rule, at } = found;
    const { protocol } = this;
    if (at < protocol.from) return null;
    const place = this.places.get(rule)!;
    const isCounted = at < protocol.to;
    const whole = this.alertsOf.has(rule) && (isCounted || protocol.of !== 'alert') ? found.alert() : null;
    const subjects = protocol.of === 'alert' ? this.alertItself(whole, at) : this.accusedOf(found, place);
    if (subjects.length > 0) {
      const score = whole === null ? rule.alert.score : whole.score;
      this.findings.add({ rule: place, at, score, subjects });
      if (whole !== null)
        this.findings.show(
          place,
          whole,
          subjects.some((index) => this.isFraud(index)),
        );
    }
    return isCounted ? whole : null;
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
    const id = this.reader.idOf(event.fields);
    return id === null
      ? null
      : this.findings.intern(id, event.time, () => this.reader.read(id, event.fields, event.time));
  }

  private alertItself(alert: Alert | null, at: number): number[] {
    if (alert === null) return [];
    return [this.findings.intern(alert.id, at, () => this.reader.read(alert.id, {}, at))];
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

/** From the first event of a match to when it is complete, at most. */
function longestMs({ pattern }: Rule): number {
  const [first, ...others] = pattern.steps;
  const isOneEvent = others.length === 0 && first?.kind === 'event' && first.quantifier === undefined;
  return isOneEvent ? 0 : (pattern.withinMs ?? Number.POSITIVE_INFINITY);
}
