import type { EngineEvent, Lists } from '../../engine/index.js';
import { type Partial, PartialsRecord } from '../../rules/explain/partials.js';
import { RuleStory, type ToldRun } from '../../rules/explain/story.js';
import { longestMs } from '../../rules/longest.js';
import type { Rule } from '../../rules/rule.js';
import type { Alert } from '../ports/alert.js';
import { isInCanary } from '../task/canary.js';
import type { ExplainedEvent, Explanation } from './explanation.js';
import { sayRun, saySummary } from './say.js';

/** Partial matches that are told of. */
const RUNS_TOLD = 5;
const WINDOWS_TOLD = 20;
/** How far before the time in question is looked, at least: people round. */
const LOOK_BACK_LEAST_MS = 3_600_000;

/** What is asked. */
export interface Question {
  readonly rule: Rule;
  readonly key: string;
  /** Event time in ms at which an alert might have been expected. */
  readonly at: number;
}

/** The range of event time, in ms, of which events and alerts count. */
export interface ExplainedRange {
  /** Partial matches that were there after this are told of. -Infinity: all are. */
  readonly from: number;
  /** Up to here it is followed what became of those that were there at the time in question. */
  readonly until: number;
}

export function rangeOf({ rule, at }: Question): ExplainedRange {
  const longest = longestMs(rule.pattern);
  if (!Number.isFinite(longest)) return { from: Number.NEGATIVE_INFINITY, until: at };
  return { from: at - Math.max(longest, LOOK_BACK_LEAST_MS), until: at + longest };
}

export interface ExplainerOptions extends Question {
  readonly lists?: Lists;
  readonly kindParents?: ReadonlyMap<string, string>;
  readonly quantifierGap?: 'flink' | 'every';
  readonly runsMax?: number;
  readonly tell: (event: EngineEvent) => ExplainedEvent;
}

/** Explains from the events of the key, in order of processing, and the alerts that the engine found of them. */
export class Explainer {
  readonly range: ExplainedRange;
  private readonly record: PartialsRecord;
  private readonly alerts: Alert[] = [];
  private counted = 0;

  /** Throws `PatternError` when the rule's pattern cannot be compiled. */
  constructor(private readonly options: ExplainerOptions) {
    const { rule, key, lists, kindParents, quantifierGap, runsMax } = options;
    this.range = rangeOf(options);
    this.record = new PartialsRecord(rule, {
      key,
      ...(lists && { lists }),
      ...(kindParents && { kindParents }),
      ...(quantifierGap && { quantifierGap }),
      ...(runsMax !== undefined && { runsMax }),
    });
  }

  feed(event: EngineEvent): void {
    if (event.time > this.range.until) return;
    if (event.time >= this.range.from && event.time <= this.options.at) this.counted++;
    this.record.feed(event);
  }

  onAlert(alert: Alert): void {
    this.alerts.push(alert);
  }

  /** `watermark`: event time up to which all events were there. */
  finish(watermark: number, notes: readonly string[] = []): Explanation {
    const { rule, key, at, lists, kindParents, tell } = this.options;
    const { from, until } = this.range;
    if (watermark > Number.NEGATIVE_INFINITY) this.record.advance(Math.min(watermark, until));
    const story = new RuleStory(this.record, {
      ...{ rule, key, tell },
      ...(lists && { lists }),
      ...(kindParents && { kindParents }),
    });
    const partials = story.partials(from, at);
    const alerts = this.alerts.filter(
      ({ detectedAt, firstEventTime }) => detectedAt >= from && (detectedAt <= at || firstEventTime <= at),
    );
    const matched = alerts.flatMap((alert) => this.matchOf(alert, story) ?? []);
    const told = {
      ...{ pattern: rule.id, title: rule.title, revision: rule.revision, status: rule.status },
      ...{ key, keyField: rule.key, at, from: Number.isFinite(from) ? from : null },
      ...{ fired: alerts.length > 0, alerts, events: this.counted },
      runsSeen: partials.length,
      runs: [...matched, ...partials.slice(0, RUNS_TOLD).map((partial) => story.run(partial))].map((run) =>
        sayRun(run, rule),
      ),
      begins: rule.pattern.window === undefined ? story.begins(from, at) : [],
      windows: rule.pattern.window === undefined ? [] : story.windows(from, at).slice(0, WINDOWS_TOLD),
      notes: [...notes, ...this.notes(watermark)],
    };
    return { ...told, summary: saySummary(told, rule) };
  }

  /** The run that an alert is of, with what its conditions and features were at each event. */
  private matchOf({ steps, detectedAt }: Alert, story: RuleStory<ExplainedEvent>): ToldRun<ExplainedEvent> | undefined {
    const { tell } = this.options;
    const ids = new Set(steps.flatMap(({ events }) => events.map(({ id }) => id)));
    const isOf = ({ taken, end }: Partial): boolean =>
      end!.at === detectedAt && taken.length === ids.size && taken.every(({ event }) => ids.has(tell(event).id));
    const partial = story.completed.find(isOf);
    return partial && story.run(partial);
  }

  private notes(watermark: number): readonly string[] {
    const { rule, key, at } = this.options;
    const notes: string[] = [];
    const matched = this.record.matches.some(({ time }) => time >= this.range.from && time <= at);
    if (matched && this.alerts.length === 0 && !isInCanary(rule, key))
      notes.push(
        `The pattern matched, but the key is not among the ${rule.canary} % of the canary, so there is no alert.`,
      );
    if (rule.status === 'shadow') notes.push('The rule is in shadow: its alerts are on a topic of their own.');
    if (rule.status === 'draft' || rule.status === 'retired')
      notes.push(`The rule does not run: it is ${rule.status === 'draft' ? 'a draft' : 'retired'}.`);
    if (watermark < at)
      notes.push('Event time has not come that far yet: events up to then may still be on their way.');
    return notes;
  }
}
