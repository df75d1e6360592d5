import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Expr, Feature, FeatureFn, NamedFeature } from '../../engine/index.js';
import { checkCondition } from '../condition/check-condition.js';
import {
  type FeatureNames,
  fieldNames,
  fieldOf,
  isMeta,
  type KnownFeature,
  type ListNames,
  type StepInfo,
} from '../condition/scope.js';
import type { ValueType } from '../condition/typed.js';
import { DURATION_FORM, parseDuration } from '../source/duration.js';
import { suggest } from '../source/nearest.js';
import type { Span } from '../source/source-file.js';
import { NAME_FORM, RESERVED_NAMES } from './read-steps.js';
import { andOf, type Reads, type RuleStreams } from './read-streams.js';
import { Section, spanOf, type YamlFile } from './yaml-section.js';

const STATISTICS: readonly FeatureFn[] = [
  ...['count', 'sum', 'avg', 'min', 'max', 'distinct', 'stddev', 'median', 'quantile', 'first', 'last', 'since'],
] as FeatureFn[];
/** They look at no field: `count: true`. */
const FIELDLESS: ReadonlySet<FeatureFn> = new Set(['count', 'since']);
/** They look at fields of numbers, texts or booleans. */
const SCALAR: ReadonlySet<FeatureFn> = new Set(['distinct', 'first', 'last']);

/** All keys that a feature may have. */
export const FEATURE_KEYS: readonly string[] = ['name', ...STATISTICS, 'q', 'over', 'lagging', 'where', 'from'];

interface Draft {
  readonly section: Section;
  readonly name: string;
  readonly nameSpan: Span;
}

/**
 * Reads the features of a rule: first all names, so that a feature that names another is told so; then what they are. Once
 * all else is read, `judge` says which names clash with theirs, and which feature nobody reads.
 */
export class FeatureReader {
  private readonly drafts: Draft[] = [];
  private readonly known = new Map<string, KnownFeature | null>();
  private readonly namesUsed = new Set<string>();

  constructor(
    private readonly yaml: YamlFile,
    private readonly streams: RuleStreams,
    /** Where the names of the fields that features read are put. */
    private readonly fields: Set<string>,
    private readonly lists: ListNames,
  ) {}

  read(rule: Section): FeatureNames {
    const entry = rule.entry('features');
    if (entry !== undefined && !isSeq(entry.node)) rule.wrong(entry, 'a list of features');
    for (const item of isSeq(entry?.node) ? entry.node.items : []) this.draft(item as Node);
    for (const draft of this.drafts) {
      const feature = this.feature(draft.section);
      if (feature !== null && draft.name !== '' && !this.known.get(draft.name)) this.known.set(draft.name, feature);
    }
    return { known: this.known, used: this.namesUsed };
  }

  judge(steps: readonly StepInfo[]): void {
    const { source } = this.yaml;
    for (const { name, nameSpan } of this.drafts) {
      if (name === '') continue;
      if (steps.some((step) => step.name === name)) {
        source.error('feature-shadows', nameSpan, `There is a step called ${name} as well.`, RENAME);
      } else if (!this.namesUsed.has(name) && !source.hasErrors) {
        const hint = `Name ${name} in a condition, the message or the score, or remove it.`;
        source.warning('feature-unused', nameSpan, `Nothing reads ${name}.`, hint);
      }
    }
  }

  private draft(node: Node): void {
    if (!isMap(node)) {
      const hint = 'Write name: …, then count: true or sum: field, and over: 5m.';
      this.yaml.source.error('wrong-form', spanOf(node), 'A feature is a map of keys and values.', hint);
      return;
    }
    const section = new Section(this.yaml, node, 'The feature', FEATURE_KEYS);
    const entry = section.entry('name');
    if (entry === undefined) section.missing('name', 'Add name: with the word that conditions use.');
    const given = section.text('name', 'the name of the feature') ?? '';
    const name = entry !== undefined && this.nameFits(given, entry.span) ? given : '';
    this.drafts.push({ section, name, nameSpan: entry?.span ?? section.span });
    if (name !== '') this.known.set(name, null);
  }

  private nameFits(name: string, span: Span): boolean {
    const { source } = this.yaml;
    if (name === '') return false;
    if (!NAME_FORM.test(name) || RESERVED_NAMES.has(name)) {
      const hint = 'Use letters, digits and _, begin with a letter, and take no word of conditions.';
      source.error('bad-feature-name', span, `A feature cannot be called ${name}.`, hint);
    } else if (this.known.has(name)) {
      source.error('duplicate-feature-name', span, `There are two features called ${name}.`, RENAME);
    } else if (this.streams.schemas().some(({ schema }) => schema?.fields.has(name) || isMeta({ schema }, name))) {
      source.error('feature-shadows', span, `${name} means a field of the event already.`, RENAME);
    } else {
      return true;
    }
    return false;
  }

  /** Those that a condition, the message or the score reads, by their names; to be asked when all of them have been read. */
  used(): readonly NamedFeature[] {
    return [...this.known].flatMap(([name, known]) =>
      known !== null && this.namesUsed.has(name) ? { name, feature: known.feature } : [],
    );
  }

  /** `null` when anything of it is wrong. */
  private feature(section: Section): KnownFeature | null {
    const fn = this.statistic(section);
    const reads = this.streams.of(section);
    const field = fn === undefined || FIELDLESS.has(fn) ? undefined : this.field(section, fn, reads);
    const counted = fn !== undefined && FIELDLESS.has(fn) && this.counts(section, fn);
    const q = this.quantile(section, fn);
    const overMs = this.over(section);
    const lagMs = this.lagging(section, fn);
    const condition = this.where(section, reads);
    const where = condition === null ? null : andOf(reads.test, condition);
    if (fn === undefined || overMs === undefined || where === null || q === null || lagMs === null) return null;
    if (!counted && field === undefined) return null;
    const feature: Feature = {
      fn,
      ...(field === undefined ? {} : { field: field.name }),
      ...(q === undefined ? {} : { q }),
      overMs,
      ...(lagMs === undefined ? {} : { lagMs }),
      ...(where === undefined ? {} : { where }),
    };
    const isValue = field !== undefined && (fn === 'first' || fn === 'last');
    return isValue ? { feature, type: field.type, symbols: field.symbols } : { feature, type: 'number' };
  }

  private statistic(section: Section): FeatureFn | undefined {
    const [first, second] = STATISTICS.filter((fn) => section.entry(fn) !== undefined);
    if (first === undefined) {
      const start = section.span.start;
      const message = 'The feature does not say what it tells of the events.';
      const hint = `Give it one of ${STATISTICS.join(', ')}.`;
      section.source.error('feature-without-statistic', { start, end: start }, message, hint);
    } else if (second !== undefined) {
      const message = `The feature has both ${first} and ${second}.`;
      const { keySpan } = section.entry(second)!;
      section.source.error('feature-statistic-twice', keySpan, message, 'Make it two features.');
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
    this.fields.add(name);
    return field === 'unknown' ? { name, type: 'unknown' } : { name, type: field.type, symbols: field.symbols };
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

  /** `undefined`: it does not lag; `null`: wrong, and reported. */
  private lagging(section: Section, fn: FeatureFn | undefined): number | undefined | null {
    const entry = section.entry('lagging');
    if (entry === undefined) return undefined;
    if (fn === 'since') {
      const message = 'since tells the time since the event before: it cannot lag.';
      section.source.error('wrong-form', entry.keySpan, message, 'Leave lagging out.');
      return null;
    }
    const lagMs = section.parsed('lagging', 'bad-duration', DURATION_FORM, parseDuration);
    if (lagMs !== 0) return lagMs ?? null;
    const hint = 'Leave it out, or write a time such as 7d.';
    section.source.error('bad-value', entry.span, 'lagging must be longer than nothing.', hint);
    return null;
  }

  private over(section: Section): number | undefined {
    const entry = section.entry('over');
    if (entry === undefined) section.missing('over', 'Add over: with the length of the window, such as 5m.');
    const overMs = section.parsed('over', 'bad-duration', DURATION_FORM, parseDuration);
    if (overMs !== 0) return overMs;
    section.source.error('bad-value', entry!.span, 'over must be longer than nothing.', 'Write a window such as 5m.');
    return undefined;
  }

  /** `undefined`: every event counts; `null`: wrong, and reported. */
  private where(section: Section, { schema }: Reads): Expr | undefined | null {
    if (section.entry('where') === undefined) return undefined;
    const text = section.scalarText('where', 'a condition');
    if (text === undefined) return null;
    const features = { known: this.known, used: new Set<string>() };
    const scope = { schema, steps: [], self: -1, fields: this.fields, features, lists: this.lists };
    return checkCondition(text.text, scope, text);
  }
}

interface FieldOfFeature {
  readonly name: string;
  readonly type: ValueType;
  readonly symbols?: readonly string[];
}

function parseShare(text: string): number | undefined {
  const share = Number(text);
  return text !== '' && share >= 0 && share <= 1 ? share : undefined;
}

const RENAME = 'Choose another name.';
