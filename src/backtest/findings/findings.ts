import type { Alert } from '../../runtime/ports/alert.js';
import { digestOfAlert } from '../run/digest.js';
import type { Subject } from './subjects.js';

/** An alert, as far as it counts. */
export interface Finding {
  /** Index of the rule. */
  readonly rule: number;
  /** Event time at which it was complete, in ms. */
  readonly at: number;
  readonly score: number;
  /** Indices of the subjects that it accuses, in the scored range all of them; at least one. */
  readonly subjects: readonly number[];
  /** To show it; kept of some. */
  readonly note?: { readonly key: string; readonly message: string };
}

/** Alerts to show: of each rule those with the lowest ids, so that it does not matter in what order they were found. */
export interface Samples {
  readonly right: Alert[];
  readonly wrong: Alert[];
}

const SAMPLES_MAX = 5;

/** An alert by name, with the digest of all that counts in it: enough to tell which of two runs' alerts differ. */
export interface ToldAlert {
  readonly id: string;
  readonly patternId: string;
  readonly key: string;
  /** Event time at which it was complete, in ms. */
  readonly detectedAt: number;
  readonly digest: string;
}

/** In each lane: some 30 MB. */
const TOLD_MAX = 100_000;

/** The bare data of `Findings`. */
export type FoundByLane = Pick<Findings, 'subjects' | 'list' | 'samples' | 'told'>;

/** What the rules of a run have found, whatever rule sets these belong to. */
export class Findings {
  readonly subjects: Subject[] = [];
  readonly list: Finding[] = [];
  /** By index of the rule. */
  readonly samples = new Map<number, Samples>();
  /** Alerts that are counted, where they are to be compared with others; the first of very many. */
  readonly told: ToldAlert[] = [];
  private readonly indexOf = new Map<string, number>();

  /** The index of a subject, which is made where it is not known, or not so early. */
  intern(id: string, time: number, make: () => Subject): number {
    let index = this.indexOf.get(id);
    if (index === undefined) {
      index = this.subjects.push(make()) - 1;
      this.indexOf.set(id, index);
    } else if (time < this.subjects[index]!.time) {
      this.subjects[index] = make();
    }
    return index;
  }

  add(finding: Finding): void {
    this.list.push(finding);
  }

  tell(alert: Alert): void {
    if (this.told.length >= TOLD_MAX) return;
    const { id, patternId, key, detectedAt } = alert;
    this.told.push({ id, patternId, key, detectedAt, digest: digestOfAlert(alert) });
  }

  show(rule: number, alert: Alert, isRight: boolean): void {
    const samples = this.samples.get(rule) ?? { right: [], wrong: [] };
    this.samples.set(rule, samples);
    keepLowest(isRight ? samples.right : samples.wrong, alert);
  }

  /** Takes in what another part of the run has found, with the same rules. */
  merge(other: FoundByLane): void {
    const places = other.subjects.map((subject) => this.intern(subject.id, subject.time, () => subject));
    for (const finding of other.list) {
      this.list.push({ ...finding, subjects: finding.subjects.map((index) => places[index]!) });
    }
    for (const alert of other.told) this.told.push(alert);
    for (const [rule, { right, wrong }] of other.samples) {
      for (const alert of right) this.show(rule, alert, true);
      for (const alert of wrong) this.show(rule, alert, false);
    }
  }

  /** For another thread. */
  data(): FoundByLane {
    const { subjects, list, samples, told } = this;
    return { subjects, list, samples, told };
  }

  /** Puts all in an order that does not depend on that in which it was found. */
  sort(): void {
    const idOf = (finding: Finding): string => this.subjects[finding.subjects[0]!]!.id;
    this.list.sort((a, b) => a.at - b.at || a.rule - b.rule || compare(idOf(a), idOf(b)) || b.score - a.score);
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function keepLowest(alerts: Alert[], alert: Alert): void {
  if (alerts.length === SAMPLES_MAX && alert.id >= alerts.at(-1)!.id) return;
  const place = alerts.findIndex((other) => other.id > alert.id);
  alerts.splice(place < 0 ? alerts.length : place, 0, alert);
  if (alerts.length > SAMPLES_MAX) alerts.pop();
}
