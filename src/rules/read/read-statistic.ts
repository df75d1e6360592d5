import { isScalar } from 'yaml';
import type { Expr, FeatureFn } from '../../engine/index.js';
import { checkCondition } from '../condition/check-condition.js';
import { fieldNames, fieldOf, type KnownFeature, type ListNames } from '../condition/scope.js';
import type { ValueType } from '../condition/typed.js';
import { suggest } from '../source/nearest.js';
import type { Reads } from './read-streams.js';
import type { Section } from './yaml-section.js';

export const STATISTICS: readonly FeatureFn[] = [
  ...['count', 'sum', 'avg', 'min', 'max', 'distinct', 'stddev', 'median', 'quantile', 'first', 'last', 'since'],
] as FeatureFn[];
/** They look at no field: `count: true`. */
const FIELDLESS: ReadonlySet<FeatureFn> = new Set(['count', 'since']);
/** They look at fields of numbers, texts or booleans. */
const SCALAR: ReadonlySet<FeatureFn> = new Set(['distinct', 'first', 'last']);

/** What a feature or an aggregate tells of which events. */
export interface Statistic {
  readonly fn: FeatureFn;
  readonly field?: FieldOfFeature;
  readonly q?: number;
  readonly where?: Expr;
}

export interface FieldOfFeature {
  readonly name: string;
  readonly type: ValueType;
  readonly symbols?: readonly string[];
  /** Events may lack it. */
  readonly optional: boolean;
}

/** What its value is. */
export function typeOfStatistic({ fn, field }: Statistic): Pick<KnownFeature, 'type' | 'symbols'> {
  if (field === undefined || (fn !== 'first' && fn !== 'last')) return { type: 'number' };
  return { type: field.type, ...(field.symbols === undefined ? {} : { symbols: field.symbols }) };
}

interface StatisticScope {
  /** Where the names of the fields that are read are put. */
  readonly fields: Set<string>;
  readonly lists: ListNames;
  /** Named in a condition, they are told to have no place there. */
  readonly features: ReadonlyMap<string, KnownFeature | null>;
}

/** Reads the statistic of a feature, or of a window's aggregate. */
export class StatisticReader {
  /** `what`: for messages. */
  constructor(
    private readonly what: 'feature' | 'aggregate',
    private readonly statistics: readonly FeatureFn[],
    private readonly scope: StatisticScope,
  ) {}

  /** `null` when anything of it is wrong. */
  read(section: Section, reads: Reads): Statistic | null {
    const fn = this.statistic(section);
    const field = fn === undefined || FIELDLESS.has(fn) ? undefined : this.field(section, fn, reads);
    const counted = fn !== undefined && FIELDLESS.has(fn) && this.counts(section, fn);
    const q = this.quantile(section, fn);
    const where = this.where(section, reads);
    if (fn === undefined || where === null || q === null || (!counted && field === undefined)) return null;
    return {
      fn,
      ...(field === undefined ? {} : { field }),
      ...(q === undefined ? {} : { q }),
      ...(where === undefined ? {} : { where }),
    };
  }

  private statistic(section: Section): FeatureFn | undefined {
    const { what, statistics } = this;
    const [first, second] = statistics.filter((fn) => section.entry(fn) !== undefined);
    if (first === undefined) {
      const start = section.span.start;
      const message = `The ${what} does not say what it tells of the events.`;
      const hint = `Give it one of ${statistics.join(', ')}.`;
      section.source.error('feature-without-statistic', { start, end: start }, message, hint);
    } else if (second !== undefined) {
      const message = `The ${what} has both ${first} and ${second}.`;
      const { keySpan } = section.entry(second)!;
      section.source.error('feature-statistic-twice', keySpan, message, `Make it two ${what}s.`);
    }
    return second === undefined ? first : undefined;
  }

  private counts(section: Section, fn: FeatureFn): boolean {
    const entry = section.entry(fn)!;
    if (isScalar(entry.node) && entry.node.value === true) return true;
    const hint = `Write ${fn}: true, and where: for which events count.`;
    section.source.error('wrong-form', entry.span, `${fn} must be true.`, hint);
    return false;
  }

  private field(section: Section, fn: FeatureFn, { schema }: Reads): FieldOfFeature | undefined {
    const isAny = SCALAR.has(fn);
    const name = section.text(fn, isAny ? 'the name of a field' : 'the name of a field that holds numbers');
    if (name === undefined) return undefined;
    const { span } = section.entry(fn)!;
    const field = fieldOf({ schema }, name);
    if (field === null) {
      const fitting = [...fieldNames({ schema })].filter((candidate) => {
        const type = schema?.fields.get(candidate)?.type;
        return isAny ? type !== 'other' : type === 'number';
      });
      section.source.error('unknown-field', span, `There is no field ${name}.`, suggest(name, fitting));
      return undefined;
    }
    if (field !== 'unknown' && (isAny ? field.type === 'other' : field.type !== 'number')) {
      const message = isAny
        ? `${fn} takes numbers, texts or booleans, and ${name} is a record or list.`
        : `${fn} takes numbers, and ${name} holds none.`;
      const hint = isAny || field.type === 'other' ? undefined : 'Of other fields there are distinct, first and last.';
      section.source.error('type-mismatch', span, message, hint);
      return undefined;
    }
    this.scope.fields.add(name);
    if (field === 'unknown') return { name, type: 'unknown', optional: true };
    const { type, symbols, optional } = field;
    return { name, type, symbols, optional };
  }

  /** `undefined`: there is none; `null`: wrong, and reported. */
  private quantile(section: Section, fn: FeatureFn | undefined): number | undefined | null {
    const entry = section.entry('q');
    if (fn === 'quantile' && entry === undefined) {
      section.missing('q', 'Add q: with the share of the values that are below, such as 0.95.');
      return null;
    }
    if (entry === undefined) return undefined;
    if (fn !== undefined && fn !== 'quantile') {
      section.source.error('wrong-form', entry.keySpan, 'q is of a quantile.', `Leave it out, or write quantile: ….`);
      return null;
    }
    return section.parsed('q', 'bad-value', 'a number from 0 to 1', parseShare) ?? null;
  }

  /** `undefined`: every event counts; `null`: wrong, and reported. */
  private where(section: Section, { schema }: Reads): Expr | undefined | null {
    if (section.entry('where') === undefined) return undefined;
    const text = section.scalarText('where', 'a condition');
    if (text === undefined) return null;
    const { fields, lists } = this.scope;
    const features = { known: this.scope.features, used: new Set<string>() };
    const scope = { schema, steps: [], self: -1, fields, features, lists };
    return checkCondition(text.text, scope, text);
  }
}

function parseShare(text: string): number | undefined {
  const share = Number(text);
  return text !== '' && share >= 0 && share <= 1 ? share : undefined;
}
