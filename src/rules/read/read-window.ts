import { isMap, isSeq, type Node } from 'yaml';
import {
  type Pattern,
  type PatternWindow,
  WINDOW_EVENTS_MAX,
  WINDOW_FIELDS,
  WINDOW_STEP,
  type WindowAggregate,
  type WindowForm,
} from '../../engine/index.js';
import { checkCondition } from '../condition/check-condition.js';
import type { RuleScope, Scope, StepInfo } from '../condition/scope.js';
import type { EventSchema } from '../schema.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import type { Span } from '../source/source-file.js';
import { STATISTICS, StatisticReader } from './read-statistic.js';
import { NAME_FORM, RESERVED_NAMES } from './read-steps.js';
import { andOf, type Reads, type RuleStreams } from './read-streams.js';
import { readSubtype, readWhere } from './read-where.js';
import { type NamedStatistic, windowResult } from './window-result.js';
import { Section, spanOf } from './yaml-section.js';

const FORMS = ['tumbling', 'hopping', 'session'] as const;
type Form = (typeof FORMS)[number];
const MORE_KEYS = ['every', 'offset', 'max'] as const;
/** What each form has beside its length. */
const OF_FORM: Readonly<Record<Form, readonly (typeof MORE_KEYS)[number][]>> = {
  tumbling: ['offset'],
  hopping: ['every', 'offset'],
  session: ['max'],
};

/** All keys that a window may have. */
export const WINDOW_KEYS: readonly string[] = [
  ...[...FORMS, ...MORE_KEYS],
  ...['from', 'where', 'or', 'subtype', 'aggregates', 'having', 'events'],
];

const WINDOW_STATISTICS = STATISTICS.filter((fn) => fn !== 'since');

/** All keys that an aggregate may have. */
export const AGGREGATE_KEYS: readonly string[] = ['name', ...WINDOW_STATISTICS, ...['q', 'where']];

export interface ReadWindow {
  /** `null` when anything of it is wrong. */
  readonly pattern: Pattern | null;
  /** The step that says which events count, for what is said of it. */
  readonly infos: readonly StepInfo[];
  /** What is known of what comes out, which `having`, the message and the score speak of. */
  readonly result: EventSchema;
}

/** Reads the window of a rule that emits by itself. `places`: where parts of the pattern stand is put there, by their paths. */
export class WindowReader {
  private readonly statistics: StatisticReader;
  private complete = true;

  constructor(
    private readonly section: Section,
    private readonly scope: RuleScope,
    private readonly streams: RuleStreams,
    private readonly places: Map<string, Span>,
  ) {
    const { fields, lists = { known: null, used: new Set() }, features } = scope;
    const known = features?.known ?? new Map();
    this.statistics = new StatisticReader('aggregate', WINDOW_STATISTICS, { fields, lists, features: known });
  }

  read(): ReadWindow {
    const { section } = this;
    const reads = this.streams.of(section);
    this.note();
    const form = this.form();
    const where = andOf(
      reads.test,
      readWhere(section, (text) => {
        const own = { ...this.scope, schema: reads.schema, steps: [], self: 0 };
        return checkCondition(text.text, own, text) ?? undefined;
      }),
    );
    const subtype = readSubtype(section, reads.schema);
    const named: NamedStatistic[] = [];
    const aggregates = this.aggregates(reads, named);
    const fields = windowResult(form, named);
    const result: EventSchema = { stream: WINDOW_STEP, fields, kinds: null, kindParents: new Map() };
    const having = this.having(result);
    const events = section.parsed('events', 'bad-value', `a whole number from 1 to ${WINDOW_EVENTS_MAX}`, parseEvents);
    const infos = [{ name: WINDOW_STEP, negated: false, repeats: false, schema: reads.schema }];
    if (form === null || having === null || !this.complete) return { pattern: null, infos, result };
    const step = {
      ...({ kind: 'event', name: WINDOW_STEP, contiguity: 'start' } as const),
      ...(where === undefined ? {} : { where }),
      ...(subtype === undefined ? {} : { subtype }),
    };
    const window: PatternWindow = {
      ...{ form, aggregates },
      ...(having === undefined ? {} : { having }),
      ...(events === undefined ? {} : { events }),
    };
    return { pattern: { steps: [step], window }, infos, result };
  }

  private note(): void {
    const put = (path: string, key: string): void => {
      const place = this.section.place(key);
      if (place !== undefined) this.places.set(path, place);
    };
    for (const key of WINDOW_KEYS) put(`window/${key}`, key);
    for (const key of ['where', 'subtype']) put(`steps/0/${key}`, key);
  }

  /** `null`: wrong, and reported. */
  private form(): WindowForm | null {
    const { section } = this;
    const [kind, second] = FORMS.filter((form) => section.entry(form) !== undefined);
    if (kind === undefined) {
      section.missing(
        'tumbling, hopping or session',
        'Add tumbling: 1m, or hopping: 5m with every: 1m, or session: 10m.',
      );
      return null;
    }
    if (second !== undefined) {
      const message = `The window is both ${kind} and ${second}.`;
      section.source.error('window-form-twice', section.entry(second)!.keySpan, message, 'Make it two rules.');
      return null;
    }
    for (const key of MORE_KEYS) {
      const entry = section.entry(key);
      if (entry === undefined || OF_FORM[kind].includes(key)) continue;
      const fitting = FORMS.filter((form) => OF_FORM[form].includes(key)).join(' or ');
      section.source.error('wrong-form', entry.keySpan, `A ${kind} window has no ${key}.`, `${key} is of ${fitting}.`);
    }
    if (kind === 'hopping' && section.entry('every') === undefined) {
      section.missing('every', 'Add every: with the time from one window to the next, such as 1m.');
    }
    const [length, every, offset, max] = [kind, ...MORE_KEYS].map((key) => this.duration(key));
    if (length === undefined) return null;
    const moved = offset === undefined ? {} : { offsetMs: offset };
    if (kind === 'tumbling') return { kind, sizeMs: length, ...moved };
    if (kind === 'hopping') return every === undefined ? null : { kind, sizeMs: length, everyMs: every, ...moved };
    return { kind, gapMs: length, ...(max === undefined ? {} : { maxMs: max }) };
  }

  private duration(key: string): number | undefined {
    return this.section.parsed(key, 'bad-duration', DURATION_FORM, parseDuration);
  }

  private aggregates(reads: Reads, named: NamedStatistic[]): readonly WindowAggregate[] {
    const entry = this.section.entry('aggregates');
    if (entry !== undefined && !isSeq(entry.node)) this.section.wrong(entry, 'a list of aggregates');
    const items = isSeq(entry?.node) ? (entry.node.items as Node[]) : [];
    const aggregates = items.map((item) => this.aggregate(item, reads, named));
    if (aggregates.includes(null)) this.complete = false;
    return aggregates.filter((aggregate) => aggregate !== null);
  }

  private aggregate(node: Node, reads: Reads, named: NamedStatistic[]): WindowAggregate | null {
    const { source } = this.section;
    if (!isMap(node)) {
      const hint = 'Write name: …, then count: true or sum: field.';
      source.error('wrong-form', spanOf(node), 'An aggregate is a map of keys and values.', hint);
      return null;
    }
    const section = new Section(this.section.yaml, node, 'The aggregate', AGGREGATE_KEYS);
    const name = this.name(section, named);
    const statistic = this.statistics.read(section, reads);
    if (name !== null) named.push([name, statistic]);
    if (name === null || statistic === null) return null;
    const { fn, field, q, where } = statistic;
    return {
      ...{ name, fn: fn as WindowAggregate['fn'] },
      ...(field === undefined ? {} : { field: field.name }),
      ...(q === undefined ? {} : { q }),
      ...(where === undefined ? {} : { where }),
    };
  }

  /** `null`: wrong, and reported. */
  private name(section: Section, named: readonly NamedStatistic[]): string | null {
    const entry = section.entry('name');
    if (entry === undefined) section.missing('name', 'Add name: with the word that having and the message use.');
    const name = section.text('name', 'the name of the aggregate');
    if (entry === undefined || name === undefined) return null;
    if (!NAME_FORM.test(name) || RESERVED_NAMES.has(name)) {
      const hint = 'Use letters, digits and _, begin with a letter, and take no word of conditions.';
      section.source.error('bad-aggregate-name', entry.span, `An aggregate cannot be called ${name}.`, hint);
      return null;
    }
    const isTaken = (WINDOW_FIELDS as readonly string[]).includes(name) || named.some(([other]) => other === name);
    if (!isTaken && this.scope.features?.known.has(name) !== true) return name;
    const message = `${name} means something else already.`;
    section.source.error('duplicate-aggregate-name', entry.span, message, 'Choose another name.');
    return null;
  }

  /** `undefined`: there is none; `null`: wrong, and reported. */
  private having(result: EventSchema): PatternWindow['having'] | null {
    if (this.section.entry('having') === undefined) return undefined;
    const text = this.section.scalarText('having', 'a condition');
    if (text === undefined) return null;
    return checkCondition(text.text, { ...this.resultScope(result), self: 0 }, text);
  }

  private resultScope(result: EventSchema): RuleScope & Pick<Scope, 'schema' | 'steps' | 'isOfResult'> {
    return { ...this.scope, fields: new Set(), schema: result, steps: [], isOfResult: true };
  }
}

function parseEvents(text: string): number | undefined {
  const events = Number(text);
  return /^\d+$/.test(text) && events >= 1 && events <= WINDOW_EVENTS_MAX ? events : undefined;
}
